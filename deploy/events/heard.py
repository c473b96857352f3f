"""A record that was heard on a topic, and who wants to hear which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from pydantic import TypeAdapter, ValidationError

from deploy.instance import Unclear
from shared import references
from shared.contracts.envelope import Envelope
from shared.contracts.record import Record
from shared.decoding import Incoming, Unknown, Unreadable, decode
from shared.failure import RawRecord
from shared.topics import TOPICS, Topic

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_MOMENT: TypeAdapter[datetime] = TypeAdapter(datetime)


@dataclass(frozen=True, slots=True)
class Heard:
    """One record, read as far as it can be; `trouble` says why it cannot, in a sentence."""

    raw: RawRecord
    topic: Topic
    envelope: Envelope | None
    message: Record | None = None
    trouble: str | None = None

    @classmethod
    def of(cls, raw: RawRecord, topic: Topic) -> "Heard":
        """Read a record. Never raises; a dead letter keeps its bytes."""
        if topic.records is None:
            try:
                return cls(raw, topic, Envelope.from_headers(raw.headers))
            except ValueError:
                return cls(raw, topic, None)
        match decode(raw, topic.models, structured=topic.requests):
            case Incoming(envelope=envelope, message=message):
                return cls(raw, topic, envelope, message)
            case Unknown(envelope=envelope) as unknown:
                return cls(raw, topic, envelope, trouble=unknown.detail)
            case Unreadable(envelope=envelope) as unreadable:
                return cls(raw, topic, envelope, trouble=unreadable.detail)

    @property
    def type(self) -> str:
        return self.envelope.type if self.envelope else "unreadable"

    @property
    def time(self) -> datetime:
        """When it happened; for who does not say, when it was written."""
        return self.envelope.time if self.envelope else datetime.fromtimestamp(self.raw.timestamp / 1000, UTC)

    @property
    def reference(self) -> str | None:
        """The reference of the activity that it is about, where it names one."""
        named = getattr(self.message, "reference", None)
        if named is None and self.envelope and references.parse(self.envelope.subject or ""):
            named = self.envelope.subject
        return named


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom somebody wants to hear; None wants all. `type` may be a pattern, `reference` is canonical."""

    topics: tuple[Topic, ...] = TOPICS
    types: frozenset[str] | None = None
    reference: str | None = None
    organisation: str | None = None

    def takes(self, heard: Heard) -> bool:
        """Whether this record is one of them."""
        organisation = heard.envelope.organisation if heard.envelope else None
        return (
            (self.types is None or heard.type in self.types)
            and (self.reference is None or heard.reference == self.reference)
            and (self.organisation is None or organisation == self.organisation)
        )


def wanted(
    types: Sequence[str], reference: str | None, organisation: str | None, topics: Sequence[str], prefix: str
) -> Wanted:
    """What the options say. Types and topics may be patterns with `*` and `?`. Raises `Unclear`."""
    by_name = {topic.name: topic for topic in TOPICS}
    chosen = [
        by_name[name] for name in _meant("topic", by_name, [name.removeprefix(prefix) for name in topics])
    ]
    known = {name: None for topic in TOPICS for name in topic.models}
    meant = frozenset(_meant("type", known, types)) if types else None
    parsed = references.parse(reference) if reference else None
    if reference and parsed is None:
        raise Unclear(f"{reference!r} is no reference; one looks like 101203-T.")
    if not chosen:
        chosen = [
            topic for topic in TOPICS if meant is None or topic.records is None or meant & set(topic.models)
        ]
    return Wanted(tuple(chosen), meant, str(parsed) if parsed else None, organisation)


def moment(text: str, now: datetime) -> datetime:
    """A time (RFC 3339; UTC unless it says otherwise), or how long ago: `90s`, `10m`, `2h`, `3d`.

    Raises `Unclear`.
    """
    number, unit = text[:-1], _UNITS.get(text[-1:])
    try:
        if unit and number.isdecimal():
            return now - timedelta(**{unit: int(number)})
        found = _MOMENT.validate_strings(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValidationError, OverflowError) as error:
        raise Unclear(
            f"{text!r} is no time: give 2026-11-22T09:30, or how long ago it was, such as 10m or 2h."
        ) from error


def _meant(what: str, known: Mapping[str, Any], asked: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for pattern in asked:
        names = [name for name in known if fnmatchcase(name, pattern)]
        if not names:
            near = get_close_matches(pattern, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
            raise Unclear(f"There is no {what} {pattern!r}; {hint}")
        found |= dict.fromkeys(names)
    return list(found)
