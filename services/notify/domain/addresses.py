"""Addresses as SMTP and headers take them: what cannot be written safely is no address for us."""

import re
from functools import lru_cache

import idna

ADDRESS_LIMIT = 254
"""Octets of an addr-spec (AMB-41, PA-8)."""
LOCAL_PART_LIMIT = 64
"""Octets before the @ (RFC 5321 4.5.3.1.1)."""

# RFC 5322's atext with RFC 6532's letters. Dots may stand anywhere: some providers hand out `a..b` and `a.`,
# and deliver to it. Quoted local parts are refused: nobody has one, and they carry everything else.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u00a1-\ud7ff\uf900-\uffef\U00010000-\U000effff]+")
_DOMAIN = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_LITERAL = re.compile(r"\[[0-9A-Fa-f:.]+\]|\[IPv6:[0-9A-Fa-f:.]+\]")


@lru_cache(maxsize=4096)
def sendable(address: str) -> str | None:
    """The addr-spec with its domain in lower-case A-labels (IDNA 2008); None if mail cannot go there."""
    local, at, domain = address.rpartition("@")
    spelled = _domain(domain)
    if not at or spelled is None or not _LOCAL_PART.fullmatch(local):
        return None
    if len(local.encode()) > LOCAL_PART_LIMIT or len(f"{local}@{spelled}".encode()) > ADDRESS_LIMIT:
        return None
    return f"{local}@{spelled}"


def compared(address: str) -> str:
    """What addresses are compared and counted by: one spelling for all that a person may type."""
    return (sendable(address) or address).casefold()


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str | None:
    if _LITERAL.fullmatch(domain):
        return domain
    try:
        ascii_domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except (UnicodeError, ValueError):
        return None
    return ascii_domain if _DOMAIN.fullmatch(ascii_domain) else None
