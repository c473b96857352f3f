"""`mailroom events`: whom somebody wants to hear, and what a record says in one sentence."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.events.heard import Heard, Unclear, moment, wanted
from deploy.events.sentences import SENTENCES, sentence
from deploy.events.showing import as_json, line
from shared.topics import (
    ACTIVITY_ACTIVITIES,
    ACTIVITY_CONTACTS,
    DEAD_LETTERS,
    INGEST_MAILS,
    NOTIFY_MAILS,
    TOPICS,
)
from tests.support.dead_letters import died
from tests.support.notes import Raw
from tests.support.samples import IDS, RECORDS, sample

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def heard(topic: Any, name: str) -> Heard:
    return Heard.of(sample(topic, name).raw(topic), topic)


def test_every_record_has_a_sentence() -> None:
    assert set(SENTENCES) == {model for topic in TOPICS for model in topic.models.values()}


@pytest.mark.parametrize(("topic", "name"), RECORDS, ids=IDS)
def test_a_record_is_one_line_with_its_time_type_and_reference(topic: Any, name: str) -> None:
    it = heard(topic, name)
    shown = line(it).plain
    assert "\n" not in shown
    assert shown.startswith(f"{it.time:%Y-%m-%d %H:%M:%S}  {name} ")
    assert (sample(topic, name).value.get("reference") or "-") in shown
    assert sentence(it) in shown


def test_a_mail_says_who_wrote_where_and_what() -> None:
    assert sentence(heard(INGEST_MAILS, "mail.received")) == (
        "A mail from anna@harbour.test to help@mailroom.test: “Password expired”, route passwords"
    )


def test_what_cannot_be_read_says_why() -> None:
    raw = sample(INGEST_MAILS, "mail.received").raw(INGEST_MAILS)
    broken = Heard.of(replace(raw, value=b"{}"), INGEST_MAILS)
    assert sentence(broken).startswith("cannot be read: mail: Field required")
    assert "this version knows no 'mail.eaten'" in sentence(
        Heard.of(sample(INGEST_MAILS, "mail.received").raw(INGEST_MAILS, ce_type="mail.eaten"), INGEST_MAILS)
    )


def test_a_tombstone_says_who_is_erased() -> None:
    """CT-21."""
    raw = sample(ACTIVITY_CONTACTS, "contact.changed").raw(ACTIVITY_CONTACTS, ce_type="contact.erased")
    said = sentence(Heard.of(replace(raw, value=None), ACTIVITY_CONTACTS))
    assert said.endswith(" is erased")
    assert "cannot be read" not in said


def test_a_dead_letter_says_who_could_not_work_on_it_and_why() -> None:
    letter = died(sample(INGEST_MAILS, "mail.received").raw(INGEST_MAILS), "activity.mails")
    it = Heard.of(letter, DEAD_LETTERS["activity"])
    assert it.type == "mail.received"
    assert sentence(it).startswith("activity.mails could not work on it: ")


@given(st.binary(max_size=200), st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=20)), max_size=4))
def test_whatever_stands_in_a_topic_is_shown_and_moves_no_cursor(
    value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    raw = Raw(offset=0, value=value, headers=tuple(headers))
    for topic in (INGEST_MAILS, DEAD_LETTERS["ingest"]):
        it = Heard.of(raw, topic)
        assert line(it).plain.isprintable()
        assert "\n" not in as_json(it)


def test_a_subject_that_somebody_wrote_moves_no_cursor() -> None:
    it = sample(INGEST_MAILS, "mail.received")
    it = replace(it, value={**it.value, "content": {"subject": "\x1b[2J\nlost", "attachments": []}})
    assert "“\\x1b[2J lost”" in line(Heard.of(it.raw(INGEST_MAILS), INGEST_MAILS)).plain


def names(*types: str, reference: str | None = None, organisation: str | None = None) -> set[str]:
    chosen = wanted(types, reference, organisation, (), "")
    return {name for topic, name in RECORDS if chosen.takes(heard(topic, name))}


def test_without_options_everything_is_wanted() -> None:
    assert names() == {name for _, name in RECORDS}


def test_types_may_be_patterns() -> None:
    assert names("mail.sent", "*.refused") == {"mail.sent", "mail.refused", "request.refused"}


def test_only_the_topics_are_read_that_can_have_the_type() -> None:
    chosen = wanted(["ticket.opened"], None, None, (), "")
    assert chosen.topics == (ACTIVITY_ACTIVITIES, *DEAD_LETTERS.values())


def test_a_reference_is_found_however_it_is_written() -> None:
    about = names(reference="101203-t")
    assert "ticket.opened" in about
    assert "mail.compose" in about
    assert "mail.received" not in about


def test_an_organisation_hears_only_what_is_its_own() -> None:
    assert names(organisation="acme") == {name for _, name in RECORDS}
    assert names(organisation="globex") == set()


def test_topics_may_be_patterns_and_have_the_prefix_of_the_deployment() -> None:
    assert wanted((), None, None, ["blue.notify.mails.v1"], "blue.").topics == (NOTIFY_MAILS,)
    assert len(wanted((), None, None, ["notify.*"], "").topics) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((["tiket.opened"], None, None, ()), "no type 'tiket.opened'; did you mean ticket.opened"),
        (([], None, None, ["notify.mail.v1"]), "no topic 'notify.mail.v1'; did you mean notify.mails.v1"),
        (([], "12", None, ()), "'12' is no reference; one looks like 101203-T."),
    ],
)
def test_what_is_not_known_is_said_with_what_is_near(options: Any, said: str) -> None:
    with pytest.raises(Unclear) as unclear:
        wanted(*options, "")
    assert said in str(unclear.value)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90s", NOON - timedelta(seconds=90)),
        ("10m", NOON - timedelta(minutes=10)),
        ("2h", NOON - timedelta(hours=2)),
        ("3d", NOON - timedelta(days=3)),
        ("2026-11-22T09:30", NOON.replace(hour=9, minute=30)),
        ("2026-11-22T09:30:00+01:00", NOON.replace(hour=8, minute=30)),
        ("2026-11-22", NOON.replace(hour=0)),
    ],
)
def test_a_time_is_a_moment_or_how_long_ago_it_was(text: str, time: datetime) -> None:
    assert moment(text, NOON) == time


@given(st.text(max_size=12))
def test_what_is_no_time_is_said_and_nothing_else_is_raised(text: str) -> None:
    with suppress(Unclear):
        assert moment(text, NOON).tzinfo is UTC
