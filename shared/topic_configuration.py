"""What Kafka has to know about our topics: how long it keeps records, how large they are, how many copies."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from shared.outbox import MAX_DEAD_LETTER_BYTES, MAX_RECORD_BYTES
from shared.readers import LONGEST_REPEATED
from shared.topics import TOPICS, Topic

REPLICAS = 3
"""Copies of each partition, or as many as there are brokers."""
BATCH_OVERHEAD_BYTES = 64 * 1024

# What was said of a key before is gone within days, also of somebody who was erased; the tombstone is there
# for as long as anything may be read again, as after a backup was restored.
_COMPACTED = {
    "max.compaction.lag.ms": str(int(timedelta(days=1).total_seconds() * 1000)),
    "delete.retention.ms": str(int(LONGEST_REPEATED.total_seconds() * 1000)),
}


def configuration(topic: Topic) -> dict[str, str]:
    """What Kafka has to know about a topic. Retention is in ms, -1 for ever."""
    milliseconds = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
    # A dead letter is a record of full size and the reason why it is dead.
    largest = MAX_RECORD_BYTES if topic.records is not None else MAX_DEAD_LETTER_BYTES
    return {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(milliseconds),
        "max.message.bytes": str(largest + BATCH_OVERHEAD_BYTES),
        **(_COMPACTED if topic.compacted else {}),
    }


def confirmed_by(replicas: int) -> dict[str, str]:
    """Of three copies, two hold what Kafka confirms: its default is one, which may be what is lost."""
    return {"min.insync.replicas": str(replicas - 1)} if replicas >= REPLICAS else {}


def kept_for(days: int, topics: Iterable[Topic] = TOPICS) -> tuple[Topic, ...]:
    """The table, or some of it, with so many days at least for what is not kept for ever."""
    return tuple(
        topic if topic.retention is None else replace(topic, retention=max(topic.retention, timedelta(days)))
        for topic in topics
    )
