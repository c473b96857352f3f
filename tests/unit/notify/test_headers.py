"""Headers read back as what was meant, whatever people put into them (RFC 5322, 2047, 6532)."""

from collections.abc import Callable
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notify.domain.addresses import sendable
from services.notify.domain.headers import NAME_LIMIT, addresses, ids, name_addr, text
from services.notify.domain.mail import Person

names = st.text(max_size=NAME_LIMIT) | st.text('ab"\\,;:<>()@[]=? .é', max_size=NAME_LIMIT)
locals_ = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-z0-9]{1,10}){0,2}", fullmatch=True)
people = st.builds(lambda name, local: Person(f"{local}@example.org", name), names, locals_)


def read(name: str, value: str) -> EmailMessage:
    """A mail with this field, as its recipient's program reads it."""
    message = message_from_bytes(f"{name}: {value}\r\n\r\nx\r\n".encode(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@settings(max_examples=100)
@given(st.lists(people, min_size=1, max_size=8))
@example([Person("a@example.org", "A, B (c) " * 11)])
@example([Person("a@example.org", 'Müller, "Jürgen" <x@y.org>' * 3)])
def test_no_name_becomes_an_address(given_people: list[Person]) -> None:
    to = read("To", addresses(given_people))["To"]
    assert [each.addr_spec for each in to.addresses] == [each.address for each in given_people]


@settings(max_examples=100)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["C", "Z"])))
def test_a_name_reads_back_as_it_was(name: str) -> None:
    """Read by RFC 2047's own rules: the newer parser keeps the space between two encoded words."""
    field = f"To: {addresses([Person('a@example.org', name)])}\r\n\r\n"
    spelled, address = parseaddr(message_from_bytes(field.encode(), policy=policy.compat32)["To"])
    assert address == "a@example.org"
    assert str(make_header(decode_header(spelled))) == name[:NAME_LIMIT]


@settings(max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=300))
@example("x" * 998)
@example("Größe " * 50)
@example("=?utf-8?q?a?=")
def test_a_subject_reads_back_as_it_was(subject: str) -> None:
    assert " ".join(read("Subject", text(subject))["Subject"].split()) == " ".join(subject.split())


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("Subject", text),
        ("To", lambda value: addresses([Person("a@example.org", value)])),
        ("To", lambda value: addresses([Person(f"{value}@example.org")])),
        ("In-Reply-To", lambda value: ids([f"<{value}>"])),
    ],
    ids=["subject", "name", "address", "id"],
)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"])
def test_no_value_begins_a_new_header(name: str, write: Callable[[str], str], end: str) -> None:
    try:
        value = write(f"a{end}Bcc: b@example.org")
    except ValueError:
        return
    assert set(read(name, value)) == {name}


@pytest.mark.parametrize(
    "address",
    [
        "a@b@example.org",
        "a b@example.org",
        "<a>@example.org",
        "a,b@example.org",
        '"a b"@example.org',
        "a@",
        "@example.org",
        "a@exa mple.org",
        "a@-example.org",
        "a\x00@example.org",
        "a@example.org\r\nRCPT TO:<b@example.org>",
        "a" * 65 + "@example.org",
        "a@" + "b" * 260,
        "a@" + ".".join(["b" * 60] * 5),
    ],
)
def test_what_cannot_be_written_safely_is_no_address(address: str) -> None:
    """AMB-41."""
    assert sendable(address) is None
    with pytest.raises(ValueError, match="cannot be written"):
        name_addr(Person(address))


@pytest.mark.parametrize(
    "address",
    ["a@example.org", "a..b@example.org", "a.@example.org", "o'hara+x@example.org", "a@[192.0.2.1]"],
)
def test_what_providers_hand_out_is_an_address(address: str) -> None:
    assert sendable(address) == address


def test_254_octets_are_an_address_and_255_are_none() -> None:
    """AMB-41."""
    domain = ".".join(["d" * 61] * 3) + "." + "d" * 3
    local = "a" * (254 - len(domain) - 1)
    assert sendable(f"{local}@{domain}")
    assert sendable(f"{local}a@{domain}") is None
