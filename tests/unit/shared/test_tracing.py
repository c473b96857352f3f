"""Tracing is off unless somebody asks for it, and its collector holds up nothing (design §7)."""

import asyncio
import io
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import logs, tracing, tracing_records
from shared.contracts.envelope import Envelope
from shared.contracts.record import Record
from shared.decoding import Incoming

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"


class Note(Record):
    type: str = "note.made"


def note(traceparent: str | None = None) -> Incoming[Note]:
    envelope = Envelope(
        id="n-1",
        source="/somebody/anna@example.org",
        type="note.made",
        time=datetime(2026, 3, 1, tzinfo=UTC),
        organisation="acme",
        correlationid="c-1",
        traceparent=traceparent,
    )
    return Incoming(envelope, Note())


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged."""
    root = logging.getLogger()
    before, stream = (root.handlers[:], root.level), io.StringIO()
    logs.configure("activity", "info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator["Collector"]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Collector()
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield server
    tracing.use(None)
    server.shutdown()
    server.server_close()


class Collector(HTTPServer):
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[tuple[str, ExportTraceServiceRequest]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_off_nothing_of_opentelemetrys_sdk_is_imported() -> None:
    program = """
import sys
from shared import tracing
import services.ingest.app, services.activity.app, services.notify.app
tracing.configure("ingest")
assert not tracing.on()
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_off_records_pass_as_they_are() -> None:
    records = [note(GIVEN)]
    assert tracing_records.each(records) is records
    with tracing_records.handling("fire timer", records) as handled, tracing_records.batch("a", [None]):
        assert handled is records
    with tracing.span("a", parent=GIVEN) as span:
        assert span is None


@pytest.mark.parametrize(
    ("given", "carried"), [(GIVEN, GIVEN), ("nonsense", None), ("00-" + "x" * 600, None), (None, None)]
)
def test_off_a_requests_traceparent_is_passed_on_if_it_is_one(given: str | None, carried: str | None) -> None:
    with tracing.request(given) as traceparent:
        assert (traceparent, tracing.current()) == (carried, carried)
    assert tracing.current() is None


@pytest.mark.parametrize("variable", ["", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_the_collector_is_named_by_the_setting_or_as_for_any_other_program(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    if variable:
        monkeypatch.setenv(variable, collector.url)
    tracing.configure("ingest", "" if variable else collector.url + "/")
    with tracing.span("fetch help", parent=None):
        pass
    tracing.stop(seconds=30)
    ((path, request),) = collector.taken
    assert path == "/v1/traces"
    (found,) = request.resource_spans
    about = {each.key: each.value.string_value for each in found.resource.attributes}
    assert (about["service.namespace"], about["service.name"]) == ("mailroom", "ingest")
    assert [span.name for span in found.scope_spans[0].spans] == ["fetch help"]


def test_opentelemetrys_own_switch_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    tracing.configure("ingest", "http://127.0.0.1:1")
    assert not tracing.on()


def test_a_collector_that_never_answers_holds_up_neither_work_nor_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "600")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracing.configure("ingest", f"http://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(1200):
            with tracing.span("fetch help", parent=None):
                pass
        tracing.stop(seconds=0.1)
        assert not tracing.on()
        # It is still at it, and the process goes on without waiting for it.
        assert any(each.name == "tracing ends" and each.daemon for each in threading.enumerate())


def test_a_record_is_a_child_of_its_traceparent_and_what_follows_is_a_child_of_it(
    exporter: InMemorySpanExporter,
) -> None:
    with tracing_records.handling("fire timer", [note(GIVEN)]) as (handled,):
        said = handled.envelope.traceparent
    (span,) = exporter.get_finished_spans()
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert said == f"00-{TRACE}-{span.context.span_id:016x}-01"


def test_who_is_not_sampled_stays_so(exporter: InMemorySpanExporter) -> None:
    with tracing_records.handling("fire timer", [note(GIVEN[:-1] + "0")]) as (handled,):
        assert (handled.envelope.traceparent or "").endswith("-00")
    assert exporter.get_finished_spans() == ()


def test_what_is_logged_about_a_record_bears_its_trace(
    exporter: InMemorySpanExporter, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    for _ in tracing_records.each([note(GIVEN)]):
        logging.getLogger("some.library").warning("something")
    with tracing.span("send main", parent=GIVEN):
        logs.get_logger("x").info("sent")
    logs.get_logger("x").info("behind it")
    about, inside, behind = lines()
    assert (about["trace_id"], about["correlation_id"]) == (TRACE, "c-1")
    assert inside["trace_id"] == TRACE
    assert "trace_id" not in behind


def test_a_collector_that_is_away_is_told_of_once_for_what_was_given_up(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    exporter = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    exporter.warning("one try")
    exporter.error("given up")
    assert [line["event"] for line in lines()] == ["given up"]


def test_neither_addresses_nor_what_errors_say_are_told(exporter: InMemorySpanExporter) -> None:
    attributes = {"mailroom.reference": "from anna.berg@example.org", "mailroom.unknown": None}
    with (
        pytest.raises(ValueError, match="anna"),
        tracing.span("send main", parent=None, attributes=attributes),
    ):
        raise ValueError("no such person: anna")
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes or {}) == {
        "mailroom.reference": "from a…@example.org",
        "error.type": "ValueError",
    }
    assert (span.status.is_ok, span.status.description, span.events) == (False, None, ())


async def test_what_runs_beside_a_request_does_not_see_its_traceparent() -> None:
    inside, outside = asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        with tracing.request(GIVEN):
            inside.set()
            await outside.wait()

    task = asyncio.create_task(answer())
    await inside.wait()
    assert tracing.current() is None
    outside.set()
    await task
