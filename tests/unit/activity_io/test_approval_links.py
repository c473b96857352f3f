"""Links of approvers are signed: nobody else can make one, or make another one of his (A25)."""

import base64
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activity.approval_links import ApprovalLink, ApprovalLinks, without_link
from shared.keyring import Keyring

KEYRING = Keyring(2, {1: b"a" * 32, 2: b"b" * 32})
LINKS = ApprovalLinks(KEYRING, "https://mailroom.test/")
LINK = ApprovalLink("acme", UUID(int=0xAC), 1, 1, "lena")
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,62}", fullmatch=True)


@given(NAMES, st.uuids(), st.integers(1, 2**32 - 1), st.integers(1, 3), NAMES)
def test_a_link_says_again_what_it_was_made_of(
    organisation: str, action: UUID, number: int, level: int, approver: str
) -> None:
    link = ApprovalLink(organisation, action, number, level, approver)
    assert LINKS.read(LINKS.token(link)) == link


def test_it_stands_under_the_public_url() -> None:
    assert LINKS.url(LINK) == f"https://mailroom.test/v1/approvals/{LINKS.token(LINK)}"


@given(st.data())
def test_one_that_was_changed_anywhere_is_none(data: st.DataObject) -> None:
    signed = bytearray(base64.urlsafe_b64decode(LINKS.token(LINK) + "=="))
    place = data.draw(st.integers(0, len(signed) - 1))
    signed[place] ^= data.draw(st.integers(1, 255))
    assert LINKS.read(base64.urlsafe_b64encode(signed).rstrip(b"=").decode()) is None


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_whatever_else_comes_is_none(token: str) -> None:
    assert LINKS.read(token) is None


def test_a_key_that_signs_no_more_is_accepted_until_it_is_retired() -> None:
    older = ApprovalLinks(replace(KEYRING, signs=1), "").token(LINK)
    assert LINKS.read(older) == LINK
    assert ApprovalLinks(Keyring(2, {2: KEYRING.keys[2]}), "").read(older) is None


def test_another_key_of_the_same_number_signs_none_of_ours() -> None:
    assert LINKS.read(ApprovalLinks(Keyring(2, {2: b"c" * 32}), "").token(LINK)) is None


@pytest.mark.parametrize("before", ["See ", "<a href='"])
def test_a_text_is_kept_without_what_its_link_needs(before: str) -> None:
    text = without_link(f"{before}{LINKS.url(LINK)} please")
    assert text == f"{before}https://mailroom.test/v1/approvals/… please"


@pytest.mark.parametrize("mark", ["\n", "\n> ", "\r\n> > ", " \n| "])
@given(cut=st.integers(0, 60))
def test_a_link_that_is_quoted_in_broken_lines_leads_nowhere(mark: str, cut: int) -> None:
    token = LINKS.token(LINK)
    url = f"https://mailroom.test/v1/approvals/{token[:cut]}{mark}{token[cut:]}"
    text = without_link(f"> See {url}\n> please")
    assert token[22:42] not in text
    assert token[:22] not in text
    assert text.endswith("please")


def test_a_link_within_the_link_of_a_gateway_leads_nowhere() -> None:
    inner = LINKS.url(LINK).replace(":", "%3A").replace("/", "%2F")
    text = without_link(f"https://gateway.test/?url={inner}&data=05")
    assert text == "https://gateway.test/?url=https%3A%2F%2Fmailroom.test%2Fv1%2Fapprovals%2F…&data=05"


def test_a_text_about_links_stays_as_it_is() -> None:
    text = "Open /v1/approvals/ and look.\nOr ask."
    assert without_link(text) == text
