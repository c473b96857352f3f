"""What is asked of ingest (`ingest.requests.v1`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.record import EmailAddress, Record


class MailSetAside(Record):
    """Show this mail among the unhandled ones: it found no place (UH-1). Key: organisation and conversation.

    It had no route, and what it named (a reference, a mail it answers) led to no activity that could take
    it. `addresses` are those of ours that it was sent to; decided again, it is published for them again.
    """

    type: Literal["mail.set_aside"] = "mail.set_aside"
    mail: UUID
    addresses: Annotated[tuple[EmailAddress, ...], Field(min_length=1)]
    detail: str


IngestRequest = Annotated[MailSetAside, Field()]
