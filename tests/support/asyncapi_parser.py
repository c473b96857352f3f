"""The official parser of AsyncAPI, `@asyncapi/parser`, which Node runs.

Its packages come through npm once, as `tests/contract/asyncapi/package-lock.json` pins them, and stay in the
user's cache.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import platformdirs
from filelock import FileLock

SOURCE = Path(__file__).parents[1] / "contract" / "asyncapi"
SECONDS_TO_INSTALL = 300
SECONDS_TO_PARSE = 120


class ParserMissing(RuntimeError):
    """Node or npm is not installed. The message says what to do."""


class Diagnostic(NamedTuple):
    """What the parser says of a place in a document. Severity 0 is an error, 1 a warning, above are hints."""

    file: str
    severity: int
    path: str
    message: str


def diagnostics(files: Iterable[Path]) -> list[Diagnostic]:
    """What the parser finds in the documents. Raises `ParserMissing`, and what a failed install raises."""
    folder = _installed()
    asked = ["node", "check.mjs", *(str(file.resolve()) for file in files)]
    done = subprocess.run(
        asked, cwd=folder, capture_output=True, text=True, check=True, timeout=SECONDS_TO_PARSE
    )
    return [Diagnostic(**found) for found in json.loads(done.stdout)]


def _installed() -> Path:
    """The folder of the parser as it is pinned, made when it is missing."""
    if not (shutil.which("node") and (npm := shutil.which("npm"))):
        raise ParserMissing("Node or npm is not installed: `apt-get install nodejs npm`.")
    files = sorted(path for path in SOURCE.iterdir() if path.is_file())
    pinned = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]
    folder = platformdirs.user_cache_path("mailroom") / "asyncapi-parser" / pinned
    whole = folder / "installed"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for path in files:
                shutil.copy(path, folder)
            given = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run(
                [npm, *given], cwd=folder, capture_output=True, text=True, timeout=SECONDS_TO_INSTALL
            )
            if done.returncode:
                raise RuntimeError(f"npm could not install the parser: {done.stderr[-2000:]}")
            whole.touch()
    return folder
