"""One dead letter: what it was, where it stood, why it died. Pure; reading a broken one never raises."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import pydantic_core

from shared.contracts import dead_letters
from shared.contracts.envelope import Headers
from shared.decoding import STRUCTURED
from shared.failure import RawRecord
from shared.offsets import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"([a-z]+)/(\d{1,9})/(\d{1,18})")
_REASONS = frozenset(
    value for name, value in vars(dead_letters).items() if name.isupper() and isinstance(value, str)
)


class NotALetter(ValueError):
    """What was typed names no dead letter. The message is a sentence."""


class LetterName(NamedTuple):
    """What people call a letter by: `activity/0/17`, service, partition and offset of its topic."""

    service: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.service}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str, services: Sequence[str]) -> "LetterName":
        """Raises `NotALetter`."""
        match = _NAME.fullmatch(text)
        if match is None or match[1] not in services:
            raise NotALetter(
                f"{text!r} names no dead letter: expected service/partition/offset, such as activity/0/17, "
                f"with one of {', '.join(services)}."
            )
        return cls(match[1], int(match[2]), int(match[3]))


@dataclass(frozen=True, slots=True)
class Letter:
    """`place` is the letter's own; `original` and `original_offset` are where the record stood.

    `headers` are the record's own. What the letter does not say, or says illegibly, is None or empty.
    """

    name: LetterName
    place: Place
    died: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers
    original: Place | None
    original_offset: int | None
    written: datetime | None
    consumer: str
    error: str
    message: str
    stacktrace: str
    id: str
    source: str
    type: str
    organisation: str

    @property
    def error_name(self) -> str:
        """The exception's class without its module."""
        return self.error.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant; a pattern has `*` and `?` as a shell does. None leaves it open.

    `reason` is compared with the exception's class, with or without its module, and looked for in its
    message. `since` and `until` (not included) are about the letter, not the record.
    """

    type: str | None = None
    reason: str | None = None
    organisation: str | None = None
    key: str | None = None
    consumer: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def anything(self) -> bool:
        return self == Wanted()

    def takes(self, letter: Letter) -> bool:
        pairs = (
            (self.type, letter.type),
            (self.organisation, letter.organisation),
            (self.key, legible(letter.key or b"")),
            (self.consumer, letter.consumer),
        )
        return (
            all(pattern is None or fnmatchcase(value, pattern) for pattern, value in pairs)
            and (self.reason is None or _is_because(letter, self.reason))
            and (self.since is None or letter.died >= self.since)
            and (self.until is None or letter.died < self.until)
        )


def read(record: RawRecord, service: str) -> Letter:
    """A record of `<service>.dlq.v1` as a letter."""
    headers = [(name, value or b"") for name, value in record.headers]
    reasons = {name: value for name, value in headers if name in _REASONS}
    own = [(name, value) for name, value in headers if name not in _REASONS]
    topic = legible(reasons.get(dead_letters.ORIGINAL_TOPIC, b""))
    partition = _number(reasons.get(dead_letters.ORIGINAL_PARTITION), 4)
    milliseconds = _number(reasons.get(dead_letters.ORIGINAL_TIMESTAMP), 8)
    said = _attributes(own, record.value)
    return Letter(
        name=LetterName(service, record.partition, record.offset),
        place=Place(record.topic, record.partition),
        died=_time(record.timestamp) or _EPOCH,
        key=record.key,
        value=record.value,
        headers=own,
        original=Place(topic, partition) if topic and partition is not None else None,
        original_offset=_number(reasons.get(dead_letters.ORIGINAL_OFFSET), 8),
        written=None if milliseconds is None else _time(milliseconds),
        consumer=legible(reasons.get(dead_letters.ORIGINAL_CONSUMER_GROUP, b"")),
        error=legible(reasons.get(dead_letters.EXCEPTION_CLASS, b"")),
        message=legible(reasons.get(dead_letters.EXCEPTION_MESSAGE, b"")),
        stacktrace=legible(reasons.get(dead_letters.EXCEPTION_STACKTRACE, b"")),
        id=said.get("id", ""),
        source=said.get("source", ""),
        type=said.get("type", ""),
        organisation=said.get("organisation", ""),
    )


def legible(value: bytes) -> str:
    """Bytes as text that any terminal takes: what is no UTF-8 or cannot be seen is spelled `\\x1b`."""
    return visible(value.decode("utf-8", "backslashreplace"))


def visible(text: str) -> str:
    """Text without anything that moves a cursor or rings a bell; lines stay lines."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text.replace("\r\n", "\n").replace("\t", "    ")
    )


def _is_because(letter: Letter, reason: str) -> bool:
    return (
        fnmatchcase(letter.error, reason)
        or fnmatchcase(letter.error_name, reason)
        or reason in letter.message
    )


def _attributes(headers: Headers, value: bytes | None) -> dict[str, str]:
    """The CloudEvents attributes, in binary or structured mode, as far as they can be read."""
    found = {name.lower(): legible(value) for name, value in headers}
    if found.get("content-type", "").lower().startswith(STRUCTURED):
        try:
            said: Any = pydantic_core.from_json(value or b"")
        except ValueError:
            return {}
        if not isinstance(said, dict):
            return {}
        return {name: visible(text) for name, text in said.items() if isinstance(text, str)}
    return {name[3:]: text for name, text in found.items() if name.startswith("ce_")}


def _number(value: bytes | None, size: int) -> int | None:
    return int.from_bytes(value, signed=True) if value is not None and len(value) == size else None


def _time(milliseconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
