"""Whether a dead letter can be put back where it stood, and through whose outbox. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from deploy.dead_letters.letter import Letter
from shared.offsets import Place
from shared.outbox import MAX_RECORD_BYTES, RecordTooLarge, Row, check_size, pack_headers
from shared.topics import DEAD_LETTERS, TOPICS, Topic

_TOPICS = {topic.name: topic for topic in TOPICS if topic.records is not None}


class NoWayBack(Exception):
    """The letter cannot be put back. The message is a sentence without the letter's name."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """`row` is the record as it was, for the partition where it stood, and for `service`'s outbox.

    That is the topic's producer, so that each topic keeps its one writer, with its transactions and its own
    history (`shared.relay_history`). For requests that anybody may write it is their reader.
    """

    service: str
    row: Row


def way_back(letter: Letter, prefix: str, there: Collection[Place]) -> WayBack:
    """Where the letter's record belongs. `there` are the partitions that exist. Raises `NoWayBack`."""
    if letter.original is None:
        raise NoWayBack("it does not say in which topic it stood")
    topic = _topic(letter.original.topic, prefix)
    if topic is None:
        raise NoWayBack(f"{letter.original.topic!r} is no topic of this Mailroom that holds records")
    if topic.compacted:
        raise NoWayBack(
            f"{letter.original.topic} keeps the newest record of a key, which an older one must not become; "
            "apply a changed configuration instead, whose version brings all sections anew"
        )
    if letter.original not in there:
        raise NoWayBack(f"{letter.original.topic} has no partition {letter.original.partition} any more")
    if not letter.headers and not letter.value:
        raise NoWayBack(
            "it was too large to be kept with its bytes; the record stands at offset "
            f"{letter.original_offset} of {letter.original.topic}/{letter.original.partition}"
        )
    row = Row(
        letter.original.topic,
        letter.key,
        letter.value,
        pack_headers(letter.headers),
        letter.original.partition,
    )
    try:
        check_size(row, MAX_RECORD_BYTES)
    except RecordTooLarge as error:
        raise NoWayBack(f"{error}") from error
    return WayBack(topic.producer if topic.producer in DEAD_LETTERS else letter.name.service, row)


def _topic(name: str, prefix: str) -> Topic | None:
    return _TOPICS.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
