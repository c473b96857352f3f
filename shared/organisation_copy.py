"""What `activity.organisation.v1` says, as a service keeps it, and whether it has all of it (design §10).

A record names the version that decided about it, and may be read before that version. Late is not never:
activity says both through one outbox, the version first. So once a database knows all that stood in the topic
at a moment after the record was read, a version that it lacks was never announced.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import TopicPartition

from shared import offsets, relay_store
from shared.contracts.activity_organisation import OrganisationApplied, OrganisationRecord, Section
from shared.contracts.record import Record
from shared.failure import SendersFault
from shared.kafka_access import KafkaAccess
from shared.logs import get_logger
from shared.offsets import Place
from shared.onlooker import onlooker
from shared.postgres import Connection, columns
from shared.topic_plan import TopicError
from shared.topics import ACTIVITY_ORGANISATION
from shared.unit_of_work import Batch

ASK_SECONDS = 5.0

Known = Callable[[Connection, Place], Awaitable[int]]
"""Below which offset of the topic a database knows everything."""

log = get_logger(__name__)


class NeverAnnounced(SendersFault):
    """A record names an organisation, or a version of its configuration, that does not exist."""

    def __init__(self, organisation: str, version: int = 0) -> None:
        super().__init__(
            f"{called(organisation, version)} was never announced; put the record back when it was applied"
        )


def called(organisation: str, version: int) -> str:
    """What people call a version; 0 stands for any."""
    return f"{f'version {version} of ' if version else ''}the configuration of {organisation!r}"


class Announcements:
    """How much of `activity.organisation.v1` this service knows."""

    def __init__(self, kafka: KafkaAccess, topic_prefix: str, known: Known) -> None:
        """`known` is `copied` or `published`."""
        self._kafka = kafka
        self._place = Place(topic_prefix + ACTIVITY_ORGANISATION.name, 0)
        self._known = known

    async def all_known(self, connection: Connection) -> bool:
        """Whether all that stands in the topic at this moment is known; False if Kafka does not say."""
        try:
            end = await self._end()
        except TopicError as error:
            log.warning("the end of a topic is not known", topic=self._place.topic, reason=str(error))
            return False
        return end <= await self._known(connection, self._place)

    async def _end(self) -> int:
        """Behind the last record, committed or not.

        Kafka commits a transaction partition by partition: a record may be readable a moment before the
        version that the same transaction holds, which would be missing from what is committed.
        """
        partition = TopicPartition(*self._place)
        async with onlooker(self._kafka, committed=False, patience=ASK_SECONDS) as consumer:
            async with asyncio.timeout(ASK_SECONDS):
                end: int = (await consumer.end_offsets([partition]))[partition]
        return end


def copied(consumer: str) -> Known:
    """What a consumer with `on_organisation` has worked on: for services that keep a copy."""

    async def known(connection: Connection, place: Place) -> int:
        return (await offsets.stored(connection, consumer, [place.topic])).get(place, 0)

    return known


async def published(connection: Connection, place: Place) -> int:
    """What the relay has published: for activity, whose own they are.

    Behind the last record stands the marker that committed it; whatever comes after that is not in this
    database. It is about to be noted, or it was said by a future that a restored backup has lost.
    """
    last = (await relay_store.progress(connection)).get(place)
    return 0 if last is None else last + 2


async def on_organisation(batch: Batch[OrganisationRecord]) -> None:
    """Keep this service's copy: the handler of `activity.organisation.v1`."""
    await store(
        batch.connection,
        [(incoming.envelope.organisation, incoming.message) for incoming in batch.records],
    )


async def store(connection: Connection, records: Sequence[tuple[str, Record]]) -> None:
    """Keep sections and applied versions, given as (organisation, record).

    A repeated or older record changes nothing. Sections that no version in use needs are dropped.
    """
    sections = [
        (organisation, record.type, record.version, record.model_dump(mode="json"))
        for organisation, record in records
        if isinstance(record, Section)
    ]
    applied = [
        (organisation, record.version, record.digest)
        for organisation, record in records
        if isinstance(record, OrganisationApplied)
    ]
    await connection.execute(
        """
        INSERT INTO organisation_sections (organisation, section, version, content)
        SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::jsonb[])
        ON CONFLICT DO NOTHING
        """,
        *columns(sections, 4),
    )
    if not applied:
        return
    await connection.execute(
        """
        INSERT INTO organisation_applied AS known (organisation, version, digest)
        SELECT DISTINCT ON (organisation) * FROM unnest($1::text[], $2::int[], $3::text[])
            AS new (organisation, version, digest)
        ORDER BY organisation, version DESC
        ON CONFLICT (organisation) DO UPDATE
        SET version = excluded.version, digest = excluded.digest, applied_at = now()
        WHERE known.version < excluded.version
        """,
        *columns(applied, 3),
    )
    await connection.execute(
        """
        DELETE FROM organisation_sections AS old
        USING organisation_applied AS applied, organisation_sections AS newer
        WHERE applied.organisation = old.organisation AND newer.organisation = old.organisation
          AND newer.section = old.section
          AND old.version < newer.version AND newer.version <= applied.version
          AND old.organisation = ANY($1::text[])
        """,
        [organisation for organisation, _, _ in applied],
    )
