"""Does the database know all that its service has said? Not after an older backup was restored (design §2).

Behind the last offset that was noted there may stand what a relay published just before it died: that is
still in the outbox, byte for byte. Anything else was said by a future that this database has lost.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared import relay_store, topic_plan
from shared.outbox import pack_headers
from shared.relay_store import PAGE_BYTES, Connection
from shared.topics import TOPICS

_Said = tuple[str, bytes | None, bytes | None, str]


async def require_own_history(
    connection: Connection, service: str, bootstrap: str, prefix: str, rows: int
) -> str | None:
    """The name of a topic, written by this service alone, with records it does not know; None if all is well.

    `rows` is how many rows at the outbox's beginning can have been published without being noted.
    """
    own = [prefix + topic.name for topic in TOPICS if topic.producer == service]
    async with topic_plan.connected(bootstrap) as cluster:
        places = {TopicPartition(*place) for place in await cluster.places(own)}
    if not places:
        return None
    consumer: AIOKafkaConsumer[Any, Any] = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    try:
        noted = await relay_store.progress(connection)
        begin, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        starts = {tp: max(begin[tp], noted.get((tp.topic, tp.partition), -1) + 1) for tp in places}
        behind = {tp for tp in places if starts[tp] < end[tp]}
        if not behind:
            return None
        waiting = await relay_store.page(connection, 0, rows, 4 * PAGE_BYTES)
        known = {(row.topic, row.key, row.value, row.headers) for row in waiting}
        consumer.assign(behind)
        for tp in behind:
            consumer.seek(tp, starts[tp])
        while behind := {tp for tp in behind if await consumer.position(tp) < end[tp]}:
            found = await consumer.getmany(*behind, timeout_ms=200, max_records=1000)
            for tp, records in found.items():
                if any(_record(record) not in known for record in records if record.offset < end[tp]):
                    return str(tp.topic)
        return None
    finally:
        await consumer.stop()


def _record(record: "ConsumerRecord[bytes | None, bytes | None]") -> _Said:
    return record.topic, record.key, record.value, pack_headers(record.headers)
