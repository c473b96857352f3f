"""What is asked of ingest (`ingest.requests.v1`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.record import EmailAddress, Name, Record


class MailSetAside(Record):
    """Show this mail among the unhandled ones: it found no place (UH-1). Key: organisation and conversation.

    It had no route, and what it named (a reference, a mail it answers) led to no activity that could take
    it. `addresses` are those of ours that it was sent to; decided again, it is published for them again.
    """

    type: Literal["mail.set_aside"] = "mail.set_aside"
    mail: UUID
    addresses: Annotated[tuple[EmailAddress, ...], Field(min_length=1)]
    detail: str


class MailForget(Record):
    """Nobody needs what this mail said any more: remove its bytes. Key: organisation and conversation.

    All its activities are closed and were kept for as long as they are to be. That there was a mail is known
    for ever: it is not taken for a new one. With `erase` somebody on it is erased (CT-21): its bytes go at
    once, whoever may still be told of it.
    """

    type: Literal["mail.forget"] = "mail.forget"
    mail: UUID
    erase: bool = False


class MailReinject(Record):
    """Tell of this mail again, as one that must not be appended (CE-3). Key: organisation and conversation.

    It opens a new activity by the routes of `mailbox`, through which it came to `activity` (CE-6, AMB-32).
    """

    type: Literal["mail.reinject"] = "mail.reinject"
    mail: UUID
    activity: UUID
    mailbox: Name


IngestRequest = Annotated[MailSetAside | MailForget | MailReinject, Field(discriminator="type")]
