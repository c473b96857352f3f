"""A mail as the rules see it: parsed, decoded, sanitised, and safe to store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

KEPT_HEADERS = frozenset(
    {
        "authentication-results",
        "auto-submitted",
        "content-type",
        "importance",
        "list-id",
        "precedence",
        "priority",
        "return-path",
        "x-auto-response-suppress",
        "x-autoreply",
        "x-autorespond",
        "x-msmail-priority",
        "x-priority",
    }
)
"""Lower-case names of the headers that rules may read; the raw mail keeps the others."""

# What counts as the important flag of RT-3: each mail program has its own header for it (RFC 2156, and use).
_IMPORTANT = {
    "importance": ("high",),
    "priority": ("urgent",),
    "x-priority": ("1", "2"),
    "x-msmail-priority": ("high",),
}


@dataclass(frozen=True, slots=True)
class Address:
    """An addr-spec of at most 254 characters, its domain in lower-case ASCII (A-labels), and its name.

    The local part keeps its letters; `folded` is what addresses are compared by. `name` may be empty.
    """

    address: str
    name: str = ""

    @property
    def folded(self) -> str:
        return self.address.lower()

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail.

    `name` is safe as a file name and unique in its mail. `content_id` has no angle brackets. `inline` says
    that the HTML shows it (`cid:`). `sha256` is of `content`, in hexadecimal.
    """

    name: str
    media_type: str
    content: bytes = field(repr=False)
    sha256: str
    content_id: str | None = None
    inline: bool = False

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail. All text is free of NUL and of lone surrogates; Message-IDs come without angle brackets.

    `digest` identifies the content without trace headers (AMB-9). `references` are oldest first. `html` is
    sanitised and empty where the mail has none; `text` is made from the HTML where the mail has no other.
    `date` is UTC. `headers` holds `KEPT_HEADERS` only. `defects` are sentences about what had to be mended;
    `invalid_addresses` lists recipients that are none (RT-8). `unparsed_reason` is set when the mail could
    not be read: then there are only headers, as far as they were legible.
    """

    size: int
    digest: str
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    date: datetime | None = None
    subject: str = ""
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    defects: tuple[str, ...] = ()
    invalid_addresses: tuple[str, ...] = ()
    unparsed_reason: str | None = None

    @property
    def important(self) -> bool:
        """The flag of RT-3."""
        return any(
            value.strip().lower().startswith(marks)
            for name, marks in _IMPORTANT.items()
            for value in self.headers.get(name, ())
        )

    @property
    def return_path(self) -> str | None:
        """The envelope sender as the last relay noted it: empty for `<>`, None where nobody did."""
        values = self.headers.get("return-path", ())
        return values[0].strip().strip("<>").strip() if values else None
