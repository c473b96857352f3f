"""Address headers: what can be read is read, what cannot is noted (RT-8)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import getaddresses

from services.ingest.domain.addresses import canonical
from services.ingest.domain.mail import Address
from services.ingest.parsing.charsets import decode
from services.ingest.parsing.headers import one_line, text

_SHOWN = 100
_NAME_LIMIT = 200
_BETWEEN_WORDS = re.compile(r"[\s<>()\[\]:;,\\\"'=?]+")


@dataclass(frozen=True, slots=True)
class AddressList:
    """The addresses of a header, in order, each once, and what stood there that is none."""

    addresses: tuple[Address, ...] = ()
    invalid: tuple[str, ...] = ()


def from_pairs(pairs: Iterable[tuple[str, str]]) -> AddressList | None:
    """Addresses from (name, addr-spec) pairs that a parser found; None as soon as one is no address."""
    found: dict[str, Address] = {}
    for name, address in pairs:
        spelled = canonical(address.strip())
        if spelled is None:
            return None
        found.setdefault(spelled.lower(), Address(spelled, one_line(name)[:_NAME_LIMIT]))
    return AddressList(tuple(found.values()))


def read(values: Iterable[bytes]) -> AddressList:
    """Addresses from raw header values. Group syntax is flattened; an empty group has no members."""
    found: dict[str, Address] = {}
    invalid: list[str] = []
    for value in values:
        plain, _ = decode(value, None)
        pairs = _pairs(plain)
        if "@" in plain and not any(address for _, address in pairs):
            pairs = [("", plain)]  # all of it in a comment or a quotation that never ends
        for name, address in pairs:
            readable = text(name.encode())
            salvaged = (
                [(readable, spelled)]
                if (spelled := canonical(address.strip()))
                else _salvage(readable, address)
            )
            for shown, one in salvaged:
                found.setdefault(one.lower(), Address(one, shown[:_NAME_LIMIT]))
            if not salvaged and (written := f"{readable} {one_line(address)}".strip()):
                invalid.append(written[:_SHOWN])
    return AddressList(tuple(found.values()), tuple(invalid))


def _pairs(plain: str) -> list[tuple[str, str]]:
    try:
        return getaddresses([plain])
    except (IndexError, ValueError, TypeError, AttributeError, RecursionError):
        return [("", plain)]


def _salvage(name: str, address: str) -> list[tuple[str, str]]:
    """Addresses hidden in what is no address: an encoded word around all of it, a stray comma or colon."""
    words = _BETWEEN_WORDS.split(f"{text(address.encode())} {name}")
    return [("", spelled) for word in words if (spelled := canonical(word.rstrip("."))) is not None]
