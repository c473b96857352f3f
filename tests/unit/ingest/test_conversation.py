"""Design §1: where a mail's conversation comes from."""

from collections import ChainMap

from services.ingest.domain.conversation import (
    Conversation,
    find_conversation,
    mails_of_ours_answered,
    parents,
)
from services.ingest.domain.keys import key_of_message_id, mail_key
from services.ingest.domain.mail import ParsedMail
from services.ingest.domain.plus import our_recipients
from shared.references import ticket
from shared.tokens import conversation_of_root
from tests.unit.ingest.desk import (
    CONVERSATION,
    DESK,
    KEYRING,
    ORGANISATION,
    mail,
    our_message_id,
    signed,
)


def found(one: ParsedMail, known: dict[str, str] | ChainMap[str, str] | None = None) -> Conversation:
    recipients = our_recipients(KEYRING, DESK, one.to)
    return find_conversation(
        ORGANISATION,
        mail_key(ORGANISATION, one),
        one,
        mails_of_ours_answered(KEYRING, ORGANISATION, one),
        [recipient.plus for recipient in recipients if recipient.plus],
        known or {},
    )


def root(message_id: str) -> str:
    return conversation_of_root(ORGANISATION, key_of_message_id(ORGANISATION, message_id))


def test_an_answer_to_our_mail_comes_home_by_the_token_in_the_message_id() -> None:
    answer = mail(in_reply_to=(our_message_id(ticket(7)),), references=("r@x",))
    assert found(answer, {"r@x": "f" * 16}) == Conversation(CONVERSATION, "own message-id")


def test_our_mail_further_up_in_the_references_counts_as_well() -> None:
    answer = mail(in_reply_to=("other@x",), references=("r@x", our_message_id(), "other@x"))
    assert found(answer) == Conversation(CONVERSATION, "own message-id")
    assert [one.direct for one in mails_of_ours_answered(KEYRING, ORGANISATION, answer)] == [False]


def test_a_token_of_another_organisation_is_nothing_to_us() -> None:
    forged = mail(in_reply_to=(our_message_id(organisation="other"),))
    assert mails_of_ours_answered(KEYRING, ORGANISATION, forged) == ()
    assert found(forged).found_by == "named root"


def test_a_relay_that_rewrites_message_ids_still_leaves_the_plus_address() -> None:
    answer = mail(to=(signed("info@desk.example", ticket(7)),), in_reply_to=("rewritten@x",))
    assert found(answer) == Conversation(CONVERSATION, "signed plus address")


def test_a_bare_reference_decides_no_conversation() -> None:
    assert found(mail(to=("info+7-T@desk.example",))).found_by == "itself"


def test_the_nearest_known_parent_decides_and_the_batch_comes_before_the_table() -> None:
    answer = mail(in_reply_to=("b@x",), references=("a@x", "b@x"))
    assert parents(answer) == ("b@x", "a@x")
    assert found(answer, {"a@x": "a" * 16}) == Conversation("a" * 16, "known parent")
    assert found(answer, ChainMap({"b@x": "b" * 16}, {"b@x": "0" * 16, "a@x": "a" * 16})).id == "b" * 16


def test_a_reply_that_overtakes_its_root_lands_in_the_same_conversation() -> None:
    first = mail(message_id="root@x")
    reply = mail(message_id="reply@x", in_reply_to=("root@x",))
    later = mail(message_id="later@x", in_reply_to=("reply@x",), references=("root@x", "reply@x"))
    assert {found(first).id, found(reply).id, found(later).id} == {root("root@x")}


def test_a_mail_without_parents_begins_its_own_conversation() -> None:
    assert found(mail()) == Conversation(root("m1@customer.example"), "itself")
    assert found(mail(message_id=None, digest="d")).id != found(mail(message_id=None, digest="e")).id
