"""Whose mail is not welcome, and how it is kept out (BL-1)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from services.ingest.domain.addresses import canonical_domain, folded
from services.ingest.domain.mail import Address

_ALL = "*@"


class BlockMode(StrEnum):
    """What mail of a blocked sender leads to (BL-1).

    Tickets, or Tickets and Cases, without any automatic mail; or a Ticket that is closed at once.
    """

    TICKETS = "tickets"
    TICKETS_AND_CASES = "tickets_and_cases"
    REJECT = "reject"


Blocked = Mapping[str, BlockMode]
"""Modes by address, or by `*@domain`, in the spelling that addresses are compared by."""


def blocked(patterns: Iterable[tuple[str, BlockMode]]) -> Blocked:
    """The list as an organisation writes it, ready to be asked. The first of two that are equal counts."""
    found: dict[str, BlockMode] = {}
    for pattern, mode in patterns:
        domain = pattern.removeprefix(_ALL)
        found.setdefault(f"{_ALL}{canonical_domain(domain)}" if domain != pattern else folded(pattern), mode)
    return found


def blocked_as(list_: Blocked, sender: Address | None) -> BlockMode | None:
    """How this sender is kept out. The address itself counts before its domain; subdomains are others."""
    if sender is None:
        return None
    return list_.get(sender.folded) or list_.get(f"{_ALL}{sender.domain}")
