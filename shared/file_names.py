"""File names that cannot leave their folder, on any operating system."""

import mimetypes
import re
import unicodedata

NAME_LIMIT = 180
"""Octets: below the 255 of common file systems, with room for a prefix."""
_LONGEST_EXTENSION = 20

_FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f<>:\"|?*\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
    r"\u2044\u2215\u2216\u29f8\u29f9\ufe68\uff0f\uff3c]+"  # what only looks like a slash
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


def media_type(value: str) -> str:
    """The type in lower case, without parameters; what is none becomes application/octet-stream."""
    kind = value.partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream"


def safe_name(name: str, kind: str, otherwise: str) -> str:
    """A file name without folders, control characters, reserved names or text-direction tricks.

    One that has nothing left is called `otherwise`, with the extension of its media type.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = _FORBIDDEN.sub("_", last).strip(". \u00a0").strip()
    if not clean.strip("_"):
        clean = f"{otherwise}{_extension(kind)}"
    if _RESERVED.fullmatch(clean):
        clean = f"_{clean}"
    return _shortened(clean, "")


def unique_name(name: str, taken: set[str]) -> str:
    """`name`, or `name (2)` where it is in `taken` already (in any case of letters); adds it there."""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = _shortened(name, f" ({number})")
    taken.add(candidate.casefold())
    return candidate


def _extension(kind: str) -> str:
    return ".eml" if kind == "message/rfc822" else mimetypes.guess_extension(kind) or ""


def _shortened(name: str, suffix: str) -> str:
    """The name within the limit; the extension survives, the middle goes."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension.encode()) > _LONGEST_EXTENSION:
        stem, dot, extension = name, "", ""
    room = NAME_LIMIT - len(f"{suffix}{dot}{extension}".encode())
    short = stem.encode()[:room].decode(errors="ignore").rstrip(". ")
    return f"{short}{suffix}{dot}{extension}"
