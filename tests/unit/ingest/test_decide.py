"""RT-6, UH-1, IN-5, AMB-8, AMB-10: what becomes of a mail."""

import pytest

from services.ingest.domain.decide import (
    Decision,
    Facts,
    OwnMail,
    Received,
    Unhandled,
    UnhandledReason,
    decide,
)
from services.ingest.domain.mail import ParsedMail
from services.ingest.domain.mailboxes import Mailboxes, PlusMode
from shared.references import case, ticket
from tests.unit.ingest.desk import (
    CONVERSATION,
    DESK,
    KEYRING,
    desk_with,
    mail,
    our_message_id,
    signed,
)

INFO, SALES, HELP, OLD = "info@desk.example", "sales@desk.example", "help@desk.example", "old@desk.example"


def decided(one: ParsedMail, desk: Mailboxes = DESK, known: dict[str, str] | None = None) -> Decision:
    return decide(one, "info", desk, known or {}, keyring=KEYRING)


def facts(decision: Decision) -> Facts:
    assert isinstance(decision, Received), decision
    return decision.facts


# (To, Cc, how many activities may open, unhandled). Bcc is what is in neither (RT-6).
SCENARIOS = {
    "one routed address in To": ((INFO,), (), 1, False),
    "one routed address in Cc": (("a@else.example",), (INFO,), 1, False),
    "two routed addresses in To": ((INFO, SALES), (), 2, False),
    "two routed addresses in To and Cc": ((INFO,), (SALES,), 2, False),
    "two addresses of one mailbox": ((INFO, HELP), (), 2, False),
    "To and Cc and Bcc": ((SALES,), (HELP,), 2, False),
    "To and Bcc": ((SALES,), (), 1, False),
    "Bcc only": (("a@else.example",), (), 0, True),
    "no recipient at all": ((), (), 0, True),
    "one address without a route": ((OLD,), (), 0, True),
    "one without and one with a route": ((OLD,), (INFO,), 1, False),
    "the same address in To and Cc": ((INFO,), ("Info@Desk.example",), 1, False),
}


@pytest.mark.parametrize(("to", "cc", "opened", "unhandled"), SCENARIOS.values(), ids=SCENARIOS.keys())
def test_each_routed_address_in_to_and_cc_gives_one_activity(
    to: tuple[str, ...], cc: tuple[str, ...], opened: int, unhandled: bool
) -> None:
    decision = decided(mail(to=to, cc=cc))
    assert isinstance(decision, Unhandled) is unhandled
    assert not isinstance(decision, OwnMail)
    assert sum(target.routed is not None for target in decision.facts.targets) == opened


def test_an_unhandled_mail_says_why_and_where_it_was_found() -> None:
    bcc, alias = decided(mail(to=("a@else.example",))), decided(mail(to=(OLD,)))
    assert isinstance(bcc, Unhandled)
    assert isinstance(alias, Unhandled)
    assert (bcc.reason, bcc.mailbox) == (UnhandledReason.NOT_ADDRESSED, "info")
    assert alias.reason is UnhandledReason.NO_ROUTE


def test_a_mail_that_could_not_be_read_waits_for_an_operator() -> None:
    decision = decided(mail(to=(INFO,), unparsed_reason="the parser died of SIGSEGV"))
    assert isinstance(decision, Unhandled)
    assert decision.reason is UnhandledReason.UNREADABLE
    assert "unparsed: the parser died of SIGSEGV" in decision.facts.explanation


def test_every_copy_of_a_mail_finds_the_same_targets() -> None:
    one = mail(to=(INFO,), cc=(SALES,))
    copies = [decide(one, box, DESK, {}, keyring=KEYRING) for box in ("info", "sales")]
    assert facts(copies[0]) == facts(copies[1])


def test_our_own_mail_is_dropped_before_any_other_rule() -> None:
    """IN-5, IT-7."""
    own = decided(mail(to=(INFO,), message_id=our_message_id(ticket(7)), unparsed_reason="x"))
    assert isinstance(own, OwnMail)
    assert (own.message.reference, own.message.conversation) == (ticket(7), CONVERSATION)


def test_a_forged_message_id_of_ours_is_anybodys_mail() -> None:
    forged = our_message_id(ticket(7), organisation="other")
    assert isinstance(decided(mail(to=(INFO,), message_id=forged)), Received)


def test_plus_addresses_stand_with_the_mail_and_with_their_target() -> None:
    first, second = signed(INFO, ticket(7)), "info+8-C@desk.example"
    got = facts(decided(mail(to=(first, INFO, SALES), cc=(second,))))
    assert [(one.reference, one.signed) for one in got.plus] == [(ticket(7), True), (case(8), False)]
    assert [(target.address, len(target.plus)) for target in got.targets] == [(INFO, 2), (SALES, 0)]
    assert got.conversation == CONVERSATION


def test_an_answer_to_an_alias_without_a_route_can_still_append() -> None:
    by_plus = decided(mail(to=("old+7-T@desk.example",)))
    by_our_mail = decided(mail(to=(OLD,), in_reply_to=(our_message_id(ticket(7)),)))
    by_known = decided(mail(to=(OLD,), in_reply_to=("k@x",)), known={"k@x": "a" * 16})
    for decision in (by_plus, by_our_mail, by_known):
        assert [target.routed for target in facts(decision).targets] == [None]
    only_referenced = decided(mail(to=(OLD,), references=(our_message_id(),)))
    assert isinstance(only_referenced, Unhandled)


def test_answers_say_which_mail_of_ours_they_answer() -> None:
    ours = our_message_id(ticket(7))
    (answered,) = facts(decided(mail(to=(INFO,), in_reply_to=(ours,), references=("a@x", ours)))).answered
    assert (answered.message_id, answered.reference, answered.direct) == (ours, ticket(7), True)


def test_with_plus_addressing_only_our_own_mail_is_no_match() -> None:
    """AMB-8, IN-2: the conversation still keeps its order."""
    one = mail(to=(INFO,), in_reply_to=(our_message_id(ticket(7)),))
    got = facts(decided(one, desk_with(PlusMode.ONLY)))
    assert (got.answered, got.conversation) == ((), CONVERSATION)
    assert facts(decided(one, desk_with(PlusMode.OFF))).answered != ()


def test_recipients_that_are_none_are_left_out_and_the_others_get_the_mail() -> None:
    """RT-8: unhandled only where nothing else is left."""
    got = facts(decided(mail(to=(INFO,), invalid_addresses=("jane@",))))
    assert [target.address for target in got.targets] == [INFO]
    assert "unreadable recipients: 1" in got.explanation
    nobody = decided(mail(invalid_addresses=("jane@",)))
    assert isinstance(nobody, Unhandled)
    assert "unreadable recipients: 1" in nobody.facts.explanation


def test_the_explanation_names_the_rules_and_nobodys_address() -> None:
    one = mail(
        to=(INFO, "info+7-T@desk.example"), headers={"return-path": "<>"}, invalid_addresses=("jane@",)
    )
    assert facts(decided(one)).explanation == (
        "automatic: empty return-path",
        "conversation: itself",
        "plus address at info: 7-T, not signed, counts for participants only",
        "addressed info: route fallback",
        "unreadable recipients: 1",
    )


def test_another_mail_with_a_used_message_id_has_a_conversation_of_its_own() -> None:
    one = mail(to=(INFO,))
    other = decide(one, "info", DESK, {}, keyring=KEYRING, key="another key")
    assert facts(other).conversation != facts(decided(one)).conversation
