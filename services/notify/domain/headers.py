"""Header fields written so that no mail program reads more out of them than we meant.

The standard library's folding splits and re-joins what it should not: a long Message-ID in References
becomes an encoded word, and a long display name falls apart into further addresses (CPython 3.11). So each
field is spelled here, already folded; nothing that could begin another field gets through.
"""

import re
from collections.abc import Sequence
from email.header import Header
from functools import lru_cache

from services.notify.domain.addresses import sendable
from services.notify.domain.mail import Person

LINE = 76
"""Octets of a line, which RFC 5322 wants below 78; a word that is longer stands alone."""
_LONGEST_NAME = len("Reply-To: ")
NAME_LIMIT = 100
"""Characters of a display name. Longer ones are no names."""
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+>")
_UNSAFE_WORD = re.compile(rf"=\?|[^ ]{{{LINE},}}|  |^ | $")


@lru_cache(maxsize=4096)
def phrase(name: str) -> str:
    """A display name as RFC 5322 and 2047 write it: atoms, a quoted string, encoded words, or nothing."""
    shown = CONTROL.sub(" ", name).strip()[:NAME_LIMIT].strip()
    if not shown.isascii() or "=?" in shown:
        return _encoded(shown)
    if not shown or _ATOMS.fullmatch(shown):
        return shown
    escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def name_addr(person: Person) -> str:
    """A display name with its address, or the address alone. Raises `ValueError` if nothing can go there."""
    address = sendable(person.address)
    if address is None:
        raise ValueError("an address that cannot be written into a header")
    name = phrase(person.name)
    return f"{name} <{address}>" if name else address


def addresses(people: Sequence[Person]) -> str:
    """People, one a line. Raises `ValueError` if nothing can go to one of them."""
    return ",\r\n ".join(name_addr(person) for person in people)


def ids(message_ids: Sequence[str]) -> str:
    """Message-IDs with their brackets, one a line: never folded inside nor encoded (RFC 5322 3.6.4)."""
    if not all(_MESSAGE_ID.fullmatch(each) for each in message_ids):
        raise ValueError("a Message-ID holds printable ASCII without spaces, in angle brackets")
    return "\r\n ".join(message_ids)


def text(value: str) -> str:
    """Text for people: folded at spaces, or in encoded words (RFC 2047)."""
    if CONTROL.search(value):
        raise ValueError("a header holds neither line breaks nor control characters")
    plain = value.isascii() and not _UNSAFE_WORD.search(value)
    return _folded(value) if plain else _encoded(value)


def _folded(text: str) -> str:
    lines, room = [""], LINE - _LONGEST_NAME
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
            room = LINE - 1
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def _encoded(text: str) -> str:
    header = Header(text, "utf-8", maxlinelen=LINE, header_name="x" * _LONGEST_NAME)
    return header.encode(linesep="\r\n")
