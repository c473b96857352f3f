"""Steps that tie an activity to others: links, and mails that leave it or come to it (section 10)."""

from dataclasses import dataclass
from uuid import UUID

from services.activity.domain.links import Departure, Link
from services.activity.domain.steps import Step


@dataclass(frozen=True, slots=True)
class LinkWith(Step):
    """Link it with others, loosely (LK-2). Each of those takes the same step (LK-4)."""

    name = "link"
    participle = "linked"
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Unlink(Step):
    """Take links away (LK-3). Each of the others takes the same step."""

    name = "unlink"
    participle = "unlinked"
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class ShareMail(Step):
    """Let a mail of it stand on these others, too, which it is linked with (SH-1)."""

    name = "share_mail"
    participle = "shared from"
    mail: UUID
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class TakeSharedMail(Step):
    """A mail of another one stands on it from now on (SH-1)."""

    name = "shared_mail"
    participle = "given a shared mail"
    mail: UUID
    link: Link


@dataclass(frozen=True, slots=True)
class StartNew(Step):
    """Begin a new activity with a mail that was appended wrongly (CE-3)."""

    name = "new_from_mail"
    participle = "left by a mail"
    mail: UUID


@dataclass(frozen=True, slots=True)
class MarkDeparture(Step):
    """What came of a new activity that was asked for (CE-7)."""

    name = "departure"
    participle = "told what came of a mail"
    departure: Departure
