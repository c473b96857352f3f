"""What a check found, and how checks are run: side by side, each with a deadline of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from shared.failure import sentence

P = TypeVar("P")


class State(StrEnum):
    """How something is. A warning leaves the exit code alone."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and in one sentence what is wrong and what to do about it."""

    service: str
    subject: str
    state: State
    sentence: str = ""


class Wrong(Exception):
    """What was looked at does not work. The message is a sentence."""


class Doubtful(Exception):
    """It works, or may work, but somebody should know. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Check:
    """`look` returns what to say when all is well; raises `Wrong` or `Doubtful`, or whatever breaks."""

    service: str
    subject: str
    look: Callable[[], Awaitable[str]]


async def examine(checks: Sequence[Check], seconds: float) -> list[Finding]:
    """Look at everything at once; what takes longer than `seconds` failed, and hides nothing else."""
    return list(await asyncio.gather(*(_one(check, seconds) for check in checks)))


async def _one(check: Check, seconds: float) -> Finding:
    def found(state: State, said: str) -> Finding:
        return Finding(check.service, check.subject, state, said)

    try:
        async with asyncio.timeout(seconds):
            return found(State.OK, await check.look())
    except Doubtful as doubt:
        return found(State.WARNING, str(doubt))
    except Wrong as wrong:
        return found(State.FAILED, str(wrong))
    except TimeoutError:
        return found(State.FAILED, f"No answer within {seconds:.0f} s: see whether it can be reached.")
    except Exception as error:  # a check that breaks says so, and the others go on
        return found(State.FAILED, f"{sentence(error)}.")
