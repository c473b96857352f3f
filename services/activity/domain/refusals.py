"""Refusals: the answer to a step that a rule forbids, for programs and for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from services.activity.domain.activity import Activity
from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.states import State
from services.activity.domain.steps import Opening, Step
from shared.references import Reference


class RefusalCode(StrEnum):
    """What kind of refusal it is."""

    CLOSED = "closed"
    """A closed activity never changes again (T38)."""
    CONFLICT = "conflict"
    """Somebody else was faster, or works on it (ST-22, ST-23)."""
    LATE_ANSWER = "late_answer"
    """An external system's answer came when the Action did not wait for it any more (A23)."""
    INCOMPLETE = "incomplete"
    """A guard failed; `missing` says what would have to be there."""
    INCOMPLETE_SPLIT = "incomplete_split"
    """Parts of a split are not there, or lack something; `missing` says which lacks what (T27)."""
    NO_MERGE_TARGET = "no_merge_target"
    """What it is to be merged into is itself, or does not run (AMB-48)."""
    NOT_ASKED = "not_asked"
    """Who answers is not asked for his approval at present, or has answered already (A25)."""
    NOT_ALLOWED = "not_allowed"
    """The table has no such row."""


class Missing(StrEnum):
    """What a guard found missing."""

    TITLE = "title"
    DESCRIPTION = "description"
    CATEGORY = "category"
    PRIMARY_CONTACT = "primary_contact"
    REQUESTER = "requester"
    KNOWN_CATEGORY = "known_category"
    STARTABLE_PROCESS = "startable_process"
    RESOURCE = "resource"
    ASSIGNMENT = "assignment"
    DAYS = "days"
    FUTURE_TIME = "future_time"
    NEARER_TIME = "nearer_time"
    USER_METHOD = "user_method"
    RESOLUTION = "resolution_mail_or_note"
    PERSON = "person"
    ROBOT = "robot"
    WORK_OF_HIS = "work_of_his"
    KNOWN_WAIT_REASON = "known_wait_reason"
    RATING = "rating"
    DUE_DATE_BY_HAND = "due_date_by_hand"
    PARTS = "parts"
    OTHER_TICKET = "another_ticket"
    RUNNING_TICKET = "running_ticket"
    STEPS = "steps"
    WAIT_REASON = "wait_reason"
    ACTION_BY_HAND = "action_by_hand"
    EARLIER_STEP = "earlier_step"
    ACTION_OF_STEP = "action_of_step"
    KNOWN_POINT = "known_point"
    REASON = "reason"
    ANOTHER_PERSON = "another_person"
    PROGRAM = "program"
    BEING_ASKED = "being_asked"
    COMMENT = "comment"
    APPROVERS = "approvers"

    @property
    def phrase(self) -> str:
        """How an English sentence names it."""
        return _PHRASES[self]


class MissingThing(str):
    """Something of the activity's own that is missing; `phrase` is how an English sentence names it."""

    phrase: str

    @classmethod
    def _called(cls, name: str, phrase: str) -> Self:
        made = super().__new__(cls, name)
        made.phrase = phrase
        return made


class MissingField(MissingThing):
    """A mandatory custom field that nothing stands in: `fields.<name>` (BK-16)."""

    def __new__(cls, name: str, called: str) -> Self:
        return cls._called(f"fields.{name}", f"a value for {called!r}")


class MissingOfPart(MissingThing):
    """What a part of a split lacks, counted from 1: `parts.<number>.<what>` (T27)."""

    def __new__(cls, number: int, lack: Missing) -> Self:
        return cls._called(f"parts.{number}.{lack}", f"{lack.phrase} for part {number}")


class StillOpen(MissingThing):
    """What has to be closed first (AMB-46, CA-4): `actions.<reference>`, `cases.<reference>`."""

    def __new__(cls, reference: Reference) -> Self:
        return cls._called(f"{reference.kind.plural.lower()}.{reference}", f"the end of {reference}")


class MissingAnswer(MissingThing):
    """A point of a checklist without an answer (A10): `checklist.<point>`."""

    def __new__(cls, point: str) -> Self:
        return cls._called(f"checklist.{point}", f"an answer to {point!r}")


Lack = Missing | MissingThing
"""What a guard or check found missing."""

_PHRASES = {
    Missing.TITLE: "a title",
    Missing.DESCRIPTION: "a description",
    Missing.CATEGORY: "a category",
    Missing.PRIMARY_CONTACT: "a primary contact",
    Missing.REQUESTER: "a requester",
    Missing.KNOWN_CATEGORY: "a category that the process has",
    Missing.STARTABLE_PROCESS: "a process that is live and can be started",
    Missing.RESOURCE: "a user or robot who takes it",
    Missing.ASSIGNMENT: "its assignment to you",
    Missing.DAYS: "a number of days, at least one",
    Missing.FUTURE_TIME: "a time in the future",
    Missing.NEARER_TIME: "a time within ten years",
    Missing.USER_METHOD: "a resolution method that a user may choose",
    Missing.DUE_DATE_BY_HAND: "a due-date rule that lets people set the date",
    Missing.RESOLUTION: "a resolution mail or internal note of yours since you took it up",
    Missing.PERSON: "a person, for whom it is marked",
    Missing.STEPS: "steps of its process",
    Missing.WAIT_REASON: "one of the process's wait reasons",
    Missing.ACTION_BY_HAND: "an Action that people may launch",
    Missing.EARLIER_STEP: "a step that it has come to",
    Missing.ACTION_OF_STEP: "an Action of that step",
    Missing.KNOWN_POINT: "points that its checklist has",
    Missing.REASON: "a reason",
    Missing.ANOTHER_PERSON: "somebody else than who did it",
    Missing.PROGRAM: "an integration or a robot (people complete it, or give it up)",
    Missing.BEING_ASKED: "being asked for it, with the answer still to come",
    Missing.COMMENT: "a comment that says why",
    Missing.APPROVERS: "somebody who can be asked, and a mail that asks",
    Missing.ROBOT: "a robot",
    Missing.WORK_OF_HIS: "its being the work of who does it",
    Missing.KNOWN_WAIT_REASON: "a wait reason that the process has",
    Missing.RATING: "a rating from 1 to 5",
    Missing.PARTS: "at least two parts",
    Missing.OTHER_TICKET: "another Ticket to merge it with",
    Missing.RUNNING_TICKET: "a Ticket to merge it with that is running",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A step that was not done, and why.

    `sentence` says it in English. `version` and `holder` are the activity's present ones, where it exists.
    """

    code: RefusalCode
    state: State
    step: str
    sentence: str
    missing: tuple[Lack, ...] = ()
    version: int | None = None
    holder: str | None = None


def no_such_row(activity: Activity | None, state: State, step: Step | type[Step]) -> Refusal:
    """The table has no row for this state and step (T38 for what is closed, A23 for an answer too late)."""
    name = _name(activity, step)
    call = activity.task.call if activity and activity.task else None
    if call and isinstance(step, AnswerCall):
        sentence = (
            f"{name} waits for no answer to attempt {step.attempt} any more:"
            f" it is {state.label}, and attempt {call.attempt} was its last."
        )
        return _refusal(RefusalCode.LATE_ANSWER, activity, state, step, sentence)
    if state is State.CLOSED:
        return _refusal(
            RefusalCode.CLOSED, activity, state, step, f"{name} is Closed and never changes again."
        )
    if activity is None:
        sentence = f"What does not exist cannot be {step.participle}."
    else:
        sentence = f"{name} cannot be {step.participle} while it is {state.label}."
    return _refusal(RefusalCode.NOT_ALLOWED, activity, state, step, sentence)


def lacking(
    activity: Activity | None, state: State, step: Step | type[Step], missing: Iterable[Lack]
) -> Refusal:
    """A row was there, and its guards found these missing."""
    missing = tuple(missing)
    name, phrases = _name(activity, step), ", ".join(lack.phrase for lack in missing)
    sentence = f"{name} cannot be {step.participle} without {phrases}."
    if Missing.ASSIGNMENT not in missing:
        return _refusal(_code(missing), activity, state, step, sentence, missing)
    if activity and activity.holders.person:
        sentence = f"{sentence[:-1]}: {activity.holders.person} works on it."
    return _refusal(RefusalCode.CONFLICT, activity, state, step, sentence, missing)


def out_of_date(activity: Activity, step: Step, expected: int) -> Refusal:
    """Somebody was faster (ST-23)."""
    holder = activity.holders.person
    held = f" {holder} has it." if holder else ""
    sentence = (
        f"{activity.reference} cannot be {step.participle}: it is {activity.state.label} at version"
        f" {activity.version} now, and you have seen version {expected}.{held}"
    )
    return _refusal(RefusalCode.CONFLICT, activity, activity.state, step, sentence)


def _refusal(
    code: RefusalCode,
    activity: Activity | None,
    state: State,
    step: Step | type[Step],
    sentence: str,
    missing: tuple[Lack, ...] = (),
) -> Refusal:
    return Refusal(
        code=code,
        state=state,
        step=step.name,
        sentence=sentence,
        missing=missing,
        version=activity.version if activity else None,
        holder=activity.holders.person if activity else None,
    )


def _code(missing: tuple[Lack, ...]) -> RefusalCode:
    if any(isinstance(lack, MissingOfPart) or lack is Missing.PARTS for lack in missing):
        return RefusalCode.INCOMPLETE_SPLIT
    if Missing.BEING_ASKED in missing:
        return RefusalCode.NOT_ASKED
    if Missing.OTHER_TICKET in missing or Missing.RUNNING_TICKET in missing:
        return RefusalCode.NO_MERGE_TARGET
    return RefusalCode.INCOMPLETE


def _name(activity: Activity | None, step: Step | type[Step]) -> str:
    if activity:
        return str(activity.reference)
    return str(step.reference) if isinstance(step, Opening) else "It"
