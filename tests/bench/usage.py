"""What processes take of the machine: processor time, also of children that have ended, and memory."""

import contextlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

# A session's title begins with role, database and client; a worker's with its job and perhaps a database.
_SESSION = re.compile(r"postgres: (?:mailroom_)?(\w+) \w+ \d+\.\d+\.\d+\.\d+\(")
_WORKER = re.compile(r"postgres: (autovacuum worker|[\w ]+)")


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time (user and system) since the process began, and bytes of memory now.

    Memory is what is resident and shared with nobody: PostgreSQL's backends have their buffers together.
    """

    seconds: float
    memory: int

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.seconds + other.seconds, self.memory + other.memory)


NOTHING = Usage(0.0, 0)
WITH_PARSERS = "ingest"


def measure(roots: Mapping[str, int]) -> dict[str, Usage]:
    """The usage of each process with all of its descendants, by the names of the roots.

    ingest's children, which parse, count as `ingest parsers`; Postgres is also told by what its backends
    are for, as `postgres: <role or job>`.
    """
    found: dict[str, Usage] = {}
    for name, pid in roots.items():
        root = psutil.Process(pid)
        own, ended = _of(root)
        children = {child.pid: child for child in root.children(recursive=True)}
        living: dict[int, Usage] = {}
        for child in children.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                living[child.pid] = sum(_of(child), NOTHING)
        below = sum(living.values(), ended)
        if name == WITH_PARSERS:
            found[name], found[f"{name} parsers"] = own, below
        else:
            found[name] = own + below
        if name == "postgres":
            jobs: defaultdict[str, Usage] = defaultdict(lambda: NOTHING)
            for each, usage in living.items():
                jobs[_job(children[each])] += usage
            jobs["ended"] = ended
            found |= {f"{name}: {job}": usage for job, usage in jobs.items()}
    return found


def between(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, Usage]:
    """What was used meanwhile, and the memory at the end; by name, those with most of it first."""
    used = {
        name: Usage(usage.seconds - before.get(name, NOTHING).seconds, usage.memory)
        for name, usage in after.items()
    }
    return dict(sorted(used.items(), key=lambda each: -each[1].seconds))


def _of(process: psutil.Process) -> tuple[Usage, Usage]:
    """Its own, and that of its children that ended."""
    times, memory = process.cpu_times(), process.memory_info()
    ended = Usage(times.children_user + times.children_system, 0)
    return Usage(times.user + times.system, memory.rss - memory.shared), ended


def _job(backend: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        title = " ".join(backend.cmdline())
        if found := _SESSION.match(title) or _WORKER.match(title):
            return found[1].strip()
    return "other"
