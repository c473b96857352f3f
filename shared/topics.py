"""Every topic of Mailroom in one table: what is in it, who writes it, how it is kept.

`mailroom topics plan|apply` makes a cluster agree with it. A topic's full name is the deployment's prefix
and `name`; a record's key is `<organisation>/<what the topic keys by>`.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, get_args

from pydantic import TypeAdapter

from shared.contracts.activity_activities import ActivityEvent
from shared.contracts.activity_answers import ActivityAnswer
from shared.contracts.activity_calls import ActivityCall
from shared.contracts.activity_contacts import ContactRecord
from shared.contracts.activity_organisation import OrganisationRecord
from shared.contracts.activity_requests import ActivityRequest
from shared.contracts.ingest_mails import IngestMail
from shared.contracts.ingest_requests import IngestRequest
from shared.contracts.notify_mails import NotifyMail
from shared.contracts.notify_requests import NotifyRequest
from shared.contracts.record import Record, types_of

FOREVER: timedelta | None = None


@dataclass(frozen=True)
class Topic:
    """One topic. `records` is its discriminated union; a dead-letter topic has None and keeps raw bytes.

    Records of a topic of `requests` ask for something: what its reader does not know is refused, and not
    passed over like an event. `answered_on` is where the answers stand, under the request's `ce_id` as their
    `ce_causationid`.
    """

    name: str
    key: str
    partitions: int
    retention: timedelta | None
    producer: str
    records: Any = None
    compacted: bool = False
    requests: bool = False
    answered_on: "Topic | None" = None

    @cached_property
    def models(self) -> dict[str, type[Record]]:
        """The record types by the name that `ce_type` carries; one may go by several (`case.noted`)."""
        if self.records is None:
            return {}
        union = get_args(self.records)[0] if get_args(self.records) else self.records
        members = get_args(union) or (union,)
        return {name: member for member in members for name in types_of(member)}

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the union."""
        return TypeAdapter(self.records).json_schema()

    def key_for(self, organisation: str, key: str) -> str:
        """The record key of something in an organisation."""
        return f"{organisation}/{key}"


INGEST_MAILS = Topic(
    name="ingest.mails.v1",
    key="conversation",
    partitions=12,
    retention=timedelta(days=30),
    producer="ingest",
    records=IngestMail,
)
INGEST_REQUESTS = Topic(
    name="ingest.requests.v1",
    key="conversation",
    partitions=12,
    retention=timedelta(days=30),
    producer="activity",
    records=IngestRequest,
    requests=True,
)
ACTIVITY_ANSWERS = Topic(
    name="activity.answers.v1",
    key="the request's id",
    partitions=12,
    retention=timedelta(days=30),
    producer="activity",
    records=ActivityAnswer,
)
ACTIVITY_REQUESTS = Topic(
    name="activity.requests.v1",
    key="the reference, or the request's id where there is none yet",
    partitions=12,
    retention=timedelta(days=30),
    producer="anyone allowed to",
    records=ActivityRequest,
    requests=True,
    answered_on=ACTIVITY_ANSWERS,
)
ACTIVITY_ACTIVITIES = Topic(
    name="activity.activities.v1",
    key="the activity's id",
    partitions=12,
    retention=FOREVER,
    producer="activity",
    records=ActivityEvent,
)
ACTIVITY_CALLS = Topic(
    name="activity.calls.v1",
    key="the Action's id",
    partitions=12,
    retention=timedelta(days=30),
    producer="activity",
    records=ActivityCall,
)
ACTIVITY_ORGANISATION = Topic(
    name="activity.organisation.v1",
    key="the section's name",
    partitions=1,
    retention=FOREVER,
    producer="activity",
    records=OrganisationRecord,
    compacted=True,
)
ACTIVITY_CONTACTS = Topic(
    name="activity.contacts.v1",
    key="the contact's id",
    partitions=12,
    retention=FOREVER,
    producer="activity",
    records=ContactRecord,
    compacted=True,
)
NOTIFY_MAILS = Topic(
    name="notify.mails.v1",
    key="conversation",
    partitions=12,
    retention=timedelta(days=30),
    producer="notify",
    records=NotifyMail,
)
NOTIFY_REQUESTS = Topic(
    name="notify.requests.v1",
    key="conversation",
    partitions=12,
    retention=timedelta(days=30),
    producer="activity",
    records=NotifyRequest,
    requests=True,
    answered_on=NOTIFY_MAILS,
)


def dead_letters(service: str) -> Topic:
    """Where a service puts what it could not work on."""
    return Topic(
        name=f"{service}.dlq.v1",
        key="the original key",
        partitions=1,
        retention=timedelta(days=90),
        producer=service,
    )


DEAD_LETTERS = {service: dead_letters(service) for service in ("ingest", "activity", "notify")}

TOPICS: tuple[Topic, ...] = (
    INGEST_MAILS,
    INGEST_REQUESTS,
    ACTIVITY_REQUESTS,
    ACTIVITY_ANSWERS,
    ACTIVITY_ACTIVITIES,
    ACTIVITY_CALLS,
    ACTIVITY_ORGANISATION,
    ACTIVITY_CONTACTS,
    NOTIFY_REQUESTS,
    NOTIFY_MAILS,
    *DEAD_LETTERS.values(),
)
