"""The steps of an Action that calls an external system, and what the answer does to its Case (A23)."""

from dataclasses import dataclass

from services.activity.domain.steps import Edit, Step
from services.activity.domain.vocabulary import CallOutcome
from shared.field_values import FieldValue


@dataclass(frozen=True, slots=True)
class CallOut(Step):
    """It calls its external system by itself, as soon as it is launched."""

    name = "call_out"
    participle = "sent to its external system"


@dataclass(frozen=True, slots=True)
class AnswerCall(Step):
    """A connector says what became of a try, the `attempt`-th of all.

    With `detail` a note has its words; its id is the context's `effect`. `fields` are the Case's.
    """

    name = "answer_call"
    participle = "answered for its external system"
    attempt: int
    outcome: CallOutcome
    detail: bool = False
    fields: tuple[FieldValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeFields(Edit):
    """What came with an answer to one of its Actions stands in its custom fields from now on."""

    name = "take_fields"
    participle = "given values of custom fields"
