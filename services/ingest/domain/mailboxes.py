"""An organisation's mailboxes and their routes, as far as decisions about mail need them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from services.ingest.domain.addresses import folded
from services.ingest.domain.blocking import Blocked


class PlusMode(StrEnum):
    """How a mailbox reads plus addresses (PA-5, AMB-49)."""

    OFF = "off"
    MIXED = "mixed"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a mail has to meet; all that is given must hold (RT-3).

    Within a list any entry will do. `recipients` and `senders` hold addresses, or a domain behind a `*`.
    """

    important: bool | None = None
    attachment_extensions: tuple[str, ...] = ()
    subject_keywords: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """Where mail to one address of a mailbox goes (RT-2); `in_test` says that its process is in test now."""

    name: str
    address: str
    process: str
    category: str | None = None
    send_automated_emails: bool = False
    test_mode: bool = False
    enabled: bool = True
    in_test: bool = False
    criteria: Criteria = Criteria()


@dataclass(frozen=True, slots=True)
class Fallback:
    """The last route of the primary address: always enabled, without criteria (RT-4)."""

    process: str
    category: str | None = None
    send_automated_emails: bool = False
    in_test: bool = False


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One connector: its addresses and its routes in order (RT-1)."""

    name: str
    address: str
    aliases: tuple[str, ...] = ()
    plus_mode: PlusMode = PlusMode.MIXED
    routes: tuple[Route, ...] = ()
    fallback: Fallback | None = None


@dataclass(frozen=True)
class Mailboxes:
    """All mailboxes of one organisation, and whose mail is not welcome in any (BL-1)."""

    organisation: str
    mailboxes: tuple[Mailbox, ...]
    blocked: Blocked = field(default_factory=dict)

    @classmethod
    def of(
        cls, organisation: str, mailboxes: Iterable[Mailbox], blocked: Blocked | None = None
    ) -> "Mailboxes":
        return cls(organisation, tuple(mailboxes), blocked or {})

    def at(self, address: str) -> Mailbox | None:
        """The mailbox whose address or alias this is, in any case of letters; the first one wins."""
        return self._by_address.get(folded(address))

    @cached_property
    def _by_address(self) -> dict[str, Mailbox]:
        found: dict[str, Mailbox] = {}
        for mailbox in self.mailboxes:
            for address in (mailbox.address, *mailbox.aliases):
                found.setdefault(folded(address), mailbox)
        return found
