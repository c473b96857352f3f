"""The events of Cases and Actions alone."""

from msgspec import Struct

from services.activity.domain.call_events import CallAnswered, Called
from services.activity.domain.course import Launched, SubCase
from services.activity.domain.family_events import Stamp
from services.activity.domain.links import Other
from services.activity.domain.task import Answered
from services.activity.domain.vocabulary import Reason


class StepEntered(Struct, frozen=True, kw_only=True):
    """A Case entered a step; those between it and the one before were passed over."""

    stamp: Stamp
    step: int


class ActionLaunched(Struct, frozen=True, kw_only=True):
    """A Case launched an Action, which says the same in its `Opened`."""

    stamp: Stamp
    launched: Launched


class ActionEnded(Struct, frozen=True, kw_only=True):
    """An Action of a Case ended, in the hands of `person`."""

    stamp: Stamp
    action: Other
    person: str | None = None


class AttentionMarked(Struct, frozen=True, kw_only=True):
    """A Case needs its owner's attention, and because of what; or no longer (C6, AMB-15)."""

    stamp: Stamp
    needed: bool
    because: str | None = None


class Reworked(Struct, frozen=True, kw_only=True):
    """A Case is done again from a step, or from one Action type of it; `ended` did not come to their end."""

    stamp: Stamp
    step: int
    action: str | None = None
    keeper: str | None = None
    ended: tuple[Other, ...] = ()


class ChecklistAnswered(Struct, frozen=True, kw_only=True):
    """Points of an Action's checklist were answered, or answered otherwise."""

    stamp: Stamp
    answers: tuple[Answered, ...]


class NotSent(Struct, frozen=True, kw_only=True):
    """An Action could not write by itself: there is nobody to write to, or nowhere to write from (A20)."""

    stamp: Stamp


class ReviewAsked(Struct, frozen=True, kw_only=True):
    """An Action is done, and somebody else has to look at it (A24)."""

    stamp: Stamp
    done_by: str | None


class SubCaseStarted(Struct, frozen=True, kw_only=True):
    """A Case started another one under it, which says the same in its `Opened` (C2)."""

    stamp: Stamp
    started: SubCase


class SubCaseEnded(Struct, frozen=True, kw_only=True):
    """A Sub-Case of a Case is closed (CA-4)."""

    stamp: Stamp
    sub_case: Other


class CaseNotStarted(Struct, frozen=True, kw_only=True):
    """An Action could not start the Case that it is for; `why` is a sentence."""

    stamp: Stamp
    why: str


class NoSubCase(Struct, frozen=True, kw_only=True):
    """There is no Sub-Case that an Action would wait for: not yet, or no longer (A22)."""

    stamp: Stamp
    reason: Reason


CaseEvent = (
    StepEntered
    | ActionLaunched
    | ActionEnded
    | AttentionMarked
    | Reworked
    | ChecklistAnswered
    | ReviewAsked
    | NotSent
    | SubCaseStarted
    | SubCaseEnded
    | CaseNotStarted
    | NoSubCase
    | Called
    | CallAnswered
)
