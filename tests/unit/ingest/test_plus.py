"""PA-2 to PA-5, PA-7, AMB-38, AMB-49: which recipients are ours, and what they say."""

import pytest

from services.ingest.domain.mailboxes import Mailbox, Mailboxes, PlusMode
from services.ingest.domain.plus import PlusReference, our_recipients
from shared.references import Reference, action, case, ticket
from tests.unit.ingest.desk import (
    CONVERSATION,
    DESK,
    KEYRING,
    ORGANISATION,
    addresses,
    desk_with,
    signed,
)


def plus(*written: str, desk: Mailboxes = DESK) -> list[PlusReference | None]:
    return [one.plus for one in our_recipients(KEYRING, desk, addresses(*written))]


def ours(*written: str, desk: Mailboxes = DESK) -> list[str]:
    return [one.address for one in our_recipients(KEYRING, desk, addresses(*written))]


@pytest.mark.parametrize("reference", [ticket(101203), case(10040), action(10040, 1, 1)])
def test_a_signed_address_names_its_activity_and_its_conversation(reference: Reference) -> None:
    (found,) = plus(signed("info@desk.example", reference))
    assert found is not None
    assert (found.reference, found.conversation, found.signed) == (reference, CONVERSATION, True)
    assert (found.base, found.mailbox) == ("info@desk.example", "info")


def test_a_token_alone_names_the_conversation_only() -> None:
    (found,) = plus(signed("info@desk.example", None))
    assert found is not None
    assert (found.reference, found.conversation, found.signed) == (None, CONVERSATION, True)


@pytest.mark.parametrize("written", ["info+101203-T@desk.example", "INFO+101203-t@Desk.example"])
def test_a_bare_reference_is_reported_as_not_signed(written: str) -> None:
    (found,) = plus(written)
    assert found is not None
    assert (found.reference, found.conversation, found.signed) == (ticket(101203), None, False)


def test_a_signature_of_another_organisation_leaves_a_bare_reference() -> None:
    (found,) = plus(signed("info@desk.example", ticket(5), organisation="other"))
    assert found is not None
    assert (found.reference, found.signed) == (ticket(5), False)


def test_an_alias_takes_plus_addresses_too() -> None:
    (found,) = plus("help+5-C@desk.example")
    assert found is not None
    assert (found.base, found.mailbox) == ("help@desk.example", "info")


@pytest.mark.parametrize("detail", ["newsletter", "5-X", "T-5", "5-C-A1", "5-T.tooshort", "5-T " * 20])
def test_any_other_detail_says_nothing_and_the_mail_is_for_the_mailbox(detail: str) -> None:
    written = f"info+{detail.strip()}@desk.example"
    assert plus(written) == [None]
    assert ours(written) == ["info@desk.example"]


@pytest.mark.parametrize(
    "written", ["info+5-T@other.example", "nobody+5-T@desk.example", "+5-T@desk.example"]
)
def test_a_reference_at_an_address_that_is_not_ours_is_ordinary(written: str) -> None:
    assert ours(written) == []


def test_with_plus_addressing_off_a_plus_address_is_an_ordinary_address() -> None:
    off = desk_with(PlusMode.OFF)
    assert ours(signed("info@desk.example", ticket(5)), "info@desk.example", desk=off) == [
        "info@desk.example"
    ]


@pytest.mark.parametrize("mode", [PlusMode.MIXED, PlusMode.ONLY])
def test_the_other_modes_read_plus_addresses(mode: PlusMode) -> None:
    (found,) = plus("info+5-T@desk.example", desk=desk_with(mode))
    assert found is not None


def test_mixed_is_the_default() -> None:
    assert Mailbox("info", "info@desk.example").plus_mode is PlusMode.MIXED


def test_an_alias_with_a_plus_of_its_own_is_taken_whole() -> None:
    desk = Mailboxes.of(ORGANISATION, [Mailbox("eu", "eu@desk.example", aliases=("info+5-T@desk.example",))])
    assert ours("info+5-T@desk.example", desk=desk) == ["info+5-t@desk.example"]


def test_an_international_domain_is_the_same_in_both_spellings() -> None:
    desk = Mailboxes.of(ORGANISATION, [Mailbox("info", "info@müller.example")])
    assert ours("info@xn--mller-kva.example", desk=desk) == ["info@xn--mller-kva.example"]
