"""Gathers what a run has left behind, from where it lies: no service is asked."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from email.parser import BytesHeaderParser
from email.policy import compat32
from typing import Any

from shared.contracts.dead_letters import EXCEPTION_MESSAGE
from shared.topics import (
    ACTIVITY_ACTIVITIES,
    ACTIVITY_ANSWERS,
    ACTIVITY_CALLS,
    DEAD_LETTERS,
    INGEST_MAILS,
    NOTIFY_MAILS,
    NOTIFY_REQUESTS,
)
from tests.faults.chaos import evidence_of_cases as of_cases
from tests.faults.chaos import facts, links
from tests.faults.chaos.correspondence import Correspondence, home_of
from tests.faults.chaos.hands import Hands
from tests.faults.chaos.known import Accepted, Effect, Evidence, Spoken
from tests.faults.chaos.world import World
from tests.support.crowd import bare, headers_of
from tests.support.topics import read_all

_EFFECTS = """
SELECT mail.message_id, opening.message_id AS opening, activity.mailbox, history.type, history.activity,
       history.version
FROM history
JOIN activities AS activity ON (activity.organisation, activity.id) = (history.organisation, history.activity)
JOIN mails AS mail ON (mail.organisation, mail.id) = (history.organisation, history.mail)
JOIN mails AS opening ON (opening.organisation, opening.id) = (activity.organisation, activity.opening_mail)
WHERE history.type IN ('ticket.opened', 'ticket.mail_appended', 'case.opened', 'case.mail_appended')
"""
_OPENED, _APPENDED = ("ticket.opened", "case.opened"), ("ticket.mail_appended", "case.mail_appended")


async def gather(
    world: World, correspondence: Correspondence, hands: Hands, repeats_allowed: int
) -> Evidence:
    """Read everything; all has to be at rest."""
    mailroom = world.mailroom
    async with mailroom.tables("activity") as tables:
        effects = await tables.fetch(_EFFECTS)
        versions = await tables.fetch("SELECT id, version FROM activities")
        stands, history = await of_cases.read_tables(tables)
    told = await _records(world, INGEST_MAILS.name)
    said = await _records(world, ACTIVITY_ACTIVITIES.name)
    answers = await _records(world, ACTIVITY_ANSWERS.name)
    calls = await _records(world, ACTIVITY_CALLS.name)
    received, names = _received(told)
    said_of_cases = of_cases.told(said, names)
    taken = world.sink.look()
    asked = {each.message_id: links.read(each.link) for each in taken if each.link}
    return Evidence(
        written=correspondence.written,
        places=correspondence.places,
        kept=_kept(world),
        in_tables=[
            Effect(
                message_id=row["message_id"],
                opening=row["opening"],
                mailbox=row["mailbox"],
                opened=row["type"] in _OPENED,
                activity=str(row["activity"]),
                version=row["version"],
            )
            for row in effects
        ],
        on_kafka=list(_told_effects(said, names)),
        received=received,
        activities={str(row["id"]): row["version"] for row in versions},
        spoken=[
            *_spoken(said, numbered=True),
            *_spoken(told),
            *_spoken(await _records(world, NOTIFY_REQUESTS.name)),
            *_spoken(await _records(world, NOTIFY_MAILS.name)),
            *_spoken(answers),
            *_spoken(calls),
        ],
        accepted=[
            Accepted(each.message_id, each.in_reply_to, home_of(mailroom, each.sender), each.link)
            for each in taken
        ],
        dead=[*hands.refusals, *[each async for each in _dead(world)]],
        repeats_allowed=repeats_allowed,
        case_facts=tuple(facts.facts()),
        facts_in_tables=of_cases.facts_in_tables(stands, history, of_cases.ids_of_calls(calls)),
        facts_on_kafka=said_of_cases.facts,
        call_facts=tuple(facts.facts_of_calls()),
        facts_in_calls=of_cases.facts_in_calls(calls, said_of_cases.cases),
        mail_facts=tuple(facts.facts_of_mails()),
        facts_in_mails=of_cases.facts_in_mails(asked, said_of_cases.cases),
        ends=said_of_cases.ends,
        decisions=hands.decisions,
        asked=hands.asked_for,
        answers=_answers(answers),
    )


def _kept(world: World) -> Counter[tuple[str, str]]:
    """What lies in the maildirs, by mailbox and Message-ID."""
    parser = BytesHeaderParser(policy=compat32)
    kept: Counter[tuple[str, str]] = Counter()
    for mailbox in world.mailroom.definition.mailboxes:
        for folder in world.dovecot.folders(mailbox.imap.user):
            for raw in world.dovecot.mails(mailbox.imap.user, folder):
                kept[mailbox.name, bare(parser.parsebytes(raw)["Message-ID"])] += 1
    return kept


async def _records(world: World, topic: str) -> list[Any]:
    mailroom = world.mailroom
    return await read_all(mailroom.stack.kafka, mailroom.topic(topic))


def _received(records: list[Any]) -> tuple[dict[str, set[str]], dict[str, str]]:
    """The ids under which each Message-ID was told, and the Message-ID of each mail's own id."""
    told: defaultdict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    for record in records:
        headers = headers_of(record)
        if headers["ce_type"] == "mail.received":
            value = json.loads(record.value)
            told[value["message_id"]].add(headers["ce_id"])
            names[value["mail"]] = value["message_id"]
    return told, names


def _answers(records: list[Any]) -> dict[str, set[str]]:
    """The ids under which each request was answered."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        found[json.loads(record.value)["request"]["id"]].add(headers_of(record)["ce_id"])
    return found


def _told_effects(records: list[Any], names: dict[str, str]) -> Iterator[Effect]:
    """What the events say that mails led to, an effect for each id."""
    openings: dict[str, tuple[str, str]] = {}
    seen: set[str] = set()
    for record in records:
        value, id_ = json.loads(record.value), headers_of(record)["ce_id"]
        # What is opened under a Case is opened by no mail.
        if value["type"] not in (*_OPENED, *_APPENDED) or id_ in seen or not value.get("mail"):
            continue
        seen.add(id_)
        message_id = names.get(value["mail"], value["mail"])
        if value["type"] in _OPENED:
            openings[value["activity"]] = (message_id, value["mailbox"])
        opening, mailbox = openings.get(value["activity"], ("", ""))
        yield Effect(
            message_id=message_id,
            opening=opening,
            mailbox=mailbox,
            opened=value["type"] in _OPENED,
            activity=value["activity"],
            version=value["version"],
        )


def _spoken(records: list[Any], *, numbered: bool = False) -> Iterator[Spoken]:
    """What was said; `numbered` are the versions of activities."""
    for record in records:
        headers = headers_of(record)
        value = json.loads(record.value) if numbered else {}
        yield Spoken(
            id=f"{headers['ce_source']} {headers['ce_id']}",
            content=(record.key, hashlib.sha256(record.value).digest()),
            partition=record.partition,
            activity=value.get("activity", ""),
            version=value.get("version", 0),
        )


async def _dead(world: World) -> AsyncIterator[str]:
    for topic in DEAD_LETTERS.values():
        for record in await _records(world, topic.name):
            headers = headers_of(record)
            why = headers.get(EXCEPTION_MESSAGE)
            yield f"{topic.name} holds {headers.get('ce_type')} {headers.get('ce_id')}: {why}"
