"""What is drawn of a process, or of a Case on its way through it (`drawing.py`)."""

from dataclasses import dataclass
from enum import StrEnum


class Look(StrEnum):
    """How an Action or a step stands in its Case."""

    PLANNED = "planned"
    PASSED_OVER = "passed_over"
    LAUNCHED = "launched"
    RUNS = "runs"
    WAITS = "waits"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    """It was ended before it was done."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """An Action: `lines` are what is known of it, `outcome` how it stands in words."""

    title: str
    look: Look = Look.PLANNED
    reference: str = ""
    tag: str = ""
    when: str | None = None
    lines: tuple[str, ...] = ()
    outcome: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A step. Each lane is an Action: what was done again stands under what it was before."""

    title: str
    when: str | None = None
    look: Look = Look.PLANNED
    lanes: tuple[tuple[Box, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is drawn. `beside` are boxes that stand in no step, under a title; `ended` fills the end."""

    title: str
    subtitle: str = ""
    attention: str = ""
    columns: tuple[Column, ...] = ()
    beside: tuple[Box, ...] = ()
    beside_title: str = ""
    ended: bool = False
    foot: str = ""
