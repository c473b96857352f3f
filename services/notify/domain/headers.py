"""Header fields written so that no mail program reads more out of them than we meant.

The standard library's folding splits and re-joins what it should not: a long Message-ID in References
becomes an encoded word, and a long display name falls apart into further addresses (CPython 3.11). So the
fields that carry other people's text or long ids are spelled here; `EmailMessage` keeps its check that no
value holds a line break, and writes the rest.
"""

import re
from collections.abc import Sequence
from email import policy
from email.header import Header
from email.headerregistry import HeaderRegistry
from email.policy import EmailPolicy
from typing import Any

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


class _Spelled:
    """A field whose value is already folded: it is written as it stands."""

    max_count = 1

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {self}\r\n"  # type: ignore[attr-defined]


class _Ids(_Spelled):
    """Message-IDs with their brackets, one a line: never folded inside nor encoded (RFC 5322 3.6.4)."""

    @classmethod
    def parse(cls, value: Sequence[str], kwds: dict[str, Any]) -> None:
        if not all(_MESSAGE_ID.fullmatch(each) for each in value):
            raise ValueError("a Message-ID holds printable ASCII without spaces, in angle brackets")
        kwds["decoded"] = "\r\n ".join(value)
        kwds["parse_tree"] = None


class _Addresses(_Spelled):
    """People, one a line."""

    @classmethod
    def parse(cls, value: Sequence[Person], kwds: dict[str, Any]) -> None:
        kwds["decoded"] = ",\r\n ".join(name_addr(person) for person in value)
        kwds["parse_tree"] = None


class _Text(_Spelled):
    """Text for people: folded at spaces, or in encoded words (RFC 2047)."""

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        if CONTROL.search(value):
            raise ValueError("a header holds neither line breaks nor control characters")
        plain = value.isascii() and not _UNSAFE_WORD.search(value)
        kwds["decoded"] = _folded(value) if plain else _encoded(value)
        kwds["parse_tree"] = None


_registry = HeaderRegistry()
for _name, _kind in {
    "message-id": _Ids,
    "in-reply-to": _Ids,
    "references": _Ids,
    "from": _Addresses,
    "reply-to": _Addresses,
    "to": _Addresses,
    "cc": _Addresses,
    "subject": _Text,
}.items():
    _registry.map_to_type(_name, _kind)  # type: ignore[arg-type]  # it mixes BaseHeader in itself

# 7 bit: every server takes it, and none rewrites it on the way.
POLICY = policy.SMTP.clone(cte_type="7bit", header_factory=_registry, utf8=False)
POLICY_UTF8 = policy.SMTPUTF8.clone(cte_type="7bit", header_factory=_registry)


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
