"""Guarantee 5: what is made of each kind of hostile and broken mail. The kinds: tests/support/hostile."""

from dataclasses import replace
from email import message_from_bytes

import pytest

from services.ingest.domain.automatic import automatic_rules_hit
from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing.lookout import Caution, look
from services.ingest.parsing.parser import parse, parse_headers
from tests.support.hostile import CONTAINERS, KINDS, Kind
from tests.support.hostile.kind import ADDRESS, Fate
from tests.support.soundness import assert_sound

TOGETHER = [kind for kind in KINDS if not kind.alone]
"""Those that are parsed with their page. The others may take a parser down: tests/integration/ingest."""
_NAMES = [kind.name for kind in TOGETHER]


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len({kind.slug for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", TOGETHER, ids=_NAMES)
def test_a_hostile_mail_is_read_as_well_as_can_be(kind: Kind) -> None:
    """IN-15, RT-8, UH-1."""
    raw = kind.raw()
    assert look(raw) is Caution.NONE
    mail = parse(raw)
    assert_sound(mail)
    assert {field: read(mail, field) for field in kind.reads} == kind.reads
    assert fate(mail) is kind.fate
    assert bool(automatic_rules_hit(mail)) is kind.automatic


@pytest.mark.parametrize("kind", TOGETHER, ids=_NAMES)
def test_a_hostile_mail_is_read_without_the_fast_parser_and_without_its_page_too(kind: Kind) -> None:
    raw = kind.raw()
    whole = parse(raw, rust_first=False)
    plain = parse(raw, rust_first=False, pages=False)
    # It takes a broken field for the first line of the body.
    assert str(kind.reads.get("text", "")) in whole.text
    others = kind.reads.keys() - {"text"}
    assert {field: read(whole, field) for field in others} == {field: kind.reads[field] for field in others}
    for mail in (whole, plain):
        assert_sound(mail)
        assert fate(mail) is kind.fate
    assert plain.html == ""
    assert replace(plain, html="", text="", attachments=(), defects=()) == replace(
        whole, html="", text="", attachments=(), defects=()
    )
    assert parse_headers(raw, "because").digest == whole.digest


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.alone], ids=lambda kind: kind.name)
def test_what_may_hold_up_others_is_seen_before_it_is_parsed(kind: Kind) -> None:
    assert look(kind.raw()) is not Caution.NONE


@pytest.mark.parametrize("kind", CONTAINERS, ids=lambda kind: kind.name)
def test_no_container_is_opened(kind: Kind) -> None:
    """A bomb stays as small as it came."""
    raw = kind.raw()
    sent = [
        part.get_payload(decode=True) for part in message_from_bytes(raw).walk() if not part.is_multipart()
    ]
    assert {file.content for file in parse(raw).attachments} <= set(sent)


def read(mail: ParsedMail, field: str) -> object:
    """A field of the mail, or the names of its files."""
    return tuple(file.name for file in mail.attachments) if field == "names" else getattr(mail, field)


def fate(mail: ParsedMail) -> Fate:
    """What becomes of it where `ADDRESS` is our only mailbox."""
    if mail.unparsed_reason is not None:
        return Fate.UNREADABLE
    ours = any(address.folded == ADDRESS for address in (*mail.to, *mail.cc))
    return Fate.RECEIVED if ours else Fate.NOT_ADDRESSED
