"""Logs: one JSON object per line on standard output, safe to keep.

Whatever is logged, by us or by a library, passes through here: addresses are shortened (`j…@example.org`)
and fields that hold content of mails are left out (design §7). Tracebacks come without local variables,
since those hold mails, too.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO, cast

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

Logger = structlog.stdlib.BoundLogger

NEVER_LOGGED = frozenset(
    {"body", "content", "html", "raw", "text", "subject", "password", "secret", "token", "authorization"}
)
"""Names of fields whose values stay out of the logs, at whatever depth."""

_REDACTIONS = (
    (re.compile(r"([\w.!#$%&'*/=?^`{|}~+-])[\w.!#$%&'*/=?^`{|}~+-]*@([\w-]+(?:\.[\w-]+)*)"), r"\1…@\2"),
    # Libraries quote the data that they refuse: PostgreSQL "Failing row contains (…)", pydantic its input.
    (re.compile(r"\nDETAIL:.*", re.DOTALL), ""),
    (re.compile(r"input_value=.*?, input_type=", re.DOTALL), "input_type="),
)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
# Libraries that tell at INFO what only their authors want to know.
_QUIET = dict.fromkeys(("aiokafka", "httpx", "httpcore", "uvicorn"), logging.WARNING)
# It warns of each try; that a batch of spans was given up is an error, and enough.
_QUIET["opentelemetry.exporter"] = logging.ERROR


def configure(service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Send this process's logs, ours and the libraries', as JSON lines to `stream` (standard output)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=Logger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
                _named(service),
                redact,
                structlog.processors.JSONRenderer(
                    ensure_ascii=False, default=lambda value: redacted(str(value))
                ),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))


def get_logger(name: str) -> Logger:
    """A logger whose lines carry `name` as `logger`; pass `__name__`."""
    return structlog.stdlib.get_logger(name)


@contextmanager
def correlated(
    correlation_id: str | None, traceparent: str | None = None, **more: str | None
) -> Iterator[None]:
    """Put the ids of the work at hand on every line that is logged inside; Nones are left out."""
    trace = _TRACEPARENT.fullmatch(traceparent or "")
    ids = {"correlation_id": correlation_id, "trace_id": trace[1] if trace else None, **more}
    with bound_contextvars(**{name: value for name, value in ids.items() if value is not None}):
        yield


def current_correlation_id() -> str | None:
    """The correlation id of the work at hand, if there is any."""
    return get_contextvars().get("correlation_id")


def redacted(text: str) -> str:
    """`text` with every mail address shortened (`j…@example.org`) and without quoted data."""
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The structlog processor that keeps personal data out."""
    return cast(Mapping[str, Any], _clean(event))


def _clean(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case Mapping():
            return {
                redacted(str(name)): "[not logged]" if str(name).lower() in NEVER_LOGGED else _clean(inner)
                for name, inner in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_clean(inner) for inner in value]
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} bytes]"
        case _:
            return value


def _named(service: str) -> Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        return event

    return add
