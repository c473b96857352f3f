"""Who reads which topic: one table, so that `mailroom topics apply` can register every consumer's beginning.

Each line is a `Subscription` in that service's `app.py`; a test holds the two together.
"""

from dataclasses import dataclass
from datetime import timedelta

from shared.topics import (
    ACTIVITY_ORGANISATION,
    ACTIVITY_REQUESTS,
    DEAD_LETTERS,
    INGEST_MAILS,
    INGEST_REQUESTS,
    NOTIFY_MAILS,
    NOTIFY_REQUESTS,
    Topic,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """One consumer group: `consumer` is `<service>.<noun>`."""

    service: str
    consumer: str
    topic: Topic


READERS: tuple[Reader, ...] = (
    Reader("ingest", "ingest.organisation", ACTIVITY_ORGANISATION),
    Reader("ingest", "ingest.requests", INGEST_REQUESTS),
    Reader("activity", "activity.mails", INGEST_MAILS),
    Reader("activity", "activity.requests", ACTIVITY_REQUESTS),
    Reader("activity", "activity.deliveries", NOTIFY_MAILS),
    Reader("notify", "notify.organisation", ACTIVITY_ORGANISATION),
    Reader("notify", "notify.requests", NOTIFY_REQUESTS),
)

LONGEST_KEPT: timedelta = max(
    reader.topic.retention for reader in READERS if reader.topic.retention is not None
)
"""How long a topic with an end keeps what was said."""

LONGEST_REPEATED: timedelta = max(
    LONGEST_KEPT, *(topic.retention for topic in DEAD_LETTERS.values() if topic.retention is not None)
)
"""For how long a record can come again, if only as a dead letter that is put back."""
