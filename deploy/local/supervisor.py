"""The process that stays with a running instance: watches it, and ends it when asked or left alone.

In the foreground it is the command itself. Detached it is `python -m deploy.local.supervisor`, which tells
its news on standard output, one JSON object per line, until the instance is up.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import BaseModel, TypeAdapter

from deploy.local import processes
from deploy.local.endpoints import Endpoints
from deploy.local.failure import StackFailure
from deploy.local.home import Home
from deploy.local.processes import ProcessRecord
from deploy.local.progress import Progress, Report
from deploy.local.stack import Stack, StackOptions

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS_BETWEEN_LOOKS = 0.5
# A supervisor that is asked to end gives its services and then its servers their own time first.
_SECONDS_TO_END = 60.0


class _Up(BaseModel, frozen=True):
    endpoints: Endpoints


class _Failed(BaseModel, frozen=True):
    sentence: str


_News = TypeAdapter[Progress | _Up | _Failed](Progress | _Up | _Failed)


class _Assignment(BaseModel, frozen=True):
    options: StackOptions
    watched: ProcessRecord | None


async def supervise(
    options: StackOptions,
    report: Report,
    on_up: Callable[[Endpoints], None],
    watched: ProcessRecord | None = None,
) -> None:
    """Starts the instance, keeps it up, and ends it at a signal or when `watched` ends.

    Takes over the signals of this process, so that none can interrupt the ending. Raises StackFailure if
    the instance cannot start.
    """
    asked = asyncio.Event()
    for each in ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(each, asked.set)
    life = asyncio.create_task(_live(Stack(options, report), on_up))
    reasons: list[Coroutine[Any, Any, object]] = [asked.wait()]
    if watched is not None:
        reasons.append(_until_ended(watched))
    tasks = [life, *(asyncio.create_task(reason) for reason in reasons)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _live(stack: Stack, on_up: Callable[[Endpoints], None]) -> None:
    async with stack as endpoints:
        on_up(endpoints)
        await stack.watch()


async def _until_ended(watched: ProcessRecord) -> None:
    while watched.process():  # noqa: ASYNC110 — another process, not our child
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)


def start_detached(options: StackOptions, report: Report, watched: ProcessRecord | None = None) -> Endpoints:
    """Leaves a supervisor behind, and returns when the instance is up; it ends with `watched`, if given.

    Raises StackFailure if it cannot start. Nothing stays behind if the caller is interrupted or dies before.
    """
    assignment = _Assignment(options=options, watched=watched)
    with tempfile.TemporaryFile() as noise:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.supervisor", assignment.model_dump_json()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=noise,
            start_new_session=True,
        )
        assert supervisor.stdout is not None
        with supervisor.stdout as lines:
            try:
                for line in lines:
                    match _News.validate_json(line):
                        case _Up(endpoints=endpoints):
                            return endpoints
                        case _Failed(sentence=sentence):
                            raise StackFailure(sentence)
                        case Progress() as progress:
                            report(progress)
            except BaseException:
                supervisor.terminate()
                supervisor.wait()
                raise
        noise.seek(0)
        said = noise.read().decode(errors="replace").strip().splitlines()
        raise StackFailure(
            f"The supervisor of {options.home} died: {said[-1] if said else 'it said nothing'}."
        )


def end_instance(home: Home) -> bool:
    """Ends whatever runs in a home, however it was started; says whether there was anything."""
    supervisor = home.supervisor()
    was_up = home.is_held() and supervisor is not None and processes.end([supervisor], _SECONDS_TO_END)
    return home.reap() or was_up


def main() -> None:
    """A detached supervisor's life."""
    assignment = _Assignment.model_validate_json(sys.argv[1])

    def tell(news: BaseModel) -> None:
        try:
            print(news.model_dump_json(), flush=True)
        except BrokenPipeError:  # whoever waited for us is gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            os.kill(os.getpid(), signal.SIGTERM)

    def up(endpoints: Endpoints) -> None:
        tell(_Up(endpoints=endpoints))
        with Home(endpoints.home).log("supervisor").open("ab") as log:
            for stream in (sys.stdout, sys.stderr):
                os.dup2(log.fileno(), stream.fileno())

    try:
        asyncio.run(supervise(assignment.options, tell, up, assignment.watched))
    except StackFailure as failure:
        tell(_Failed(sentence=str(failure)))
        sys.exit(1)


if __name__ == "__main__":
    main()
