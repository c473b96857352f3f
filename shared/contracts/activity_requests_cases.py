"""What others ask of activity about Cases and Actions alone."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.activity_cases import CallOutcome, PointAnswered
from shared.contracts.asking import CustomFields, OnActivity, Text, Title
from shared.contracts.record import Instant, Name, Storable

Point = Annotated[str, StringConstraints(min_length=1, max_length=500), Storable]


class CaseWait(OnActivity):
    """Wait for more information, for as long as it takes (C11, A4).

    `reason` is one of the process's wait reasons; a Case has to say one (AMB-47).
    """

    type: Literal["case.wait", "action.wait"] = "case.wait"
    reason: Name | None = None


class CasePause(OnActivity):
    """Halt a Case until somebody lets it go on: nothing is launched meanwhile (C13, CA-3)."""

    type: Literal["case.pause"] = "case.pause"


class CaseResolve(OnActivity):
    """Resolve a Case whose Actions are all closed (C18, C20, AMB-46)."""

    type: Literal["case.resolve"] = "case.resolve"


class CaseLaunch(OnActivity):
    """Launch an Action by hand, in as many copies as wanted (CA-6, C10).

    Its process has to let people launch it. Whoever asks need not have the Case (ST-22).
    """

    type: Literal["case.launch"] = "case.launch"
    action: Name
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    due: Instant | None = None
    instructions: Text | None = None


class CaseStartSubCase(OnActivity):
    """Start a Case of another process under this one, which is not over before that is (CA-4, CA-7).

    It is called after the Case unless a `title` says otherwise. Contacts, custom fields, links and files are
    those of the Case. Its process is of the same company, and none of the Cases above is of it.
    """

    type: Literal["case.start_sub_case"] = "case.start_sub_case"
    process: Name
    title: Title | None = None
    description: Text | None = None
    due: Instant | None = None


class CaseRework(OnActivity):
    """Do a Case again from a step that it has come to, or from one Action of that step (C17).

    All Actions that run are ended, and copies launched; those that people launched by hand only with
    `by_hand_too`, and Sub-Cases that run only with `sub_cases_too`. They go to who did them before, or with
    `keep_with_me` to who asks.
    """

    type: Literal["case.rework"] = "case.rework"
    step: Annotated[int, Field(ge=1)]
    action: Name | None = None
    by_hand_too: bool = False
    keep_with_me: bool = False
    sub_cases_too: bool = False


class CaseAbandon(OnActivity):
    """End a Case as it is, and all its Actions and Sub-Cases (C23, AMB-51)."""

    type: Literal["case.abandon"] = "case.abandon"


class ActionAnswerChecklist(OnActivity):
    """Answer points of an Action's checklist; a point may be answered otherwise later (A10)."""

    type: Literal["action.answer_checklist"] = "action.answer_checklist"
    answers: Annotated[tuple[PointAnswered, ...], Field(min_length=1, max_length=200)]


class ActionComplete(OnActivity):
    """An Action is done, and its checklist answered (A10). What is to be reviewed goes to others (A24)."""

    type: Literal["action.complete"] = "action.complete"


class ActionGiveUp(OnActivity):
    """An Action cannot be done, and why: its Case needs attention (A11, C6)."""

    type: Literal["action.give_up"] = "action.give_up"
    reason: Text


class ActionAnswerCall(OnActivity):
    """A connector says what became of a call to an external system (A23).

    `attempt` is that of the call: an answer to another one, or to an Action that has gone on, is refused
    (`late_answer`). `fields` are written on the Case before it goes on. People complete the Action instead,
    or give it up.
    """

    type: Literal["action.answer_call"] = "action.answer_call"
    attempt: Annotated[int, Field(ge=1)]
    outcome: CallOutcome
    detail: Text | None = None
    fields: CustomFields = Field(default_factory=dict)
