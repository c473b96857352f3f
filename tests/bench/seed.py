"""A Mailroom that has been at work for years: `python -m tests.bench.seed --dsn … --tickets 1000000`.

Tickets, their history, mails and contacts go through the stores' own COPY into the real schema, in stories
that the rules have told (stories.py); only names, texts, ids and times differ. What is open stays the same
however many have been closed: it is people who work it off. Nothing is announced: no topic knows of it.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Annotated, Any
from uuid import UUID

import typer

from services.activity import (
    store_activities,
    store_contacts,
    store_mails,
    store_numbers,
    store_threads,
)
from services.activity.domain.activity import Activity
from services.activity.domain.contacts import Tagged
from services.activity.domain.vocabulary import Tag
from services.activity.rules import process_rules
from services.activity.store_contacts import Contact
from services.activity.store_history import HistoryRow
from services.activity.store_mails import Mail, Recipients
from services.activity.store_threads import Association, Correspondent
from shared.contracts.mail import Content, Mailbox
from shared.organisation import Organisation, Organisations
from shared.postgres import Connection, copy_in, make_pool, opened, transaction
from shared.references import ticket as ticket_reference
from tests.bench import stories
from tests.bench.stories import Story, long, stamped, told

PAGE = 2_000
"""Tickets in one transaction."""
PER_CONTACT = 5
"""Tickets that a contact has, on average."""
LONG, MAILS_OF_LONG = 4, 500
"""Tickets with many mails, and how many."""
YEARS = timedelta(days=2 * 365)
_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "on")]


@dataclass(frozen=True)
class Seeded:
    """What was made."""

    organisation: str
    tickets: int
    entries: int
    seconds: float
    long: tuple[str, ...]
    """References of the Tickets with many mails."""


class Words:
    """Texts of made-up words, of which some are frequent, as in every language."""

    def __init__(self, chance: random.Random, words: int = 20_000) -> None:
        self._chance = chance
        self.words = list(dict.fromkeys(self._word() for _ in range(2 * words)))[:words]
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(len(self.words))))
        self._sentences = [" ".join(self.pick(12)).capitalize() + "." for _ in range(5_000)]
        self._phrases = [" ".join(self.pick(3)) for _ in range(50_000)]

    def _word(self) -> str:
        return "".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((2, 2, 3, 3, 4))))

    def pick(self, number: int) -> list[str]:
        """Words, the frequent ones more often."""
        return self._chance.choices(self.words, cum_weights=self._weights, k=number)

    def title(self, number: int) -> str:
        """Two phrases, and a number that no other title has."""
        one, other = self._chance.choice(self._phrases), self._chance.choice(self._phrases)
        return f"{one} {other} {number:06d}".capitalize()

    def text(self) -> str:
        """Some sentences."""
        return " ".join([self._chance.choice(self._sentences) for _ in range(4)])


class Seed:
    """Makes Tickets for one organisation; the same ones for the same numbers."""

    def __init__(self, organisation: Organisation, now: datetime, first: int) -> None:
        self._organisation, self._now, self._first = organisation, now, first
        self._words = Words(random.Random(6))
        self._chance = random.Random(first)
        self._users = [each.name for each in organisation.users if not each.robot]
        self._processes = [each.name for each in organisation.processes]
        somebody = frozenset({stories.SOMEBODY})
        rules = {
            name: replace(process_rules(organisation, name, None), workers=somebody)
            for name in self._processes
        }
        self._closed = {name: told(organisation.name, rules[name], stories.CLOSED) for name in rules}
        self._open = {name: told(organisation.name, rules[name], stories.OPEN) for name in rules}
        self._long = long(organisation.name, next(iter(rules.values())), MAILS_OF_LONG)

    async def contacts(self, connection: Connection, number: int) -> list[Contact]:
        """People outside."""
        words = self._words.words
        made = [
            Contact(
                organisation=self._organisation.name,
                id=self._id(self._now),
                address=f"{words[each % len(words)]}.{self._first + each}@customers.test",
                first_name=words[each % len(words)].capitalize(),
                last_name=words[(each * 7 + 3) % len(words)].capitalize(),
                auto_created=True,
            )
            for each in range(number)
        ]
        await store_contacts.add(connection, made)
        return made

    def lives(self, first: int, number: int, open_: int) -> Iterator[tuple[int, Story]]:
        """Numbers of Tickets with their stories: the open ones lie anywhere, the long ones at the end."""
        opened_ones = set(self._chance.sample(range(number), min(open_, number)))
        for each in range(number):
            process = self._processes[each % len(self._processes)]
            known, weights = (self._open if each in opened_ones else self._closed)[process]
            yield first + each, self._chance.choices(known, weights)[0]
        for each in range(LONG):
            yield first + number + each, self._long

    async def page(
        self, connection: Connection, lives: Sequence[tuple[int, Story]], contacts: Sequence[Contact]
    ) -> int:
        """Write some Tickets with all that belongs to them; how many timeline entries there are."""
        tickets: list[Activity] = []
        history: list[tuple[Any, ...]] = []
        mails: list[Mail] = []
        places: list[Association] = []
        people: list[Correspondent] = []
        for number, story in lives:
            began = self._now - YEARS * self._chance.random()
            contact = self._chance.choice(contacts)
            made, own = self._stamped(number, story, began, contact)
            tickets.append(made)
            for row in own:
                mail = None
                if row[_MAIL] is not None and row[_TYPE] != "ticket.mail_requested":
                    mail = self._mail(made, contact, row[_AT])
                    mails.append(mail)
                    places.append(Association(made.organisation, made.id, mail.id, self._mailbox))
                history.append((*row[:_MAIL], mail and mail.id, *row[_MAIL + 1 :]))
            people.append(Correspondent(made.organisation, made.id, contact.address, None))
        await store_activities.save(connection, {}, tickets)
        await store_mails.add(connection, mails)
        await store_threads.associate(connection, places)
        await store_threads.add_correspondents(connection, people)
        await copy_in(connection, "history", HistoryRow.__slots__, history)
        return len(history)

    @property
    def _mailbox(self) -> str:
        return self._organisation.mailboxes[0].name

    def _stamped(
        self, number: int, story: Story, began: datetime, contact: Contact
    ) -> tuple[Activity, list[tuple[Any, ...]]]:
        id_, user = self._id(began), self._chance.choice(self._users)
        like = story.ticket
        holders = replace(
            like.holders,
            assignee=like.holders.assignee and user,
            owner=like.holders.owner and user,
        )
        made = replace(
            like,
            id=id_,
            family=id_,
            reference=ticket_reference(number),
            title=self._words.title(number),
            description=self._words.text(),
            conversation=f"{number:016x}",
            created_at=began,
            mailbox=self._mailbox,
            holders=holders,
            timer=like.timer and replace(like.timer, due_at=self._now + timedelta(days=3650)),
            contacts=frozenset(Tagged(tag, contact.id) for tag in (Tag.PRIMARY_CONTACT, Tag.REQUESTER)),
        )
        marks = {
            str(stories.ACTIVITY): str(id_),
            str(stories.REFERENCE): str(made.reference),
            str(stories.CONTACT): str(contact.id),
            stories.SOMEBODY: user,
        }
        return made, stamped(story, id_, marks, began)

    def _mail(self, ticket: Activity, contact: Contact, at: datetime) -> Mail:
        id_ = self._id(at)
        return Mail(
            organisation=ticket.organisation,
            id=id_,
            conversation=ticket.conversation,
            mailbox=self._mailbox,
            at=at,
            content=Content(subject=ticket.title, text=self._words.text()),
            message_id=f"{id_}@customers.test",
            sender=Mailbox(address=contact.address, name=f"{contact.first_name} {contact.last_name}"),
            recipients=Recipients(to=(Mailbox(address=self._organisation.mailboxes[0].address),)),
        )

    def _id(self, at: datetime) -> UUID:
        milliseconds = int(at.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | self._chance.getrandbits(62))


_MAIL, _TYPE, _AT = (HistoryRow.__slots__.index(name) for name in ("mail", "type", "at"))


async def seed(
    dsn: str,
    organisation: str,
    tickets: int,
    open_: int,
    *,
    now: datetime | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Seeded:
    """Fill activity's schema beside what is there. Its statistics and visibility map are good afterwards."""
    began, entries = time.monotonic(), 0
    async with opened(make_pool(dsn, schema="activity", application="seed")) as pool:
        async with transaction(pool) as connection:
            found = await Organisations().current(connection, organisation)
            first = (await store_numbers.take(connection, {organisation: tickets + LONG}))[organisation].start
            maker = Seed(found, now or datetime.now(UTC), first)
            contacts = await maker.contacts(connection, max(1, tickets // PER_CONTACT))
        lives = maker.lives(first, tickets, open_)
        done = 0
        while page := [life for _, life in zip(range(PAGE), lives, strict=False)]:
            async with transaction(pool) as connection:
                entries += await maker.page(connection, page, contacts)
            done += len(page)
            say(f"{done} Tickets, {entries} entries, {time.monotonic() - began:.0f} s")
        async with pool.acquire() as connection:
            await connection.execute("VACUUM (ANALYZE)", timeout=3600)
    long_ones = tuple(str(ticket_reference(first + tickets + each)) for each in range(LONG))
    return Seeded(organisation, done, entries, time.monotonic() - began, long_ones)


def main(
    dsn: Annotated[str, typer.Option(help="The database, as somebody who may write activity's schema.")],
    organisation: Annotated[str, typer.Option(help="It has to be configured.")] = "acme",
    tickets: Annotated[int, typer.Option(min=1)] = 1_000_000,
    open_: Annotated[int, typer.Option("--open", min=0, help="How many of them are not closed.")] = 50_000,
) -> None:
    """Make Tickets by the million, with five timeline entries each."""
    made = asyncio.run(seed(dsn, organisation, tickets, open_, say=typer.echo))
    typer.echo(f"{made.tickets} Tickets with {made.entries} entries in {made.seconds:.0f} s")
    typer.echo(f"with {MAILS_OF_LONG} mails: {', '.join(made.long)}")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
