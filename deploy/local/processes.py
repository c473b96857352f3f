"""Programs that end with us, and what to do about those that did not.

Each is the leader of a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone (it
ends them in order), and so that whatever they start can be found and ended with them.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
from pydantic import BaseModel

from deploy.local import tether

_SECONDS_TO_END = 20.0
_SECONDS_BETWEEN_LOOKS = 0.02
# psutil derives the start from the boot time, which clock corrections move a little.
_START_TOLERANCE = 2.0


class ProcessRecord(BaseModel, frozen=True):
    """A process that cannot be mistaken for a later one with its pid: `started` is in Unix seconds."""

    pid: int
    started: float
    stop_signal: int = signal.SIGTERM

    @classmethod
    def of(cls, pid: int, stop_signal: int = signal.SIGTERM) -> Self:
        """The record of a process that was started just now, even if it has ended already."""
        try:
            started = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            started = time.time()
        return cls(pid=pid, started=started, stop_signal=stop_signal)

    def process(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _START_TOLERANCE
            return process if same and is_alive(process) else None
        except psutil.NoSuchProcess:
            return None


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs: an ended one whose parent has not asked for its exit code does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@dataclass(frozen=True)
class Program:
    """What to run, and how it wants to be ended.

    `stop_signal` asks it to end; `death_signal` reaches it when the process that started it dies;
    `user` is a numeric (user, group), for a program that refuses to run as root.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL
    user: tuple[int, int] | None = None


@dataclass
class Tethered:
    """A running program."""

    program: Program
    process: asyncio.subprocess.Process
    record: ProcessRecord = field(init=False)

    def __post_init__(self) -> None:
        self.record = ProcessRecord.of(self.process.pid, self.program.stop_signal)

    @classmethod
    async def start(cls, program: Program) -> Self:
        """Starts it; must be called from a thread that lives as long as this process.

        (The parent-death signal follows the thread that forked.)
        """
        user, group = program.user or ("-", "-")
        with program.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-S", tether.__file__),
                *(str(os.getpid()), str(int(program.death_signal)), str(user), str(group)),
                *program.arguments,
                env=dict(program.environment),
                cwd=program.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return cls(program, process)

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self.process.returncode

    async def stop(self) -> None:
        """Ends it and everything in its session: politely first, and by force when that takes too long."""
        with contextlib.suppress(ProcessLookupError):
            if self.process.returncode is None:
                self.process.send_signal(self.program.stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), _SECONDS_TO_END)
        for left in _session(self.record):
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
        await self.process.wait()


def _session(record: ProcessRecord) -> list[psutil.Process]:
    """The processes of the session that `record` leads or led, the leader left out."""
    members = []
    leader = record.process()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            if os.getsid(process.pid) != record.pid or process == leader:
                continue
            if process.pid == record.pid:
                return []  # somebody else was given the pid since, and leads a session of its own
            members.append(process)
    return members


def end(records: Sequence[ProcessRecord], seconds: float = _SECONDS_TO_END) -> bool:
    """Ends those of the processes that still run, with their sessions; says whether there were any.

    For processes that are not our children (any more): what an earlier supervisor left, or a supervisor.
    """
    leaders = [(process, record) for record in records if (process := record.process())]
    orphans = [member for record in records for member in _session(record)]
    for leader, record in leaders:
        with contextlib.suppress(psutil.NoSuchProcess):
            leader.send_signal(record.stop_signal)
    left = _still_alive([leader for leader, _ in leaders], seconds) + orphans
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _still_alive(left, seconds)
    return bool(leaders or orphans)


def _still_alive(these: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Waits for them to end, and says which have not."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in these if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return left
