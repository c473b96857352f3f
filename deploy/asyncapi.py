"""The AsyncAPI documents as committed: what `shared/asyncapi.py` makes of the contracts, in files."""

import json
from pathlib import Path

from shared.asyncapi import SERVICES, WHOLE, document

FOLDER = Path(__file__).parents[1] / "docs" / "asyncapi"


def documents() -> dict[Path, str]:
    """Every document's text, by the file it belongs into."""
    return {
        FOLDER / f"{name}.json": json.dumps(document(name), indent=2, ensure_ascii=False) + "\n"
        for name in (WHOLE, *SERVICES)
    }


def write() -> int:
    """Make the committed documents those of the contracts; returns how many there are."""
    current = documents()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in set(FOLDER.glob("*.json")) - set(current):
        path.unlink()
    for path, text in current.items():
        path.write_text(text)
    return len(current)
