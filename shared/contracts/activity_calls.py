"""What Actions ask of external systems (`activity.calls.v1`), with all that a connector needs to do it.

What stands in custom fields is personal data, so that it is no part of the events, which are kept for ever.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from shared.contracts.activity_record import OtherActivity
from shared.contracts.record import Instant, Name, Record, Reference


class CallMade(Record):
    """An Action calls an external system, and waits for `action.answer_call` until `answer_by` (A23).

    `action.called` says the same on `activity.activities.v1`, without title and fields. These are the Case's
    as they were then.
    """

    type: Literal["call.made"] = "call.made"
    call: Name
    activity: UUID
    reference: Reference
    case: OtherActivity
    process: Name
    title: str
    fields: dict[Name, StrictBool | StrictInt | str]
    attempt: Annotated[int, Field(ge=1)]
    at: Instant
    answer_by: Instant


ActivityCall = CallMade
