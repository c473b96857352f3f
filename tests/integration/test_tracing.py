"""One trace leads from the fetch of a mail to the way out of its answer (design §7).

All services work in this process, on real servers, and hand their spans to an exporter in memory.
"""

import importlib
import itertools
import pkgutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv import attributes as stable
from opentelemetry.semconv._incubating import attributes as incubating
from opentelemetry.trace import SpanKind

import deploy.demo.customer as demo
from deploy.local.endpoints import Endpoints
from shared import tracing
from shared.contracts.activity_requests import ActivityNote, Actor, ActorKind
from shared.contracts.envelope import Envelope
from shared.postgres import Pool
from shared.topics import ACTIVITY_REQUESTS
from tests.support.frame import consuming, register
from tests.support.in_process import InProcess, mailroom_in_process
from tests.support.mailroom import ORGANISATION, PATIENCE
from tests.support.notes import NOTES, Scribe, made
from tests.support.topics import producing
from tests.support.waiting import eventually


def traceparent() -> tuple[str, int]:
    """A traceparent of somebody else's, and its trace."""
    trace = uuid4().hex
    return f"00-{trace}-00f067aa0ba902b7-01", int(trace, 16)


class Spans:
    """What was traced so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def of(self, trace: int) -> list[ReadableSpan]:
        return [each for each in self.all() if each.context.trace_id == trace]

    def named(self, name: str, **attributes: Any) -> list[ReadableSpan]:
        """Those of this name; attributes are given with `_` for each dot."""
        return [
            each
            for each in self.all()
            if each.name == name
            and attributes.items()
            <= {key.replace(".", "_"): value for key, value in each.attributes.items()}.items()
        ]

    async def one(self, name: str, **attributes: Any) -> ReadableSpan:
        """Wait for it."""
        (found, *_) = await eventually(lambda: self.named(name, **attributes), deadline=PATIENCE)
        return found

    def way(self, span: ReadableSpan) -> list[ReadableSpan]:
        """The span and those above it, from the first of its trace on."""
        by_id = {each.context.span_id: each for each in self.all()}
        above = [span]
        while above[0].parent is not None and above[0].parent.span_id in by_id:
            above.insert(0, by_id[above[0].parent.span_id])
        return above


@pytest.fixture(scope="module")
def spans() -> Iterator[Spans]:
    """Everything in this process is traced, for as long as the tests of this file last."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield Spans(exporter)
    tracing.use(None)
    provider.shutdown()


@pytest.fixture(scope="module")
async def mailroom(
    spans: Spans, stack: Endpoints, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[InProcess]:
    folder = tmp_path_factory.mktemp("mailroom")
    async with mailroom_in_process(stack, database_template, folder) as mailroom:
        yield mailroom


async def test_one_trace_leads_from_the_fetch_of_a_mail_to_the_way_out_of_its_answer(
    mailroom: InProcess, spans: Spans
) -> None:
    anna = demo.Customer("Anna Berg", f"anna@{mailroom.customers}", mailroom.stack.smtp, mailroom.stack.imap)
    await mailroom.write(anna.write(f"help@{mailroom.domain}", "Printer", "It is on fire."))

    sent = await spans.one("send main", mailroom_outcome="sent")
    mails, requests = f"{mailroom.prefix}ingest.mails.v1", f"{mailroom.prefix}notify.requests.v1"
    way = spans.way(sent)
    assert [(each.name, each.kind) for each in way] == [
        ("fetch help", SpanKind.CLIENT),
        ("process help", SpanKind.CONSUMER),
        (f"process {mails}", SpanKind.CONSUMER),
        (f"process {requests}", SpanKind.CONSUMER),
        ("send main", SpanKind.CLIENT),
    ]
    for earlier, later in itertools.pairwise(way):
        assert earlier.start_time <= later.start_time
    (trace,) = {each.context.trace_id for each in way}

    # What was said on the way was published in the trace, and the report of the attempt comes after it.
    reports = f"{mailroom.prefix}notify.mails.v1"
    report = await spans.one(
        f"process {reports}",
        cloudevents_event_type="mail.sent",
        messaging_consumer_group_name="activity.deliveries",
    )
    assert spans.way(report)[:-1] == way
    published = {
        each.name for each in spans.of(trace) if each.attributes["messaging.operation.name"] == "send"
    }
    assert published >= {f"send {mails}", f"send {requests}", f"send {reports}"}

    # Who shares a transaction points to its span, which stands in a trace of its own.
    for span in way[1:4]:
        linked = {link.context.span_id for link in span.links}
        batches = [each for each in spans.all() if each.context.span_id in linked]
        assert [each.name for each in batches] == [f"batch {span.attributes['messaging.destination.name']}"]
        assert batches[0].attributes["messaging.batch.message_count"] >= 1
        assert batches[0].context.trace_id != trace

    await the_conventions_are_kept(spans)


async def test_a_record_that_fails_says_so_and_each_try_is_told(spans: Spans, pool: Pool) -> None:
    """One span for the record, from its arrival to its commit; one for each transaction that was tried."""
    before = len(spans.all())
    await register(pool)
    consumption = await consuming(pool, Scribe(poison={"bad"}))
    given = traceparent()[0]
    traced = replace(made(0, "bad"), headers=(*made(0, "bad").headers, ("ce_traceparent", given.encode())))
    await consumption.process([traced, made(1, "good")])
    found = spans.all()[before:]
    (record,) = [each for each in found if each.name == f"process {NOTES.name}"]
    assert (record.status.is_ok, record.attributes["error.type"]) == (False, "PoisonError")
    tried = [each for each in found if each.name == f"batch {NOTES.name}"]
    assert [each.status.is_ok for each in tried] == [False, False, True]
    assert {link.context.span_id for link in record.links} == {each.context.span_id for each in tried}


async def the_conventions_are_kept(spans: Spans) -> None:
    """Attributes are OpenTelemetry's, CloudEvents' or ours, and none of them names a person."""
    known = known_attributes()
    for span in spans.all():
        for name, value in span.attributes.items():
            assert name in known or name.startswith("mailroom."), name
            assert "@" not in str(value) or "…@" in str(value), (span.name, name, value)
            assert "anna" not in str(value).lower(), (span.name, name, value)


def known_attributes() -> set[str]:
    """Those that OpenTelemetry's conventions name."""
    return {
        value
        for package in (stable, incubating)
        for module in pkgutil.iter_modules(package.__path__)
        for value in vars(importlib.import_module(f"{package.__name__}.{module.name}")).values()
        if isinstance(value, str)
    }


async def test_a_request_continues_the_trace_of_whoever_asks(mailroom: InProcess, spans: Spans) -> None:
    over_http, trace = traceparent()
    answer = await mailroom.ask(
        "POST",
        "/v1/tickets?note=anna@example.org",
        json={"process": "it-request", "title": "A new chair"},
        headers={"Idempotency-Key": uuid4().hex, "traceparent": over_http},
    )
    assert answer.status_code == 201, answer.text
    reference = answer.json()["reference"]
    events = f"send {mailroom.prefix}activity.activities.v1"

    def told() -> list[ReadableSpan]:
        return [each for each in spans.of(trace) if each.name == events]

    event, *_ = await eventually(told, deadline=PATIENCE)
    http, _ = spans.way(event)
    assert (http.name, http.kind) == ("POST /v1/tickets", SpanKind.SERVER)
    assert f"{http.parent.span_id:016x}" == over_http.split("-")[2]

    over_kafka, trace = traceparent()
    envelope = Envelope(
        id=uuid4().hex,
        source="/other/system",
        type="ticket.note",
        time=datetime.now(UTC),
        organisation=ORGANISATION,
        traceparent=over_kafka,
    )
    note = ActivityNote(
        reference=reference, text="By the window.", actor=Actor(kind=ActorKind.INTEGRATION, id="crm")
    )
    topic = mailroom.prefix + ACTIVITY_REQUESTS.name
    async with producing(mailroom.stack.kafka) as producer:
        await producer.send_and_wait(
            topic, note.model_dump_json().encode(), reference.encode(), headers=envelope.to_headers()
        )

    def answered() -> list[ReadableSpan]:
        return [each for each in spans.of(trace) if each.name == f"send {mailroom.prefix}activity.answers.v1"]

    (said,) = await eventually(answered, deadline=PATIENCE)
    (work,) = [each for each in spans.of(trace) if each.name == f"process {topic}"]
    assert said.parent.span_id == work.context.span_id
    assert f"{work.parent.span_id:016x}" == over_kafka.split("-")[2]
    await the_conventions_are_kept(spans)
