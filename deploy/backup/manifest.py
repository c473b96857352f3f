"""What a backup says of itself: `manifest.json`, written last, so that a folder without one is no backup."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ValidationError

from deploy.backup.failure import BackupFailure

FILE = "manifest.json"
SUM = f"{FILE}.sha256"
"""The manifest's own sum, as `sha256sum --check` reads it."""
BLOBS = "blobs"
"""Beside the backups of a folder, and shared by them: an object's name is the hash of its content."""


class KeptFile(BaseModel, frozen=True):
    """A file of the backup; `sha256` in hexadecimal."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(name=path.name, bytes=path.stat().st_size, sha256=digest)

    def require(self, folder: Path) -> Path:
        """Where it lies. Raises `BackupFailure` unless it is as it was written."""
        path = folder / self.name
        if not path.is_file():
            raise BackupFailure(f"{path} is missing: the backup is not whole.")
        if KeptFile.of(path) != self:
            raise BackupFailure(f"{path} is damaged: it is not what {folder / FILE} says.")
        return path


class AppliedMigration(BaseModel, frozen=True):
    """A migration that the schema had."""

    sequence: str
    number: int
    name: str
    checksum: str

    def __str__(self) -> str:
        return f"{self.sequence} {self.number:04d} {self.name}"


class SchemaBackup(BaseModel, frozen=True):
    """A service's schema at one moment; `tables` counts the rows of each."""

    dump: KeptFile
    migrations: tuple[AppliedMigration, ...]
    tables: dict[str, int]


class Manifest(BaseModel, frozen=True):
    """All of one backup. `mailroom` and `postgres` are the versions that made it.

    `blobs` lists the objects that the schemas may name, a line each; it is None where they were left out.
    """

    format: Literal[1] = 1
    made_at: datetime
    mailroom: str
    postgres: str
    schemas: dict[str, SchemaBackup]
    blobs: KeptFile | None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises `BackupFailure` for what is no manifest of ours, or is not as it was written."""
        try:
            text = (folder / FILE).read_bytes()
            if (folder / SUM).read_text() != _sum(text):
                raise BackupFailure(f"{folder / FILE} is damaged: its sum is not that of {SUM}.")
            return cls.model_validate_json(text)
        except FileNotFoundError as missing:
            raise BackupFailure(f"{folder} is no whole backup: it has no {missing.filename}.") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise BackupFailure(f"{folder / FILE} cannot be read: {first['msg']}.") from None

    def write(self, folder: Path) -> None:
        """Raises `OSError`."""
        text = self.model_dump_json(indent=2).encode()
        (folder / SUM).write_text(_sum(text))
        (folder / FILE).write_bytes(text)


def _sum(text: bytes) -> str:
    return f"{hashlib.sha256(text).hexdigest()}  {FILE}\n"


def newest(folder: Path) -> Path:
    """The backup that is meant: `folder` itself, or the newest one in it. Raises `BackupFailure`."""
    if (folder / FILE).exists():
        return folder
    # Their names are times. One that was not ended has no manifest, or a name that begins with a dot.
    found = sorted(each.parent for each in folder.glob(f"[!.]*/{FILE}"))
    if not found:
        raise BackupFailure(f"There is no backup in {folder}.")
    return found[-1]
