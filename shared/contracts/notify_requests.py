"""What is asked of notify (`notify.requests.v1`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.activity_requests import Text, Title
from shared.contracts.blob import Blob
from shared.contracts.mail import Mailbox
from shared.contracts.record import Conversation, Instant, Language, Name, Record, Reference


class MailCompose(Record):
    """Compose this mail, sign it, send it and report. Key: organisation and conversation.

    Either `template` names one of the organisation's templates, rendered with `variables` in `language`;
    or `text` is what an agent wrote. `to` and `cc` together name at least one address. `in_reply_to` and
    `references` are Message-IDs without angle brackets, oldest first.
    """

    type: Literal["mail.compose"] = "mail.compose"
    mail: UUID
    activity: UUID
    reference: Reference
    conversation: Conversation
    mailbox: Name
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    subject: Title | None = None
    template: Name | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    text: Text | None = None
    attachments: tuple[Blob, ...] = ()
    language: Language = "en"
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    automatic: bool
    """True for mail that no person wrote: it is marked so (RFC 3834) and counts against the sender's rate."""
    requested: Instant
    configuration: int


class MailForget(Record):
    """Nobody needs what this mail said any more: remove its bytes. Key: organisation and conversation.

    One that is not sent yet is removed when it is. That it was asked for is known for ever: a repeated
    request does not send it again.
    """

    type: Literal["mail.forget"] = "mail.forget"
    mail: UUID


NotifyRequest = Annotated[MailCompose | MailForget, Field(discriminator="type")]
