"""What every record of `activity.activities.v1` has in common."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.contracts.asking import Actor
from shared.contracts.record import Instant, Part, Record, Reference


class ActivityRecord(Record):
    """What every record about an activity carries.

    `version` grows by one with each record of an activity, without a gap; `rule` is the row of the
    transition table that led here (`T13`). `configuration` is the version that it was decided with; it is
    missing in records that an older activity wrote.
    """

    activity: UUID
    reference: Reference
    version: Annotated[int, Field(ge=1)]
    at: Instant
    actor: Actor
    rule: str
    configuration: int | None = None


class OtherActivity(Part):
    """Another activity, by its id and reference."""

    activity: UUID
    reference: Reference
