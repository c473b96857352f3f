"""BL-1: whose mail is not welcome."""

import pytest

from services.ingest.domain.blocking import BlockMode, blocked, blocked_as
from services.ingest.domain.decide import Received, decide
from services.ingest.domain.mail import Address
from services.ingest.domain.mailboxes import Mailboxes
from services.ingest.routing import mailboxes_of
from shared.contracts.activity_organisation import Blocked
from shared.contracts.activity_organisation import BlockMode as ConfiguredMode
from shared.organisation import Organisation
from tests.unit.ingest.desk import DESK, INFO, KEYRING, mail

LIST = blocked(
    [
        ("*@spam.example", BlockMode.REJECT),
        ("Ann@Spam.example", BlockMode.TICKETS),
        ("*@b\u00fccher.example", BlockMode.TICKETS_AND_CASES),
    ]
)


@pytest.mark.parametrize(
    ("sender", "mode"),
    [
        ("bob@spam.example", BlockMode.REJECT),
        ("ann@spam.example", BlockMode.TICKETS),
        ("ANN@spam.example", BlockMode.TICKETS),
        ("eve@xn--bcher-kva.example", BlockMode.TICKETS_AND_CASES),
        ("bob@sub.spam.example", None),
        ("bob@notspam.example", None),
        ("spam.example@else.example", None),
    ],
)
def test_an_address_counts_before_its_domain_and_subdomains_are_others(
    sender: str, mode: BlockMode | None
) -> None:
    assert blocked_as(LIST, Address(sender)) is mode


def test_a_mail_without_a_sender_is_not_blocked() -> None:
    assert blocked_as(LIST, None) is None


def test_a_blocked_senders_mail_goes_on_to_activity_and_says_how_it_is_blocked() -> None:
    desk = Mailboxes.of(DESK.organisation, DESK.mailboxes, LIST)
    decided = decide(
        mail(to=(INFO.address,), sender=Address("bob@spam.example")), "info", desk, {}, keyring=KEYRING
    )
    assert isinstance(decided, Received)
    assert decided.facts.blocked is BlockMode.REJECT
    assert "blocked sender: reject" in decided.facts.explanation
    assert all("spam.example" not in line for line in decided.facts.explanation)
    assert decided.facts.targets[0].routed


def test_the_list_comes_from_the_organisations_configuration() -> None:
    organisation = Organisation(
        "acme", 1, blocked=(Blocked(address="*@spam.example", mode=ConfiguredMode.REJECT),)
    )
    found = mailboxes_of(organisation).blocked
    assert blocked_as(found, Address("bob@spam.example")) is BlockMode.REJECT
    assert {mode.value for mode in BlockMode} == {mode.value for mode in ConfiguredMode}
