"""A cheap look at the bytes: which mails are not parsed together with others (design §3, pitfalls)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Caution(StrEnum):
    """How a mail is to be parsed."""

    NONE = "none"  # with its page, Rust first
    ALONE = "alone"  # alone and with limits, Rust first: it is only large
    LENIENT = "lenient"  # alone and with limits, never by Rust: it may kill that parser


@dataclass(frozen=True, slots=True)
class Mark:
    """Something suspicious that can be counted in raw bytes."""

    name: str
    count: Callable[[bytes], int]
    limit: int
    caution: Caution


def _delimiters(raw: bytes) -> int:
    """Lines that may be MIME delimiters: each level of nested multiparts needs one."""
    return raw.count(b"\n--") + raw.count(b"\r--")


def _embedded(raw: bytes) -> int:
    """Embedded messages nest without delimiters."""
    return raw.lower().count(b"message/")


def _longest_line(raw: bytes) -> int:
    # A mail shorter than the limit has no longer line: no need to look.
    return max(map(len, raw.split(b"\n"))) if len(raw) > LINE_LIMIT else 0


LINE_LIMIT = 512 * 1024
# `limit` is the largest count that is still harmless. The Rust parser refuses 257 levels and dies of 100 000.
MARKS = (
    Mark("delimiter lines", _delimiters, 200, Caution.LENIENT),
    Mark("embedded messages", _embedded, 50, Caution.LENIENT),
    Mark("bytes in a line", _longest_line, LINE_LIMIT, Caution.LENIENT),
    Mark("tags", lambda raw: raw.count(b"<"), 100_000, Caution.ALONE),
    Mark("bytes", len, 8 * 1024 * 1024, Caution.ALONE),
)


def look(raw: bytes) -> Caution:
    """The first mark that a mail goes beyond says how it is parsed."""
    return next((mark.caution for mark in MARKS if mark.count(raw) > mark.limit), Caution.NONE)
