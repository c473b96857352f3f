"""Signed plus addresses and Message-IDs: AMB-38, PA-2, PA-7, PA-8."""

import json
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import references, tokens
from shared.keyring import Keyring, generate_keyring
from shared.references import Reference
from shared.tokens import Signature

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "token_vectors.json").read_text())
KEYS = VECTORS["keys"]
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
CONVERSATION = "924dec7f901f611a"
TICKET = references.ticket(101203)
MAIL_ID = UUID("01920000-0000-7000-8000-000000000001")

conversations = st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}")
organisations = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20)
existing = st.one_of(
    st.builds(references.ticket, st.integers(1, 10**18 - 1)),
    st.builds(references.case, st.integers(1, 10**9)),
    st.builds(references.action, st.integers(1, 10**9), st.integers(1, 99), st.integers(1, 99)),
)
optional_references = st.one_of(st.none(), existing)


def keyring(signs: int = 1, *accepted: int) -> Keyring:
    names = {str(number) for number in (signs, *accepted)}
    return Keyring.parse(json.dumps({"signs": signs, "keys": {name: KEYS[name] for name in names}}))


ALL_KEYS = keyring(1, 0, 31)


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["token"][:8])
def test_the_vectors_are_signed_and_verified_as_written(vector: dict[str, str]) -> None:
    reference = references.parse(vector["reference"])
    signing = keyring(int(vector["key_id"]))
    assert tokens.sign(signing, vector["organisation"], vector["conversation"], reference) == vector["token"]
    verified = tokens.verify(ALL_KEYS, vector["organisation"], vector["token"], reference)
    assert verified == vector["conversation"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_the_vectors_that_are_refused(vector: dict[str, str]) -> None:
    reference = references.parse(vector["reference"])
    assert tokens.verify(ALL_KEYS, vector["organisation"], vector["token"], reference) is None


@pytest.mark.parametrize("vector", VECTORS["conversations"], ids=lambda vector: vector["conversation"])
def test_the_vectors_of_conversations(vector: dict[str, str]) -> None:
    organisation, key = vector["organisation"], vector["key"]
    if vector["from"] == "mail":
        assert tokens.conversation_of_root(organisation, key) == vector["conversation"]
    else:
        assert tokens.conversation_of_activity(organisation, UUID(key)) == vector["conversation"]


@given(organisations, conversations, optional_references)
def test_what_is_signed_verifies_in_either_case(
    organisation: str, conversation: str, reference: Reference | None
) -> None:
    token = tokens.sign(ALL_KEYS, organisation, conversation, reference)
    assert len(token) == tokens.TOKEN_LENGTH
    assert token == token.lower()
    assert tokens.verify(ALL_KEYS, organisation, token, reference) == conversation
    assert tokens.verify(ALL_KEYS, organisation, token.upper(), reference) == conversation


@given(conversations, optional_references, st.integers(0, tokens.TOKEN_LENGTH - 1), st.sampled_from(ALPHABET))
def test_any_changed_character_is_refused(
    conversation: str, reference: Reference | None, at: int, character: str
) -> None:
    token = tokens.sign(ALL_KEYS, "acme", conversation, reference)
    changed = token[:at] + character + token[at + 1 :]
    verified = tokens.verify(ALL_KEYS, "acme", changed, reference)
    assert verified == (conversation if changed == token else None)


@given(conversations, organisations, existing, optional_references)
def test_a_token_holds_for_its_organisation_and_reference_only(
    conversation: str, other: str, reference: Reference, another: Reference | None
) -> None:
    token = tokens.sign(ALL_KEYS, "acme", conversation, reference)
    same = other == "acme" and another == reference
    assert tokens.verify(ALL_KEYS, other, token, another) == (conversation if same else None)


@given(st.text(max_size=60))
def test_any_text_may_be_asked_about(text: str) -> None:
    assert tokens.verify(ALL_KEYS, "acme", text) is None
    tokens.parse_plus_address(ALL_KEYS, "acme", f"info+{text}@acme.example")
    assert tokens.parse_message_id(ALL_KEYS, "acme", text) is None


def test_a_character_that_only_folds_to_a_letter_is_refused() -> None:
    token = next(
        token
        for number in range(100)
        if "k" in (token := tokens.sign(ALL_KEYS, "acme", f"{number:016x}", TICKET))
    )
    assert tokens.verify(ALL_KEYS, "acme", token.replace("k", "\N{KELVIN SIGN}"), TICKET) is None


def test_a_conversation_that_is_none_is_not_signed() -> None:
    with pytest.raises(ValueError, match="16 lower-case hex digits"):
        tokens.sign(ALL_KEYS, "acme", "abc")


def test_keys_rotate_in_three_steps() -> None:
    """Accept, sign, retire: while one step is rolled out, old and new processes accept each other."""
    old, accepts_new, signs_new, retired = keyring(0), keyring(0, 1), keyring(1, 0), keyring(1)
    for before, after in pairwise((old, accepts_new, signs_new)):
        for signer, reader in ((before, after), (after, before)):
            token = tokens.sign(signer, "acme", CONVERSATION)
            assert tokens.verify(reader, "acme", token) == CONVERSATION
    assert tokens.verify(retired, "acme", tokens.sign(signs_new, "acme", CONVERSATION)) == CONVERSATION
    address = tokens.reply_address(old, "acme", "info@acme.example", CONVERSATION, TICKET)
    read = tokens.parse_plus_address(retired, "acme", address)
    assert read is not None
    assert (read.reference, read.conversation, read.signature) == (TICKET, None, Signature.WRONG)


@given(conversations, existing, st.booleans())
def test_a_reply_address_comes_home(conversation: str, reference: Reference, upper: bool) -> None:
    address = tokens.reply_address(ALL_KEYS, "acme", "Info@acme.example", conversation, reference)
    read = tokens.parse_plus_address(ALL_KEYS, "acme", address.upper() if upper else address)
    assert read is not None
    assert read.base == "info@acme.example"
    assert (read.conversation, read.signature) == (conversation, Signature.VALID)
    assert read.reference == (reference if len(str(reference)) + len("info") + 32 <= 64 else None)


@pytest.mark.parametrize(
    ("local", "form"),
    [
        ("info", "reference and token"),
        ("a" * (64 - 1 - 8 - 1 - 30), "reference and token"),
        ("a" * (64 - 1 - 8 - 1 - 30 + 1), "token"),
        ("a" * (64 - 1 - 30), "token"),
        ("a" * (64 - 1 - 30 + 1), "plain"),
        ("é" * 14, "token"),  # the limit counts octets
        ('"info desk"', "plain"),
        ("info+fr", "reference and token"),
    ],
)
def test_the_longest_form_that_fits_is_chosen(local: str, form: str) -> None:
    """PA-8: 64 octets before the @; then token alone, then the plain address."""
    address = tokens.reply_address(ALL_KEYS, "acme", f"{local}@acme.example", CONVERSATION, TICKET)
    read = tokens.parse_plus_address(ALL_KEYS, "acme", address)
    assert len(address.rpartition("@")[0].encode()) <= 64
    if form == "plain":
        assert address == f"{local}@acme.example"
        return
    assert read is not None
    assert read.conversation == CONVERSATION
    assert read.base == f"{local}@acme.example"
    assert read.reference == (TICKET if form == "reference and token" else None)


def test_an_address_stays_within_254_octets() -> None:
    """PA-8, also where the domain takes nearly all of it."""
    for length in range(200, 255):
        mailbox = "info@" + "d" * (length - 5)
        address = tokens.reply_address(ALL_KEYS, "acme", mailbox, CONVERSATION, TICKET)
        assert len(address) <= 254
    assert address == mailbox


@pytest.mark.parametrize(
    ("address", "reference"),
    [
        ("info+101203-T@acme.example", "101203-T"),
        ("Info+101203-t@ACME.example", "101203-T"),
        ("info+10040-c-a1.1@acme.example", "10040-C-A1.1"),
        ("info+fr+10040-C@acme.example", "10040-C"),
    ],
)
def test_a_bare_reference_is_read_but_not_signed(address: str, reference: str) -> None:
    read = tokens.parse_plus_address(ALL_KEYS, "acme", address)
    assert read is not None
    assert (str(read.reference), read.conversation, read.signature) == (reference, None, Signature.ABSENT)


@pytest.mark.parametrize(
    "address",
    [
        "info@acme.example",
        "info+newsletter@acme.example",
        "info+101203-T-A1.1@acme.example",
        "info+101203@acme.example",
        "info+101203-X@acme.example",
        "info+101203-T.@acme.example",
        "info+101203-T.short@acme.example",
        f"info+newsletter.{'a' * 30}@acme.example",
        "info+x101203-T@acme.example",
        "info+101203-T+fr@acme.example",
        "+101203-T@acme.example",
        "info+101203-T@",
        "info+101203-T",
        "info+１２-T@acme.example",
        "",
    ],
)
def test_anything_else_is_an_ordinary_address(address: str) -> None:
    """PA-7."""
    assert tokens.parse_plus_address(ALL_KEYS, "acme", address) is None


@given(conversations, optional_references, st.uuids(), st.booleans())
def test_our_message_ids_come_home(
    conversation: str, reference: Reference | None, mail_id: UUID, brackets: bool
) -> None:
    text = tokens.message_id(ALL_KEYS, "acme", "acme.example", mail_id, conversation, reference)
    read = tokens.parse_message_id(ALL_KEYS, "acme", text if brackets else text[1:-1])
    assert read == tokens.OwnMessageId(mail_id, reference, conversation, Signature.VALID)


def test_a_message_id_of_another_organisation_is_not_trusted() -> None:
    text = tokens.message_id(ALL_KEYS, "acme", "acme.example", MAIL_ID, CONVERSATION, TICKET)
    read = tokens.parse_message_id(ALL_KEYS, "other", text)
    assert read == tokens.OwnMessageId(MAIL_ID, TICKET, None, Signature.WRONG)


@pytest.mark.parametrize(
    "text",
    [
        "<CAF=abc@mail.example.org>",
        f"<{MAIL_ID}@acme.example>",
        f"<{MAIL_ID}.101203-T@acme.example>",
        f"<{MAIL_ID.hex}.{'a' * 30}@acme.example>",
        f"<{MAIL_ID}.{'a' * 30}>",
    ],
)
def test_other_message_ids_are_not_ours(text: str) -> None:
    assert tokens.parse_message_id(ALL_KEYS, "acme", text) is None


def test_a_new_keyring_can_be_used_and_shows_no_key() -> None:
    ring = Keyring.parse(generate_keyring(5))
    assert tokens.verify(ring, "acme", tokens.sign(ring, "acme", CONVERSATION)) == CONVERSATION
    assert ring.signs == 5
    assert "keys" not in repr(ring)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        json.dumps({"signs": 1, "keys": {"0": KEYS["0"]}}),
        json.dumps({"signs": 32, "keys": {"32": KEYS["0"]}}),
        json.dumps({"signs": 1, "keys": {"1": "c2VjcmV0"}}),
        json.dumps({"signs": 1, "keys": {"1": "§§§ secret"}}),
        json.dumps({"signs": 1, "keys": {"1": KEYS["1"]}, "retired": []}),
    ],
)
def test_a_wrong_keyring_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The token keys are wrong at .+\.$") as refused:
        Keyring.parse(text)
    assert "c2VjcmV0" not in str(refused.value)
    assert "secret" not in str(refused.value)
