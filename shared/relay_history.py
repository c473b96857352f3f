"""Does the database know all that its service has said? Not after an older backup was restored (design §2).

Behind the last offset that was noted there may stand what a relay published just before it died: that is
still in the outbox, byte for byte. Anything else was said by a future that this database has lost. What
others wrote there in spite of all is none of our history: records tell by their source.
"""

from aiokafka import TopicPartition

from shared import relay_store, topic_plan
from shared.contracts.dead_letters import ORIGINAL_TOPIC
from shared.contracts.envelope import source_of
from shared.kafka_access import KafkaAccess
from shared.offsets import Place
from shared.onlooker import Seen, onlooker, pages
from shared.outbox import pack_headers
from shared.relay_store import PAGE_BYTES, Connection
from shared.topics import TOPICS

_PAGE_RECORDS = 1000
_Said = tuple[str, bytes | None, bytes | None, str]


class HistoryLost(Exception):
    """The topics hold records of ours that this database knows nothing of. The message is a sentence."""


async def require_own_history(
    connection: Connection, service: str, kafka: KafkaAccess, prefix: str, rows: int
) -> None:
    """Raise `HistoryLost` when a topic that this service alone writes holds records that it does not know.

    `rows` is more than can have been published without being noted. Another process may be publishing.
    """
    own = [prefix + topic.name for topic in TOPICS if topic.producer == service]
    async with topic_plan.connected(kafka) as cluster:
        places = {TopicPartition(*place) for place in await cluster.places(own)}
    if not places:
        return
    noted = await relay_store.progress(connection)
    async with onlooker(kafka) as consumer:
        begin, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        starts = {tp: max(begin[tp], noted.get(Place(tp.topic, tp.partition), -1) + 1) for tp in places}
        said: dict[_Said, tuple[Place, int]] = {}
        async for page in pages(consumer, starts, end, _PAGE_RECORDS):
            ours = (record for record in page if is_ours(record, service))
            said |= {_record(each): (Place(each.topic, each.partition), each.offset) for each in ours}
            if len(said) > rows:
                break
    unknown = await _unknown(connection, said, rows) if said else None
    if unknown is not None:
        raise HistoryLost(
            f"{unknown} holds records of {service} that its database does not know: was a backup restored? "
            f"Stop it and run `mailroom recover --service {service}`: nothing is said until then."
        )


async def _unknown(connection: Connection, said: dict[_Said, tuple[Place, int]], rows: int) -> str | None:
    """A topic with something that waits nowhere in the outbox, however much stands in front of it now."""
    after, page = 0, await relay_store.page(connection, 0, rows, PAGE_BYTES)
    while page and said:
        for row in page:
            said.pop((row.topic, row.key, row.value, row.headers), None)
        after = page[-1].id
        page = await relay_store.page(connection, after, rows, PAGE_BYTES)
    # What another process published meanwhile has left the outbox and is noted, both at once.
    noted = await relay_store.progress(connection) if said else {}
    return next((place.topic for place, offset in said.values() if offset > noted.get(place, -1)), None)


def is_ours(record: Seen, service: str) -> bool:
    """A dead letter bears the source of the record that it was, but nobody else writes those headers."""
    found = dict(record.headers)
    return found.get("ce_source") == source_of(service).encode() or ORIGINAL_TOPIC in found


def _record(record: Seen) -> _Said:
    return record.topic, record.key, record.value, pack_headers(record.headers)
