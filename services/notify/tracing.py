"""A mail's trace ends where it is handed to its SMTP server: the span of an attempt."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from services.notify.queued import QueuedMail, Settled
from shared import tracing
from shared.tracing import Span
from shared.tracing_records import messaging

SYSTEM = "smtp"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to send `mail`, whose report follows from the attempt's span, if there is one."""

    mail: QueuedMail
    span: Span | None = None

    def ended(self, result: Settled) -> Settled:
        """What came of it."""
        if self.span:
            self.span.note(outcome=result.outcome)
        return result


@contextmanager
def attempting(mail: QueuedMail, way: str) -> Iterator[Attempt]:
    """Around an attempt over one way out."""
    about = {
        **messaging("send", "send", way, SYSTEM),
        "messaging.message.id": str(mail.id),
        "messaging.message.conversation_id": mail.cause.correlationid,
        "mailroom.organisation": mail.organisation,
        "mailroom.reference": mail.reference,
        "mailroom.attempt": mail.attempts,
        "mailroom.recipients": len(mail.recipients),
    }
    with tracing.span(f"send {way}", parent=mail.cause.traceparent, kind="CLIENT", attributes=about) as span:
        cause = mail.cause.model_copy(update={"traceparent": span.traceparent}) if span else mail.cause
        yield Attempt(replace(mail, cause=cause), span)
