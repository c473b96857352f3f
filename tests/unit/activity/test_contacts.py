"""Who an activity is about (section 9 of the catalogue)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activity.domain.contacts import (
    EXCLUSIVE,
    KnownContact,
    NewContact,
    TagChange,
    Tagged,
    all_four,
    changes,
    contact_of_sender,
    going_on,
)
from services.activity.domain.person_names import names_from_address, names_from_display_name
from services.activity.domain.vocabulary import Tag

JANE, JOHN = UUID(int=1), UUID(int=2)
COMPANIES = ("acme-labs", "acme")


@pytest.mark.parametrize(
    ("display_name", "first", "last"),
    [
        ("Dupont, Marie", "Marie", "Dupont"),
        ("Dupont, Marie Anne", "Marie", "Dupont"),
        ("de la Tour, Jean, Dr", "Jean", "de la Tour"),
        ("Dupont,", "", "Dupont"),
        ("Marie Dupont", "Marie", "Dupont"),
        ("Marie Anne  Dupont", "Marie", "Dupont"),
        ("  Marie\tDupont ", "Marie", "Dupont"),
        ("Marie", "", ""),
        ("", "", ""),
    ],
)
def test_names_come_from_the_display_name(display_name: str, first: str, last: str) -> None:
    """CT-13."""
    assert names_from_display_name(display_name) == (first, last)


@given(st.text(max_size=40))
def test_any_display_name_gives_names_without_space_around(display_name: str) -> None:
    """CT-13: whatever real mail brings."""
    for name in names_from_display_name(display_name):
        assert name == name.strip()


@pytest.mark.parametrize(
    ("address", "first", "last"),
    [
        ("marie.dupont@harbour.test", "Marie", "Dupont"),
        ("marie-anne.dupont2+news@harbour.test", "Marie", "Dupont"),
        ("MARIE_DUPONT@harbour.test", "Marie", "Dupont"),
        ("marie@harbour.test", "Marie", ""),
        ("john..doe.@harbour.test", "John", "Doe"),
        ("4711@harbour.test", "", ""),
        ("+x@harbour.test", "", ""),
        ("", "", ""),
    ],
)
def test_names_come_from_a_typed_address(address: str, first: str, last: str) -> None:
    """CT-14."""
    assert names_from_address(address) == (first, last)


@given(st.text(max_size=40))
def test_any_address_gives_names_without_plus_part_digits_or_space(address: str) -> None:
    """CT-14."""
    for name in names_from_address(address):
        assert name == name.strip()
        assert not set(name) & set("+0123456789._-")


def test_a_known_sender_is_used_as_he_is() -> None:
    """CT-5, CT-10: a global contact, or one of the company or its parents."""
    for company in (None, "acme", "acme-labs"):
        known = KnownContact(JANE, company)
        assert (
            contact_of_sender(known, "jane@acme.example", "", companies=COMPANIES, automatic_contacts=False)
            == JANE
        )


def test_a_contact_of_another_company_is_neither_attached_nor_made_twice() -> None:
    """CT-11, CT-15, AMB-20."""
    known = KnownContact(JANE, "globex")
    assert not contact_of_sender(known, "j@globex.example", "", companies=COMPANIES, automatic_contacts=True)


def test_an_unknown_sender_becomes_a_contact_where_that_is_wanted() -> None:
    """CT-12, CT-13, CT-16."""
    sender = ("jane@acme.example", "Doe, Jane")
    made = contact_of_sender(None, *sender, companies=COMPANIES, automatic_contacts=True)
    assert made == NewContact("jane@acme.example", "Jane", "Doe")
    assert contact_of_sender(None, *sender, companies=COMPANIES, automatic_contacts=False) is None
    assert contact_of_sender(None, "", "", companies=COMPANIES, automatic_contacts=True) is None


def test_a_new_senders_contact_is_local_where_that_is_the_scope() -> None:
    """CT-12; an agent of another company is none of this one's (CT-10)."""
    sender = ("jane@acme.example", "Jane Doe")
    made = contact_of_sender(None, *sender, companies=COMPANIES, automatic_contacts=True, local_to="acme")
    assert made == NewContact("jane@acme.example", "Jane", "Doe", "acme")
    other = contact_of_sender(None, *sender, companies=COMPANIES, automatic_contacts=True, local_to="globex")
    assert other is None


def test_who_is_put_on_it_brings_the_extra_tag_along() -> None:
    """CT-17: unless the same step gives that tag to somebody."""
    contacts = frozenset(all_four(JANE))
    extra = [Tagged(Tag.SUBJECT, JOHN)]
    copied = changes(contacts, given=[Tagged(Tag.CC, JOHN)], extra=extra)
    assert TagChange(Tagged(Tag.SUBJECT, JOHN)) in copied
    assert TagChange(Tagged(Tag.SUBJECT, JANE), removed=True) in copied
    said = [Tagged(Tag.CC, JOHN), Tagged(Tag.SUBJECT, JANE)]
    assert changes(contacts, given=said, extra=extra) == (TagChange(Tagged(Tag.CC, JOHN)),)
    assert changes(contacts, given=[Tagged(Tag.CC, JANE)], extra=[Tagged(Tag.CC, JOHN)]) == (
        TagChange(Tagged(Tag.CC, JANE)),
    )


@pytest.mark.parametrize(
    ("held", "wins"), [(Tag.PRIMARY_CONTACT, JANE), (Tag.REQUESTER, JANE), (Tag.ORIGINAL_REQUESTER, JOHN)]
)
def test_of_two_with_the_same_extra_tag_who_weighs_more_holds_it(held: Tag, wins: UUID) -> None:
    """CT-17: Primary Contact, Requester, Subject, CC, others."""
    contacts = frozenset({Tagged(held, JANE), Tagged(Tag.SUBJECT, JANE)})
    extra = [Tagged(Tag.SUBJECT, JANE), Tagged(Tag.SUBJECT, JOHN)]
    after = contacts
    for change in changes(contacts, given=[Tagged(Tag.CC, JOHN)], extra=extra):
        after = after ^ {change.tagged}
    assert Tagged(Tag.SUBJECT, wins) in after


def test_a_sender_with_an_extra_tag_of_copies_is_in_copy_too() -> None:
    """CT-5, CT-17."""
    assert set(going_on(JANE, (), [Tagged(Tag.CC, JANE)])) == {*all_four(JANE), Tagged(Tag.CC, JANE)}


def test_the_first_contact_gets_all_four_tags() -> None:
    """CT-2, CT-6; what is said explicitly wins."""
    first = (Tagged(Tag.PRIMARY_CONTACT, JANE),)
    assert {change.tagged for change in changes(frozenset(), given=first)} == set(all_four(JANE))
    both = (*first, Tagged(Tag.REQUESTER, JOHN))
    given_now = {change.tagged for change in changes(frozenset(), given=both)}
    assert Tagged(Tag.REQUESTER, JOHN) in given_now
    assert Tagged(Tag.REQUESTER, JANE) not in given_now


def test_a_tag_moves_from_its_holder() -> None:
    """CT-3: the removal stands in front."""
    contacts = frozenset(all_four(JANE))
    assert changes(contacts, given=[Tagged(Tag.SUBJECT, JOHN)]) == (
        TagChange(Tagged(Tag.SUBJECT, JANE), removed=True),
        TagChange(Tagged(Tag.SUBJECT, JOHN)),
    )


def test_every_tag_can_be_taken_away() -> None:
    """AMB-19, CT-5."""
    contacts = frozenset(all_four(JANE))
    assert {change.tagged for change in changes(contacts, taken=contacts)} == contacts


TAGGED = st.builds(Tagged, st.sampled_from(Tag), st.sampled_from([JANE, JOHN, UUID(int=3)]))


@given(
    st.lists(st.tuples(st.lists(TAGGED, max_size=4), st.lists(TAGGED, max_size=4)), max_size=5),
    st.lists(TAGGED, max_size=3),
)
def test_no_order_of_changes_gives_an_exclusive_tag_two_holders(
    rounds: list[tuple[list[Tagged], list[Tagged]]], extra: list[Tagged]
) -> None:
    """CT-3: after each single change, not only at the end."""
    contacts: frozenset[Tagged] = frozenset()
    for given_now, taken in rounds:
        for change in changes(contacts, given=given_now, taken=taken, extra=extra):
            assert (change.tagged in contacts) is change.removed
            contacts = contacts ^ {change.tagged}
            tags = [tagged.tag for tagged in contacts]
            assert all(tags.count(tag) <= 1 for tag in EXCLUSIVE)
        assert set(given_now[-1:]) <= contacts


def test_who_was_on_a_closed_one_comes_along_behind_the_sender() -> None:
    """IN-14, CT-3, CT-5: the sender gets all four tags, and those whom he leaves without one get copies."""
    was = (*all_four(JANE), Tagged(Tag.CC, JOHN))
    assert set(going_on(JANE, was)) == set(was)
    other = UUID(int=3)
    copied = {Tagged(Tag.CC, JANE), Tagged(Tag.CC, JOHN)}
    assert set(going_on(other, was)) == {*all_four(other), *copied}
    assert set(going_on(JOHN, was)) == {*all_four(JOHN), *copied}


def test_without_a_known_sender_everybody_keeps_his_tags() -> None:
    """IN-14, CT-12: the first of several closed ones wins a tag."""
    was = (Tagged(Tag.PRIMARY_CONTACT, JANE), Tagged(Tag.REQUESTER, JOHN))
    assert set(going_on(None, was)) == set(was)
    before = (Tagged(Tag.PRIMARY_CONTACT, JOHN), Tagged(Tag.SUBJECT, JANE))
    assert set(going_on(None, (*was, *before))) == {*was, Tagged(Tag.SUBJECT, JANE)}
    assert going_on(None, [Tagged(Tag.CC, JOHN)]) == (Tagged(Tag.CC, JOHN),)


@given(st.none() | st.sampled_from([JANE, UUID(int=4)]), st.lists(TAGGED, max_size=9))
def test_nobody_is_lost_and_nobody_made_up_when_a_thread_goes_on(
    sender: UUID | None, earlier: list[Tagged]
) -> None:
    """IN-14, CT-3, CT-5."""
    now = going_on(sender, earlier)
    tags = [tagged.tag for tagged in now]
    assert all(tags.count(tag) <= 1 for tag in EXCLUSIVE)
    assert {tagged.contact for tagged in now} == {tagged.contact for tagged in earlier} | {sender} - {None}
    assert sender is None or set(all_four(sender)) <= set(now)
    assert {tagged for tagged in earlier if tagged.tag is Tag.CC} <= set(now)
