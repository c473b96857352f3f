"""One kind of mail that should not be, and what must be true of it afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ADDRESS = "help@acme.test"
"""The mailbox of ours that all of them are sent to."""
SENDER = "carl@customer.example"

_HEAD = {
    "From": f"Carl Customer <{SENDER}>",
    "To": ADDRESS,
    "Subject": "{name}",
    "Date": "Sun, 22 Nov 2026 10:00:00 +0000",
    "Message-ID": "<{slug}@customer.example>",
    "MIME-Version": "1.0",
}


class Fate(StrEnum):
    """What becomes of a mail: it goes to activity, or is listed as unhandled with this reason (UH-1)."""

    RECEIVED = "received"
    UNREADABLE = "unreadable"
    NOT_ADDRESSED = "not addressed"


@dataclass(frozen=True, slots=True)
class Kind:
    """A mail made on demand: an ordinary head without the fields in `without`, then `content`.

    `content` begins with further header fields, its lines end in LF, and it is sent with CRLF; a `bare` one
    is the whole mail, as it stands. `reads` are fields of the `ParsedMail` that must come out (`names` those
    of its files); `automatic` says whether a rule of IN-15 must recognise it, `alone` whether a look at its
    bytes must keep it away from other mails.
    """

    name: str
    content: bytes | Callable[[], bytes]
    reads: Mapping[str, object] = field(default_factory=dict)
    fate: Fate = Fate.RECEIVED
    without: tuple[str, ...] = ()
    bare: bool = False
    automatic: bool = False
    alone: bool = False

    @property
    def slug(self) -> str:
        """The name, as an identifier may be spelled."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name)

    def raw(self) -> bytes:
        """The mail as it lies on the server."""
        content = self.content if isinstance(self.content, bytes) else self.content()
        if self.bare:
            return content
        lines = (f"{name}: {value}\n" for name, value in _HEAD.items() if name not in self.without)
        head = "".join(lines).replace("{name}", self.name).replace("{slug}", self.slug)
        return (head.encode() + content).replace(b"\n", b"\r\n")


def text(charset: str, body: bytes, encoding: str = "8bit") -> bytes:
    """A plain text that says it is in `charset`."""
    return typed(f'text/plain; charset="{charset}"', body, encoding)


def typed(content_type: str, body: bytes, encoding: str = "8bit") -> bytes:
    """A mail of one part."""
    return part(content_type, body, encoding)


def part(content_type: str, body: bytes, encoding: str = "8bit", more: str = "") -> bytes:
    """One part of a multipart, or the end of a head and its body; `more` are further header fields."""
    head = f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n{more}\n"
    return head.encode() + body + b"\n"


def multipart(
    *parts: bytes, subtype: str = "mixed", boundary: str = "b0undary", closed: bool = True
) -> bytes:
    """Parts between delimiters."""
    delimiter = b"--" + boundary.encode()
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\n\n'.encode()
    body = b"".join(delimiter + b"\n" + each for each in parts)
    return head + body + (delimiter + b"--\n" if closed else b"")


def with_file(content_type: str, content: bytes, disposition: str, encoding: str = "base64") -> bytes:
    """A mail that says "See the file." and has one."""
    more = f"Content-Disposition: {disposition}\n"
    return multipart(text("us-ascii", b"See the file."), part(content_type, content, encoding, more))
