"""Traces, from the fetch of a mail to the way out of its answer (design §7), for who asked for them.

What travels is a `traceparent` (W3C Trace Context): an envelope has one, and it goes through outbox, Kafka
and tables like the rest of it. Whoever works on a record makes a span and puts that in its place, so that all
that follows from the record names it as its parent. One transaction works on many records: each has a span
of its own, which links to that of the transaction (shared/tracing_records.py).

Off, which is the default, nothing of OpenTelemetry's SDK is imported, and nothing is done per record. On,
spans wait in a queue for a thread; what the collector does not take in time is dropped, and no work waits.
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from shared.logs import correlated, redacted

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OpenTelemetrySpan
    from opentelemetry.trace import Tracer

# The collector may be named as for any other program; the exporter reads these itself.
_STANDARD = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PATH = "/v1/traces"
QUEUED_SPANS = 8192
"""How many wait for the collector at most (or OTEL_BSP_MAX_QUEUE_SIZE): several full batches."""
STOP_SECONDS = 3.0

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_UNTRACED = frozenset({"/livez", "/readyz", "/metrics"})
# Spans say a request's path, and who knows this one may decide in somebody's place.
_SECRET = "/v1/approvals/"  # noqa: S105 - the path that is one

Kind = Literal["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
Attributes = Mapping[str, str | int | None]

_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


class Span:
    """A piece of work. `traceparent` is what follows from it carries."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: "OpenTelemetrySpan") -> None:
        context = span.get_span_context()
        self._span = span
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def note(self, **attributes: str | int) -> None:
        """Add what became known, as `mailroom.<name>`."""
        self._span.set_attributes(_safe({f"mailroom.{name}": value for name, value in attributes.items()}))

    def fail(self, error: BaseException) -> None:
        """It went wrong. Of the error, its class is told: what it says may quote a mail."""
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("error.type", type(error).__qualname__)
        self._span.set_status(StatusCode.ERROR)

    def link(self, other: "Span") -> None:
        """Point to a span of another trace."""
        self._span.add_link(other._span.get_span_context())

    def end(self, at: int | None = None) -> None:
        """It is over; `at` in ns since 1970."""
        self._span.end(at)


def configure(service: str, endpoint: str = "") -> None:
    """Trace this process if a collector is named: by `endpoint` (OTLP over HTTP), or as OTEL_… variables do.

    Call it before the service is built. How much is sampled, headers and the rest are OpenTelemetry's own
    variables.
    """
    named = endpoint or next(filter(None, map(os.environ.get, _STANDARD)), "")
    if not named or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    about = {
        "service.namespace": "mailroom",
        "service.name": service,
        "service.version": version("mailroom"),
        "service.instance.id": f"{os.uname().nodename}:{os.getpid()}",
    }
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    queue = int(os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") or QUEUED_SPANS)
    exporter = OTLPSpanExporter(endpoint.rstrip("/") + _PATH if endpoint else None)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=queue))
    use(provider)


def use(provider: "TracerProvider | None") -> None:
    """Make spans with this provider from now on; with None, none."""
    global _provider, _tracer
    _provider = provider
    _tracer = provider.get_tracer("mailroom", version("mailroom")) if provider else None


def stop(seconds: float = STOP_SECONDS) -> None:
    """Hand over what waits, for so long at most: a collector that is away holds up no stop."""
    if (provider := _provider) is None:
        return
    use(None)
    ending = threading.Thread(target=provider.shutdown, name="tracing ends", daemon=True)
    ending.start()
    ending.join(seconds)


def on() -> bool:
    """Whether anything is traced."""
    return _provider is not None


def start(
    name: str,
    *,
    parent: str | None,
    kind: Kind = "INTERNAL",
    attributes: Attributes | None = None,
    at: int | None = None,
) -> Span:
    """Begin a span; without a `parent` (a traceparent) it begins a trace. Only while tracing is on."""
    from opentelemetry.trace import SpanKind

    assert _tracer is not None, "who traces asks first whether that is wanted"
    made = _tracer.start_span(
        name,
        context=_context(parent),
        kind=SpanKind[kind],
        attributes=_safe(attributes or {}),
        start_time=at,
    )
    return Span(made)


@contextmanager
def span(
    name: str, *, parent: str | None, kind: Kind = "INTERNAL", attributes: Attributes | None = None
) -> Iterator[Span | None]:
    """A span for as long as this lasts, and its ids on what is logged; None while tracing is off."""
    if _provider is None:
        yield None
        return
    made = start(name, parent=parent, kind=kind, attributes=attributes)
    try:
        with correlated(None, made.traceparent):
            yield made
    except BaseException as error:
        made.fail(error)
        raise
    finally:
        made.end()


# --- HTTP ---------------------------------------------------------------------------------------------


def of_http() -> "TelemetryConfig":
    """What FastAPI, which makes the spans of requests, is told."""
    if _provider is None:
        return {"tracing": False, "metrics": False, "logs": False}
    return {
        "tracer_provider": _provider,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "exclude": lambda scope: scope["path"] in _UNTRACED or scope["path"].startswith(_SECRET),
    }


@contextmanager
def request(traceparent: str | None) -> Iterator[str | None]:
    """Around a request that named this `traceparent`: the one that all which follows from it carries."""
    given = traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None
    if _provider is not None:
        from opentelemetry.trace import get_current_span

        around = get_current_span()
        if around.get_span_context().is_valid:
            if around.is_recording():
                # Who asks for what may name people; the route says enough.
                around.set_attribute("url.query", "")
            given = Span(around).traceparent
    token = _current.set(given)
    try:
        yield given
    finally:
        _current.reset(token)


def current() -> str | None:
    """The traceparent of the request that is being answered."""
    return _current.get()


# --- what they are made of ------------------------------------------------------------------------------


def _context(parent: str | None) -> "Context":
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # An empty one, and not what happens to be current: a trace has the parent that it is given.
    carrier = {"traceparent": parent} if parent else {}
    return TraceContextTextMapPropagator().extract(carrier, Context())


def _safe(attributes: Attributes) -> dict[str, str | int]:
    """Without what is not known, and without addresses."""
    return {
        name: redacted(value) if isinstance(value, str) and "@" in value else value
        for name, value in attributes.items()
        if value is not None
    }
