"""The JSON Schemas of every record, as committed and as the models have them."""

import json
from pathlib import Path
from typing import Any

from shared import contracts
from shared.contracts.compatibility import breaks, is_strictness
from shared.contracts.record import schema_of
from shared.topics import TOPICS

FOLDER = Path(contracts.__file__).parent / "schemas"


def schemas() -> dict[Path, dict[str, Any]]:
    """The schema of every record, by the file it belongs into."""
    return {
        FOLDER / topic.name / f"{name}.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **as_read(schema_of(name, model.model_json_schema())),
        }
        for topic in TOPICS
        for name, model in topic.models.items()
    }


def as_read(schema: Any) -> Any:
    """A schema of what people write as one of what is read: unknown fields are passed over there."""
    if isinstance(schema, list):
        return [as_read(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: as_read(value) for key, value in schema.items() if not is_strictness(key, value)}


def broken() -> list[str]:
    """What the models would break for somebody who relies on the committed schemas."""
    current = schemas()
    return [
        f"{path.parent.name} {path.stem}: {sentence}"
        for path, schema in current.items()
        if path.exists()
        for sentence in breaks(json.loads(path.read_text()), schema)
    ] + [
        f"{path.parent.name} {path.stem}: the record would be gone"
        for path in sorted(FOLDER.glob("*/*.json"))
        if path not in current
    ]


def write() -> int:
    """Make the committed schemas those of the models; returns how many there are."""
    current = schemas()
    for path in FOLDER.glob("*/*.json"):
        if path not in current:
            path.unlink()
    for path, schema in current.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    return len(current)
