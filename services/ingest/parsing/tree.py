"""What both parsers make of a mail, before anything is chosen or cleaned."""

from dataclasses import dataclass, field
from datetime import datetime

from services.ingest.parsing.addresses import AddressList


@dataclass(slots=True)
class Part:
    """One node of the MIME tree: a `multipart/*` with children, or a leaf with its decoded bytes.

    An embedded message is a leaf: what it says belongs to somebody else's mail.
    """

    media_type: str
    charset: str | None = None
    disposition: str = ""
    filename: str = ""
    content_id: str | None = None
    content: bytes = b""
    children: list["Part"] = field(default_factory=list)


@dataclass(slots=True)
class Head:
    """The headers of a mail: decoded, with lower-case names, and the parsed ones beside them."""

    headers: dict[str, list[str]]
    subject: str
    date: datetime | None
    sender: AddressList
    reply_to: AddressList
    to: AddressList
    cc: AddressList

    def first(self, name: str) -> str:
        """The first value of a header, or nothing."""
        return next(iter(self.headers.get(name, ())), "")
