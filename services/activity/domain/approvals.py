"""Approvals: in which levels people are asked, who is asked at present, and what they said (A25)."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class Needed(StrEnum):
    """Whose approval a level wants."""

    ALL = "all"
    ONE = "one"


class ApprovalLevel(Struct, frozen=True):
    """Users who are asked together. Where `when` does not hold, the level is passed over."""

    approvers: tuple[str, ...]
    needed: Needed = Needed.ALL
    when: str | None = None


class AskedPerson(Struct, frozen=True):
    """A user who is to be asked, and the mail that asks him."""

    user: str
    mail: UUID


class Asking(Struct, frozen=True):
    """A level that is to be asked, counted from 1."""

    level: int
    people: tuple[AskedPerson, ...]


class Verdict(Struct, frozen=True):
    """What somebody said who was asked."""

    level: int
    by: str
    approved: bool
    at: datetime


class Round(Struct, frozen=True):
    """A round of asking, from the first level on.

    `level` is the one that was asked last, `approvers` are those who were asked in it and `mails` what was
    written to them, one each, in the same order. A new round voids whatever was asked and said before.
    """

    number: int
    level: int
    approvers: tuple[str, ...]
    mails: tuple[UUID, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Who was asked in this level and has not answered."""
        return tuple(each for each in self.approvers if self.verdict(each, self.level) is None)

    def verdict(self, user: str, level: int) -> Verdict | None:
        """What somebody said in a level."""
        return next((each for each in self.verdicts if (each.by, each.level) == (user, level)), None)

    def written_to(self, mail: UUID) -> str | None:
        """Who was asked by this mail, in this level."""
        pairs = zip(self.approvers, self.mails, strict=False)
        return next((user for user, sent in pairs if sent == mail), None)


def level_after(
    levels: tuple[ApprovalLevel, ...], level: int, met: Callable[[str | None], bool]
) -> int | None:
    """The next level behind this one whose condition holds, or None. Raises what `met` does."""
    return next((number for number, each in enumerate(levels, 1) if number > level and met(each.when)), None)
