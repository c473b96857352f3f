"""One parser process: started when it is asked, killed when it errs, started again when it is asked again."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

import services
from services.ingest.parsing.frames import LENGTH, Order, Parsed, decode_answer, encode

_CHILD = "services.ingest.parsing.child"
START_SECONDS = 30.0
_CLOSE_SECONDS = 2.0
_ANSWER_LIMIT = 1024**3
_READ_AHEAD = 1024**2


class WorkerDied(Exception):
    """The process did not survive the order, or did not answer it in time. The text says why."""


class WorkerKilled(WorkerDied):
    """Somebody killed the process: an operator, or the kernel for want of memory. No limit of a mail does."""


class WorkerUnavailable(Exception):
    """No process could be started: the fault of this machine or installation, never of a mail."""


class Worker:
    """A process that carries out one order at a time. `memory` is in bytes of address space."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The running process, for tests that kill it."""
        return self._process.pid if self._process else None

    async def ask(self, order: Order, seconds: float) -> Parsed:
        """The answer to an order. Raises `WorkerDied` and `WorkerUnavailable`; the next order is safe."""
        async with self._turn:
            process = self._process or await self._start()
            try:
                async with asyncio.timeout(seconds):
                    await _send(process, order)
                    answer = await _receive(process)
            except TimeoutError:
                await self._kill()
                raise WorkerDied(f"there was no answer within {seconds:.0f} s") from None
            except (OSError, asyncio.IncompleteReadError):
                code = await self._died()
                kind = WorkerKilled if code == -signal.SIGKILL else WorkerDied
                raise kind(_cause_of_death(code)) from None
            except msgspec.MsgspecError:
                await self._kill()
                raise WorkerDied("the parser answered nonsense") from None
            except BaseException:
                # Whoever gave up leaves an answer behind that the next one must not take for his.
                await self._kill()
                raise
            if answer.trouble is not None:
                await self._kill()  # what it could not hold has left its memory in pieces
                raise WorkerDied(answer.trouble)
        return answer

    async def close(self) -> None:
        """End the process: politely, then by force."""
        async with self._turn:
            if self._process is None:
                return
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._died()

    async def _start(self) -> asyncio.subprocess.Process:
        # -P: whatever lies in the working folder is not imported.
        command = (sys.executable, "-P", "-m", _CHILD, str(os.getpid()), str(self._memory))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=_environment(),
                limit=_READ_AHEAD,
            )
            async with asyncio.timeout(START_SECONDS):
                await _receive(self._process)  # it greets when all its libraries are there
        except (OSError, asyncio.IncompleteReadError, TimeoutError, msgspec.MsgspecError) as error:
            code = await self._died()
            raise WorkerUnavailable(
                f"no parser process could be started: {error!r}, exit code {code}"
            ) from error
        except BaseException:
            await self._kill()
            raise
        return self._process

    async def _died(self) -> int | None:
        """Reap what is ending by itself; returns the exit code. Whoever kills it first loses that code."""
        if self._process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._process.wait()
        return await self._kill()

    async def _kill(self) -> int | None:
        """Kill and reap; returns the exit code, negative for a signal."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        return await asyncio.shield(process.wait())


async def _send(process: asyncio.subprocess.Process, order: Order) -> None:
    assert process.stdin is not None
    data = encode(order)
    try:
        process.stdin.write(LENGTH.pack(len(data)))
        process.stdin.write(data)
    except RuntimeError as closed:  # uvloop's word for the pipe of a process that died meanwhile
        raise BrokenPipeError(str(closed)) from closed
    await process.stdin.drain()


async def _receive(process: asyncio.subprocess.Process) -> Parsed:
    assert process.stdout is not None
    length = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))[0]
    if length > _ANSWER_LIMIT:
        raise msgspec.DecodeError(f"an answer of {length} bytes")
    return decode_answer(await process.stdout.readexactly(length))


def _cause_of_death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the parser ended with exit code {code}"
    if code == -signal.SIGPROF:
        return "it takes too long to parse"
    return f"the parser died of {signal.Signals(-code).name}"


def _environment() -> dict[str, str]:
    """As little as possible: what takes the child over finds no secrets in it."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(services.__file__).parent.parent),
        "MALLOC_ARENA_MAX": "1",  # each arena takes 64 MiB of address space
    }
