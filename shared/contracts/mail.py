"""The parts of a mail that several producers speak of."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.blob import Blob
from shared.contracts.record import EmailAddress, Part, Storable

TEXT_LIMIT = 64 * 1024
"""Characters of a mail's text that travel in the record; the whole text is a claim check (design §3)."""


class Mailbox(Part):
    """An address with the name shown before it. `name` may be empty."""

    address: EmailAddress
    name: Annotated[str, Storable] = ""


class Attachment(Part):
    """A file of a mail. `content_id` is set for what the HTML shows inline (`cid:`)."""

    blob: Blob
    content_id: str | None = None
    inline: bool = False


class Content(Part):
    """What a mail says. `html` is sanitised; `full_text` is there when `text` was cut."""

    subject: str = ""
    text: Annotated[str, Field(max_length=TEXT_LIMIT)] = ""
    full_text: Blob | None = None
    html: Blob | None = None
    attachments: tuple[Attachment, ...] = ()


class Delivery(StrEnum):
    """What became of a mail for one recipient."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"


class RecipientResult(Part):
    """One recipient's own result, with what the SMTP server answered (RFC 5321)."""

    address: EmailAddress
    delivery: Delivery
    code: int | None = None
    answer: str = ""
