"""A clock for each process, which can be set while it runs: libfaketime between the process and its libc.

Only the time of day jumps. What measures spans (CLOCK_MONOTONIC) goes on as before, as on a real machine.
"""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

REREAD_SECONDS = 1
"""After which a process notices that its clock was set."""
_PACKAGE = find_spec("libfaketime")
_LIBRARY = (
    Path(_PACKAGE.origin or "").parent / "vendor/libfaketime/src/libfaketime.so.1" if _PACKAGE else Path()
)
_HOUR = 3600.0


@dataclass(frozen=True)
class Clocks:
    """The clocks of processes, by name; `folder` holds a file for each."""

    folder: Path

    def environment(self, name: str) -> Mapping[str, str]:
        """What makes a process live by its clock, which is right until it is set."""
        if not (self.folder / name).exists():
            self.set(name, 0)
        return {
            "LD_PRELOAD": str(_LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.folder / name),
            "FAKETIME_CACHE_DURATION": str(REREAD_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, name: str, seconds: float) -> None:
        """So many seconds fast, or slow if it is negative."""
        unfinished = self.folder / f".{name}"
        unfinished.write_text(f"{seconds:+.0f}\n")
        unfinished.rename(self.folder / name)

    def correct(self) -> None:
        """All are right again."""
        for clock in self.folder.glob("[!.]*"):
            self.set(clock.name, 0)

    def require_that_they_can_be_set(self) -> None:
        """Raises `RuntimeError`: the library is compiled for usual machines only, and ignored on others."""
        environment = self.environment("trial")
        self.set("trial", _HOUR)
        said = subprocess.run(
            [sys.executable, "-c", "import time; print(time.time())"],
            env=dict(environment),
            capture_output=True,
            text=True,
            check=True,
        )
        if float(said.stdout) - time.time() < _HOUR / 2:
            raise RuntimeError(f"Clocks cannot be set: {_LIBRARY} does not work here. {said.stderr}")
