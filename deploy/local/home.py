"""The folder of one instance: who holds it, what runs in it, which ports it has."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from deploy.local import processes
from deploy.local.endpoints import FILE, replace_file
from deploy.local.failure import StackFailure
from deploy.local.processes import ProcessRecord

_Records = TypeAdapter(dict[str, ProcessRecord])
_Ports = TypeAdapter(dict[str, int])
_FREE_DISK_NEEDED = 200_000_000
_SUPERVISOR = "supervisor"
_MARK = "mailroom-home"  # says that the folder is ours, and may be emptied


@dataclass(frozen=True)
class Home:
    """`path` is absolute.

    Holds `endpoints.json` (while it is up), `processes.json` (what was started and not seen to end),
    `ports.json`, `lock` (held by whoever runs the instance, freed by the kernel when that ends), `logs/`,
    and a folder for each server and for the services' blobs and secrets.
    """

    path: Path

    @contextlib.contextmanager
    def held(self, fresh: bool = False) -> Iterator[None]:
        """Takes the home for a new start: ends what an earlier one left, and empties it if `fresh`.

        Raises StackFailure if another process holds it, or it is somebody else's folder.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if not (self.path / _MARK).exists() and any(self.path.iterdir()):
            raise StackFailure(f"{self.path} is not a home of Mailroom: give --home a new or empty folder.")
        (self.path / _MARK).touch()
        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(blocking=False)
        except Timeout as held:
            raise StackFailure(
                f"Mailroom is already up in {self.path}: look at `mailroom status`, end it with "
                "`mailroom down`, or give another --home."
            ) from held
        try:
            self.reap()
            self.record({})
            if fresh:
                self._empty()
            (self.path / "logs").mkdir(exist_ok=True)
            for log in (self.path / "logs").iterdir():
                log.unlink()
            for folder in ("blobs", "secrets"):
                (self.path / folder).mkdir(mode=0o700, exist_ok=True)
            yield
        finally:
            lock.release()

    def is_held(self) -> bool:
        """Whether an instance runs here."""
        if not (self.path / "lock").exists():
            return False
        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        return False

    def reap(self) -> bool:
        """Ends what is recorded and still runs; says whether there was any. Only for a home nobody holds."""
        (self.path / FILE).unlink(missing_ok=True)
        others = [record for record in self._records().values() if record.pid != os.getpid()]
        found = processes.end(others)
        (self.path / "processes.json").unlink(missing_ok=True)
        return found

    def record(self, records: Mapping[str, ProcessRecord]) -> None:
        """Writes down what runs under this process, for `reap` and `supervisor`."""
        all_records = {_SUPERVISOR: ProcessRecord.of(os.getpid()), **records}
        replace_file(self.path / "processes.json", _Records.dump_json(all_records, indent=2).decode())

    def supervisor(self) -> ProcessRecord | None:
        """Who runs the instance, or ran it last."""
        return self._records().get(_SUPERVISOR)

    def _records(self) -> dict[str, ProcessRecord]:
        try:
            return _Records.validate_json((self.path / "processes.json").read_bytes())
        except FileNotFoundError:
            return {}

    def ports(self) -> dict[str, int]:
        """The ports of the last start."""
        try:
            return _Ports.validate_json((self.path / "ports.json").read_bytes())
        except FileNotFoundError:
            return {}

    def remember_ports(self, chosen: Mapping[str, int]) -> None:
        """Keeps the ports for the next start."""
        replace_file(self.path / "ports.json", _Ports.dump_json(dict(chosen), indent=2).decode())

    def require_space(self) -> None:
        """Raises StackFailure if the disk is too full for an instance, or what failed may have failed so."""
        if shutil.disk_usage(self.path).free < _FREE_DISK_NEEDED:
            raise self.in_words(OSError(errno.ENOSPC, ""))

    def in_words(self, failure: OSError) -> StackFailure:
        """What to tell a person when the folder fails us."""
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            return StackFailure(
                f"The disk that holds {self.path} is full: free {_FREE_DISK_NEEDED / 1e6:.0f} MB, "
                "or give another --home."
            )
        return StackFailure(f"{self.path} cannot be used ({failure}): mend it, or give another --home.")

    def log(self, name: str) -> Path:
        """Where a server or service writes."""
        return self.path / "logs" / f"{name}.log"

    def _empty(self) -> None:
        for entry in self.path.iterdir():
            if entry.name in (_MARK, "lock", "processes.json"):
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
