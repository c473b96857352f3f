"""A disk of its own for the blobs, which can be filled up."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SIZE = "512m"
_BLOCK = bytes(1024 * 1024)


@dataclass(frozen=True)
class Disk:
    """What lies under `folder`. `real` says whether it is a file system, or only a folder that can refuse."""

    folder: Path
    real: bool

    def fill(self) -> None:
        """Nothing more can be written."""
        if not self.real:
            self._allow(0o555)
            return
        with self._filler.open("ab", buffering=0) as filler:
            try:
                while True:
                    filler.write(_BLOCK)
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """There is room again."""
        if self.real:
            self._filler.unlink(missing_ok=True)
        else:
            self._allow(0o755)

    def _allow(self, mode: int) -> None:
        for place in (self.folder, *self.folder.rglob("*/")):
            place.chmod(mode)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    """A disk at an empty folder, for as long as this lasts.

    Only root may mount one (in memory). For anybody else the folder is made to refuse files, which root's
    would not.
    """
    if os.geteuid() != 0:
        disk = Disk(folder, real=False)
        try:
            yield disk
        finally:
            disk.free()
        return
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "mailroom-blobs", folder], check=True
    )
    try:
        yield Disk(folder, real=True)
    finally:
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "--lazy", folder], check=True)
