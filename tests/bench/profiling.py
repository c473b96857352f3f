"""Looks into a running service with py-spy: where its Python spends its time.

Only who holds the interpreter's lock is sampled. What goes on without it (reading and writing sockets in the
event loop's C code, flushing files) is not seen here, but in the processor time of `usage`.
"""

import asyncio
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_RATE = 200
_PLACE = re.compile(r"(?P<function>.+) \((?P<file>[^():]+)(?::\d+)?\)$")
_OWN = ("services", "shared", "deploy")


@dataclass(frozen=True)
class Share:
    """A part of the samples: `share` of 1."""

    name: str
    share: float


@asynccontextmanager
async def profiled(pid: int, path: Path) -> AsyncIterator[None]:
    """Sample a process and its children meanwhile.

    `path` gets collapsed stacks, from which flame graphs are made, too.
    """
    path.unlink(missing_ok=True)  # noqa: ASYNC240 — nothing else runs here
    spy = await asyncio.create_subprocess_exec(
        "py-spy",
        *("record", "--pid", str(pid), "--output", str(path), "--format", "raw"),
        *("--rate", str(_RATE), "--subprocesses", "--gil", "--full-filenames", "--nolineno"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield
    finally:
        if spy.returncode is None:
            spy.send_signal(signal.SIGINT)  # it writes what it has
        said = (await spy.communicate())[1].decode(errors="replace")
    if not path.exists():  # noqa: ASYNC240 — nothing else runs here
        raise RuntimeError(f"py-spy wrote no profile: {said.strip()}")


def by_package(path: Path) -> list[Share]:
    """Where the time went, by the package that was at work: the innermost frame's."""
    return _shares((_package(_file(stack[-1])), number) for stack, number in _stacks(path))


def by_own_function(path: Path) -> list[Share]:
    """Where the time went, by the function of ours that asked for it: the innermost one."""

    def asked(stack: list[str]) -> str:
        return next((_named(each) for each in reversed(stack) if _package(_file(each)) in _OWN), "the rest")

    return _shares((asked(stack), number) for stack, number in _stacks(path))


def _shares(found: Iterator[tuple[str, int]]) -> list[Share]:
    total: Counter[str] = Counter()
    for name, number in found:
        total[name] += number
    return [Share(name, number / total.total()) for name, number in total.most_common()]


def _stacks(path: Path) -> Iterator[tuple[list[str], int]]:
    """Stacks, outermost frame first, with their samples."""
    for line in path.read_text().splitlines():
        stack, _, number = line.rpartition(" ")
        frames = [frame for frame in stack.split(";") if _PLACE.match(frame)]
        if frames:
            yield frames, int(number)


def _file(frame: str) -> str:
    found = _PLACE.match(frame)
    return found["file"] if found else ""


def _named(frame: str) -> str:
    found = _PLACE.match(frame)
    assert found
    parts = Path(found["file"]).parts
    start = next(index for index, part in enumerate(parts) if part in _OWN)
    return f"{'/'.join(parts[start:])}: {found['function']}"


def _package(file: str) -> str:
    """A library's or our own top package, or the standard library's module."""
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    for part in parts:
        if part in _OWN:
            return part
    if file.startswith("<"):  # made while it runs, or built in
        return file
    return f"Python's {Path(file).stem if len(parts) < 2 or parts[-2].startswith('python') else parts[-2]}"
