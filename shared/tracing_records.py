"""Spans of records: one for each that is worked on, one for the transaction that they share.

Names and attributes are those of OpenTelemetry's conventions for messaging and for CloudEvents.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from shared import tracing
from shared.contracts.envelope import Envelope
from shared.decoding import Entry, Incoming
from shared.logs import correlated
from shared.tracing import Span


def received(entries: Sequence[Entry], consumer: str, *, begins: bool) -> list[Entry]:
    """Records from Kafka, each with a span of its own until `committed`. Only while tracing is on.

    Without a traceparent there is none, unless such a record `begins` a trace, as a request does.
    """
    return [_received(entry, consumer, begins) for entry in entries]


def _received(entry: Entry, consumer: str, begins: bool) -> Entry:
    raw, envelope = entry.raw, entry.decoded.envelope
    if envelope is None or (envelope.traceparent is None and not begins):
        return entry
    about = {
        **messaging("process", "process", raw.topic),
        "messaging.consumer.group.name": consumer,
        "messaging.destination.partition.id": str(raw.partition),
        "messaging.kafka.offset": raw.offset,
        **event(envelope),
    }
    made = tracing.start(
        f"process {raw.topic}", parent=envelope.traceparent, kind="CONSUMER", attributes=about
    )
    return Entry(raw, replace(entry.decoded, envelope=within(envelope, made)), made)


def failed(entry: Entry, error: BaseException) -> None:
    """The record is to blame."""
    if entry.span is not None:
        entry.span.fail(error)


def committed(entries: Iterable[Entry]) -> None:
    """These are done."""
    for entry in entries:
        if entry.span is not None:
            entry.span.end()


def logged(envelope: Envelope | None) -> AbstractContextManager[None]:
    """Put the ids of a record on every line that is logged inside."""
    return correlated(envelope.correlationid, envelope.traceparent) if envelope else nullcontext()


def batch(
    destination: str, spans: Iterable[Span | None], system: str = "kafka", consumer: str | None = None
) -> AbstractContextManager[object]:
    """The span of one transaction, which those of its records point to; nothing if none of them has one."""
    if not tracing.on() or not (linked := [one for one in spans if one is not None]):
        return nullcontext()
    return _batch(destination, linked, system, consumer)


@contextmanager
def _batch(destination: str, linked: Sequence[Span], system: str, consumer: str | None) -> Iterator[None]:
    about = {
        **messaging("batch", "process", destination, system),
        "messaging.batch.message_count": len(linked),
        "messaging.consumer.group.name": consumer,
    }
    with tracing.span(f"batch {destination}", parent=None, kind="CONSUMER", attributes=about) as made:
        assert made is not None, "tracing is on"
        for one in linked:
            one.link(made)
        yield


@contextmanager
def handling(name: str, records: Sequence[Incoming[Any]]) -> Iterator[Sequence[Incoming[Any]]]:
    """Records that did not come from Kafka, each in a span of its own for as long as this lasts."""
    if not tracing.on():
        yield records
        return
    spans = [
        tracing.start(name, parent=one.envelope.traceparent, attributes=event(one.envelope))
        for one in records
    ]
    try:
        yield [
            replace(one, envelope=within(one.envelope, made))
            for one, made in zip(records, spans, strict=True)
        ]
    except BaseException as error:
        for made in spans:
            made.fail(error)
        raise
    finally:
        for made in spans:
            made.end()


@contextmanager
def published(rows: Iterable[tuple[str, str | None]]) -> Iterator[None]:
    """Around the publishing of records, given as (topic, traceparent): a span for each that has one."""
    spans = [
        tracing.start(
            f"send {topic}", parent=traceparent, kind="CLIENT", attributes=messaging("send", "send", topic)
        )
        for topic, traceparent in rows
        if traceparent
    ]
    try:
        yield
    except BaseException as error:
        for made in spans:
            made.fail(error)
        raise
    finally:
        for made in spans:
            made.end()


def each(records: Sequence[Incoming[Any]]) -> Iterable[Incoming[Any]]:
    """The records one after the other; while tracing is on, what is logged about one bears its ids."""
    return _each(records) if tracing.on() else records


def _each(records: Sequence[Incoming[Any]]) -> Iterator[Incoming[Any]]:
    for one in records:
        with logged(one.envelope):
            yield one


def within(envelope: Envelope, made: Span) -> Envelope:
    """The envelope as handlers see it: what follows from the record follows from the span."""
    return envelope.model_copy(update={"traceparent": made.traceparent})


def messaging(
    operation: str, type_: str, destination: str, system: str = "kafka"
) -> dict[str, str | int | None]:
    """What every span of messaging says."""
    return {
        "messaging.system": system,
        "messaging.operation.name": operation,
        "messaging.operation.type": type_,
        "messaging.destination.name": destination,
    }


def event(envelope: Envelope) -> dict[str, str | int | None]:
    """What a span says of the record it is about: not its source, which may name a person."""
    return {
        "cloudevents.event_id": envelope.id,
        "cloudevents.event_type": envelope.type,
        "cloudevents.event_subject": envelope.subject,
        "messaging.message.id": envelope.id,
        "messaging.message.conversation_id": envelope.correlationid,
        "mailroom.organisation": envelope.organisation,
    }
