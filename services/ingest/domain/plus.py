"""Which recipients are ours, and what their plus part says (PA-2 to PA-4, PA-7, AMB-38, AMB-49)."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.ingest.domain.mail import Address
from services.ingest.domain.mailboxes import Mailbox, Mailboxes, PlusMode
from shared.keyring import Keyring
from shared.references import Reference
from shared.tokens import Signature, parse_plus_address


@dataclass(frozen=True, slots=True)
class PlusReference:
    """A plus address of ours among the recipients.

    `address` is the whole plus address, `base` the mailbox's address or alias before the plus, both folded.
    Signed: the token is valid and names `conversation`; `reference` may be missing. Not signed: a bare or
    wrongly signed reference, which counts only if the sender is a participant (activity knows).
    """

    address: str
    base: str
    mailbox: str
    reference: Reference | None
    conversation: str | None
    signed: bool


@dataclass(frozen=True, slots=True)
class Recipient:
    """A To or Cc address of one of our mailboxes. `address` is the mailbox's address or alias, folded."""

    mailbox: Mailbox
    address: str
    plus: PlusReference | None = None


def our_recipients(keyring: Keyring, mailboxes: Mailboxes, addresses: Iterable[Address]) -> list[Recipient]:
    """The recipients that are ours, in the header's order."""
    return [
        recipient
        for address in addresses
        if (recipient := _our_recipient(keyring, mailboxes, address.folded)) is not None
    ]


def _our_recipient(keyring: Keyring, mailboxes: Mailboxes, address: str) -> Recipient | None:
    # An alias may have a plus of its own: the whole address comes first.
    if (mailbox := mailboxes.at(address)) is not None:
        return Recipient(mailbox, address)
    base = _without_plus(address)
    if base is None or (mailbox := mailboxes.at(base)) is None or mailbox.plus_mode is PlusMode.OFF:
        return None
    read = parse_plus_address(keyring, mailboxes.organisation, address)
    if read is None or (read.reference is None and read.signature is not Signature.VALID):
        # Somebody's own detail (`info+newsletter@…`) or a broken token: it says nothing of ours.
        return Recipient(mailbox, base)
    plus = PlusReference(
        address=address,
        base=base,
        mailbox=mailbox.name,
        reference=read.reference,
        conversation=read.conversation,
        signed=read.signature is Signature.VALID,
    )
    return Recipient(mailbox, base, plus)


def _without_plus(address: str) -> str | None:
    """The address before its last plus; None if it has none."""
    local, _, domain = address.rpartition("@")
    base, plus, _ = local.rpartition("+")
    return f"{base}@{domain}" if plus and base else None
