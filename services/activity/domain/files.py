"""Files of an activity: what people put on it beside its mails (NT-15, NT-20)."""

from dataclasses import dataclass
from uuid import UUID

from services.activity.domain.links import Other


@dataclass(frozen=True, slots=True)
class File:
    """A file, with where its bytes lie. `tags` are words that people find it by (NT-16).

    It stands on the activity that it was put on, and with the same id on what that one was merged into: there
    it is the same file (LK-1). A snapshot is a file of its own, with the same bytes.
    """

    id: UUID
    object: str
    sha256: str
    size: int
    media_type: str
    name: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that comes from another activity: the same one, or a snapshot of it (LK-1, LK-5, IN-14)."""

    file: File
    source: Other


MEGABYTE = 1_048_576
"""Bytes (AMB-40); limits are inclusive."""
_LINE, _OF_LINE = 78, 57
"""A line of base64 with its end, and the bytes that are in it (RFC 2045 6.8)."""
_AROUND = 1024
"""What stands around each part of a mail at most."""


def size_in_mail(text: str, sizes: tuple[int, ...]) -> int:
    """How large a mail gets by a text, which stands in it twice, and by files of these sizes (NT-15)."""
    files = sum(-(-size // _OF_LINE) * _LINE + _AROUND for size in sizes)
    return 2 * len(text.encode()) + _AROUND + files
