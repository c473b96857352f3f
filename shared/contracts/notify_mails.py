"""What became of outgoing mail (`notify.mails.v1`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.activity_answers import AskedBy
from shared.contracts.mail import Content, Mailbox, RecipientResult
from shared.contracts.record import Conversation, Instant, Name, Record, Reference


class OutgoingMail(Record):
    """What every report carries. Key: organisation and conversation."""

    mail: UUID
    activity: UUID
    reference: Reference
    conversation: Conversation
    at: Instant


class MailComposed(OutgoingMail):
    """It is rendered and signed, and its Message-ID is fixed; the first attempt follows."""

    type: Literal["mail.composed"] = "mail.composed"
    mailbox: Name
    message_id: str
    sender: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...] = ()
    content: Content


class MailSent(OutgoingMail):
    """The SMTP server took it for at least one recipient; each has a result of its own."""

    type: Literal["mail.sent"] = "mail.sent"
    message_id: str
    recipients: tuple[RecipientResult, ...]
    attempts: int


class MailDeferred(OutgoingMail):
    """It could not be sent now and will be tried again (NT-14)."""

    type: Literal["mail.deferred"] = "mail.deferred"
    reason: str
    attempts: int
    next_attempt: Instant


class MailFailed(OutgoingMail):
    """It will not be sent: refused for good, or out of attempts (NT-14)."""

    type: Literal["mail.failed"] = "mail.failed"
    reason: str
    recipients: tuple[RecipientResult, ...] = ()
    attempts: int


class MailRefused(OutgoingMail):
    """It was never tried: the request breaks a rule, which `detail` says in a sentence."""

    type: Literal["mail.refused"] = "mail.refused"
    code: str
    detail: str


class RequestRefused(Record):
    """A request that could not be understood, so that no mail can be named. Key: the request's id."""

    type: Literal["request.refused"] = "request.refused"
    request: AskedBy
    code: str
    detail: str


NotifyMail = Annotated[
    MailComposed | MailSent | MailDeferred | MailFailed | MailRefused | RequestRefused,
    Field(discriminator="type"),
]
