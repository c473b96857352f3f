"""Many customers who write and answer, and a checker of what has come of it that trusts no service.

The checker looks at what was sent, what lies in the customers' mailboxes, what stands in the topics and in
the tables, and holds them against each other.
"""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

from shared.topics import ACTIVITY_ACTIVITIES, TOPICS
from tests.support.mailroom import ORGANISATION, Mailroom
from tests.support.people import Customer, customer
from tests.support.topics import read_all

OUR_SOURCES = "/mailroom/"
PEOPLE = 6
"""Enough that mailboxes stay short, few enough that all of them are soon read."""


@dataclass
class Crowd:
    """Customers at their desks. `opened` and `answered` hold what was sent, by Message-ID (without brackets).

    `answered` says which opening mail each answer belongs to.
    """

    mailroom: Mailroom
    people: list[Customer] = field(default_factory=list)
    opened: dict[str, EmailMessage] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.people = [customer(self.mailroom, f"Carl {number}") for number in range(PEOPLE)]
        self._turns = itertools.cycle(self.people)

    async def write(self, number: int) -> list[bytes]:
        """Send so many new mails, over one connection; as they were sent."""
        mails = [self._letter(next(self._turns)) for _ in range(number)]
        self.opened |= {bare(mail["Message-ID"]): mail for mail in mails}
        await self.mailroom.send(*mails)
        return [mail.as_bytes() for mail in mails]

    async def answer(self, number: int) -> None:
        """Answer so many of the acknowledgements that have come and are not answered, or all there are."""
        done = set(self.answered.values())
        answers: list[EmailMessage] = []
        for person, mail in [(each, mail) for each in self.people for mail in await each.inbox()]:
            opening = bare(mail["In-Reply-To"])
            if opening in self.opened and opening not in done and len(answers) < number:
                done.add(opening)
                answers.append(person.person.answer(mail, "One more thing."))
                self.answered[bare(answers[-1]["Message-ID"])] = opening
        if answers:
            await self.mailroom.send(*answers)

    def _letter(self, person: Customer) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = person.address, self.mailroom.address()
        mail["Message-ID"] = f"<{uuid4()}@{self.mailroom.customers}>"
        mail["Subject"] = f"Matter {len(self.opened)}"
        mail.set_content("Please help.\n")
        return mail

    async def check(self) -> None:
        """Guarantees 1, 2, 3 and 4, once all is settled."""
        tickets = await self._tickets()
        await self._check_openings(tickets)
        await self._check_answers(tickets)
        await self._check_acknowledgements()
        await check_topics(self.mailroom)

    async def _tickets(self) -> dict[str, list[Any]]:
        """The Tickets by the Message-ID of the mail that opened them."""
        query = """
            SELECT mails.message_id, activities.id, activities.organisation, activities.reference
            FROM activities
            JOIN mails ON (mails.organisation, mails.id) = (activities.organisation, activities.opening_mail)
        """
        async with self.mailroom.tables("activity") as tables:
            rows = await tables.fetch(query)
        found = defaultdict(list)
        for row in rows:
            found[row["message_id"]].append(row)
        return found

    async def _check_openings(self, tickets: dict[str, list[Any]]) -> None:
        """One Ticket for each opening mail, none for anything else."""
        opened = {id_: len(tickets.get(id_, ())) for id_ in (*self.opened, *self.answered)}
        expected = {**dict.fromkeys(self.opened, 1), **dict.fromkeys(self.answered, 0)}
        assert opened == expected, different(opened, expected)
        references = Counter(
            (row["organisation"], row["reference"]) for rows in tickets.values() for row in rows
        )
        assert max(references.values()) == 1

    async def _check_answers(self, tickets: dict[str, list[Any]]) -> None:
        """Each answer stands once on the Ticket of the mail that it belongs to, and on no other."""
        query = """
            SELECT mails.message_id, history.activity
            FROM history JOIN mails ON (mails.organisation, mails.id) = (history.organisation, history.mail)
            WHERE history.type = 'ticket.mail_appended'
        """
        async with self.mailroom.tables("activity") as tables:
            rows = await tables.fetch(query)
        found = defaultdict(list)
        for row in rows:
            found[row["message_id"]].append(row["activity"])
        stands = {id_: found.get(id_, []) for id_ in (*self.opened, *self.answered)}
        expected = {
            **{id_: [] for id_ in self.opened},
            **{id_: [tickets[opening][0]["id"]] for id_, opening in self.answered.items()},
        }
        assert stands == expected, different(stands, expected)

    async def _check_acknowledgements(self) -> None:
        """One for each opening mail by Message-ID; a copy more only where notify has written down why."""
        came: dict[str, list[str]] = {id_: [] for id_ in self.opened}
        for person in self.people:
            for mail in await person.inbox():
                came.setdefault(bare(mail["In-Reply-To"]), []).append(bare(mail["Message-ID"]))
        assert came.keys() == self.opened.keys()
        distinct = {id_: len(set(copies)) for id_, copies in came.items()}
        assert distinct == dict.fromkeys(self.opened, 1), different(distinct, dict.fromkeys(self.opened, 1))
        repeats = sum(len(copies) - 1 for copies in came.values())
        query = "SELECT count(*) FROM outgoing_attempts WHERE outcome IN ('unanswered', 'lost')"
        async with self.mailroom.tables("notify") as tables:
            assert repeats <= await tables.fetchval(query)


async def check_topics(mailroom: Mailroom) -> None:
    """Of all that we have said: repeats are told by their id, versions have no gap, nothing is dead.

    Per Ticket the order in the topic is that of its versions, all in one partition. What others have said
    (a program that asks, a test that misbehaves) is left out, and so is what died in other organisations.
    """
    for topic in TOPICS:
        everything = await read_all(mailroom.stack.kafka, mailroom.topic(topic.name))
        records = [
            each for each in everything if headers_of(each).get("ce_source", "").startswith(OUR_SOURCES)
        ]
        if topic.records is None:
            dead = [headers_of(record) for record in records]
            assert [each for each in dead if each["ce_organisation"] == ORGANISATION] == []
            continue
        said: defaultdict[tuple[str, str], set[Any]] = defaultdict(set)
        for record in records:
            headers = headers_of(record)
            said[headers["ce_source"], headers["ce_id"]].add((record.partition, record.key, record.value))
        assert {id_: each for id_, each in said.items() if len(each) > 1} == {}, topic.name
        if topic is ACTIVITY_ACTIVITIES:
            await check_order(mailroom, records)


async def check_order(mailroom: Mailroom, records: list[Any]) -> None:
    """Versions 1, 2, 3 … up to the one in the table, in the order of the topic; repeats are left out."""
    seen: set[str] = set()
    versions: defaultdict[str, list[int]] = defaultdict(list)
    references: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for record in records:  # in order within each partition, and a Ticket is in one
        headers = headers_of(record)
        value, id_ = json.loads(record.value), headers["ce_id"]
        references[headers["ce_organisation"], value["reference"]].add(value["activity"])
        if id_ not in seen:
            seen.add(id_)
            versions[value["activity"]].append(value["version"])
    async with mailroom.tables("activity") as tables:
        rows = await tables.fetch("SELECT id, version FROM activities")
    expected = {str(row["id"]): list(range(1, row["version"] + 1)) for row in rows}
    assert versions == expected, different(versions, expected)
    assert {name: ids for name, ids in references.items() if len(ids) > 1} == {}


def headers_of(record: Any) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in record.headers}


def bare(message_id: str | None) -> str:
    """A Message-ID without its brackets and folding."""
    return (message_id or "").strip().strip("<>")


def different(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What is not as expected, for people."""
    return list(_differences(found, expected))


def _differences(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    for key in {**found, **expected}:
        if found.get(key) != expected.get(key):
            yield f"{key}: {found.get(key)} instead of {expected.get(key)}"
