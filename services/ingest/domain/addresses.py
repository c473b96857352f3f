"""One spelling for each address, so that addresses can be compared."""

import re
from functools import lru_cache

import idna

ADDRESS_LIMIT = 254
"""Characters of an addr-spec (AMB-41)."""

# As loose as real mail is, and as strict as the contracts: no spaces, one @, none of the header's own signs.
_PLAIN = r"[^\s@<>()\[\]:;,\\\"\x00-\x1f\x7f]"
_ADDR_SPEC = re.compile(rf"{_PLAIN}+@(?:{_PLAIN}+|\[[\w.:]+\])")


def canonical(address: str) -> str | None:
    """The addr-spec with its domain in lower-case ASCII (A-labels, IDNA 2008); None if it is no address."""
    if address.startswith('"'):  # "jane"@example.org is jane@example.org (RFC 5322 3.2.4)
        address = address[1:].replace('"@', "@", 1)
    if not _ADDR_SPEC.fullmatch(address):
        return None
    local, _, domain = address.rpartition("@")
    domain = canonical_domain(domain)
    spelled = f"{local}@{domain}"
    return spelled if domain and len(spelled) <= ADDRESS_LIMIT else None


@lru_cache(maxsize=4096)
def canonical_domain(domain: str) -> str:
    """A domain in lower-case A-labels; one that IDNA refuses stays as it is, in lower case."""
    lower = domain.lower().rstrip(".")
    if lower.isascii():
        return lower
    try:
        return idna.encode(lower, uts46=True).decode("ascii")
    except (UnicodeError, ValueError):
        return lower


def folded(address: str) -> str:
    """What addresses are compared by: canonical, and the local part in lower case too."""
    return (canonical(address) or address).lower()
