"""References are what people see of an activity: `101203-T`, `10040-C`, `10040-C-A1.1` (GL-6, AMB-52)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

# PA-7's form. Lengths are bounded: references are read from strangers' mails and end in 64-bit columns.
PATTERN = re.compile(
    r"(?P<number>\d{1,18})-(?P<letter>T|C(?:-A(?P<step>\d{1,6})\.(?P<ordinal>\d{1,6}))?)",
    re.ASCII | re.IGNORECASE,
)


class ReferenceKind(StrEnum):
    """What a reference names."""

    TICKET = "ticket"
    CASE = "case"
    ACTION = "action"

    @property
    def phrase(self) -> str:
        """How an English sentence says that something is one."""
        return "an Action" if self is ReferenceKind.ACTION else f"a {self.capitalize()}"

    @property
    def plural(self) -> str:
        """How an English sentence speaks of several."""
        return f"{self.capitalize()}s"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A parsed reference; `str()` gives the canonical, upper-case form.

    `number` is the Ticket's or Case's. An Action has its Case's number, its step and its ordinal there.
    """

    number: int
    letter: str
    step: int | None = None
    ordinal: int | None = None

    @property
    def kind(self) -> ReferenceKind:
        if self.step is not None:
            return ReferenceKind.ACTION
        return ReferenceKind.TICKET if self.letter == "T" else ReferenceKind.CASE

    @property
    def case(self) -> "Reference | None":
        """The Case that an Action belongs to; None for Tickets and Cases."""
        return Reference(self.number, self.letter) if self.step is not None else None

    def __str__(self) -> str:
        action = f"-A{self.step}.{self.ordinal}" if self.step is not None else ""
        return f"{self.number}-{self.letter}{action}"


def ticket(number: int) -> Reference:
    """The reference of a Ticket, as in `101203-T`."""
    return Reference(number, "T")


def case(number: int) -> Reference:
    """The reference of a Case, as in `10040-C`."""
    return Reference(number, "C")


def action(case_number: int, step: int, ordinal: int) -> Reference:
    """The reference of an Action, as in `10040-C-A1.1`."""
    return Reference(case_number, "C", step, ordinal)


OF_NUMBER: Mapping[ReferenceKind, Callable[[int], Reference]] = {
    ReferenceKind.TICKET: ticket,
    ReferenceKind.CASE: case,
}
"""The kinds that have numbers of their own; an Action has that of its Case."""


def parse(text: str) -> Reference | None:
    """Read a reference in any case; None when `text` as a whole is none."""
    match = PATTERN.fullmatch(text)
    return _reference(match) if match else None


def _reference(match: re.Match[str]) -> Reference:
    letter = match["letter"][0].upper()
    if match["step"] is None:
        return Reference(int(match["number"]), letter)
    return Reference(int(match["number"]), letter, int(match["step"]), int(match["ordinal"]))
