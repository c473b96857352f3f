"""IMAP's own spelling (RFC 3501): folder names, sets of UIDs, and the answers to FETCH. Pure."""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.ingest.imap_responses import Response

_FETCH = re.compile(rb"\* \d+ FETCH \(", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]+)"')
# A body comes as a literal (moved out and marked with {}), as a quoted string, or as NIL when there is none.
# GreenMail forgets the space before a part.
_BODY = re.compile(rb'\bBODY\[\](?:<\d+>)? ?(?:(\{\})|"((?:[^"\\]|\\.)*)"|NIL)', re.DOTALL | re.IGNORECASE)
# `strptime` takes ten times as long.
_INTERNAL_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d:\d\d:\d\d) ([+-]\d{4})", re.ASCII)
_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(re.findall("...", "JanFebMarAprMayJunJulAugSepOctNovDec"), start=1)
}
_PLAIN = re.compile(r"[\x20-\x7e]*")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class FetchItem:
    """One mail of an answer to FETCH; None for what it does not tell."""

    uid: int
    size: int | None
    arrived: datetime | None
    body: bytes | None


def quoted(text: str) -> str:
    """A quoted string; line breaks and NUL cannot be in one and raise `ValueError`."""
    if any(character in text for character in "\r\n\0"):
        raise ValueError("line breaks and NUL cannot be part of an IMAP string")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def folder_name(folder: str, separator: str) -> str:
    """A folder as the server spells it: its separator between levels, modified UTF-7 (RFC 3501 5.1.3)."""
    name = folder.replace("/", separator).replace("&", "&-")
    return name if _PLAIN.fullmatch(name) else _NOT_PLAIN.sub(_shifted, name)


def uid_set(uids: Iterable[int]) -> str:
    """UIDs as a set with ranges: `1:3,7`."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and runs[-1][1] == uid - 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs)


def fetch_item(response: Response) -> FetchItem | None:
    """What a response says of a mail; None if it is no answer to a FETCH, or has no UID: news (flags)."""
    if not _FETCH.match(response.text):
        return None
    # What stands inside a quoted body must not be read as one of the answer's own words.
    text = response.text
    body = _BODY.search(text)
    rest = text if body is None else text[: body.start()] + text[body.end() :]
    uid = _UID.search(rest)
    if uid is None:
        return None
    size, date = _SIZE.search(rest), _DATE.search(rest)
    return FetchItem(
        uid=int(uid[1]),
        size=int(size[1]) if size else None,
        arrived=internal_date(date[1].decode("ascii", "replace")) if date else None,
        body=_content(body, response.literals) if body else None,
    )


def internal_date(text: str) -> datetime | None:
    """`17-Jul-1996 02:44:25 -0700` in UTC; None for what is no such date."""
    found = _INTERNAL_DATE.fullmatch(text.strip())
    if found is None:
        return None
    day, month, year, time, zone = found.groups()
    try:
        return datetime.fromisoformat(
            f"{year}-{_MONTHS[month.title()]}-{day:0>2}T{time}{zone[:3]}:{zone[3:]}"
        ).astimezone(UTC)
    except (ValueError, OverflowError, KeyError):
        return None


def _content(body: re.Match[bytes], literals: Sequence[bytes]) -> bytes:
    if body[1] is not None:
        return literals[0] if literals else b""
    return re.sub(rb"\\(.)", rb"\1", body[2] or b"", flags=re.DOTALL)


def _shifted(match: re.Match[str]) -> str:
    encoded = b64encode(match[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
    return f"&{encoded}-"
