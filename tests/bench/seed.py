"""A Mailroom that has been at work for years: `python -m tests.bench.seed --dsn … --tickets 1000000`.

Tickets with their history, mails and contacts in the real schema. The rules tell some stories (stories.py)
and the stores write each of them once; PostgreSQL stamps all Tickets out of these rows (seed_statements.py):
only names, texts, ids and times differ. What is open stays the same however many have been closed: it is
people who work it off. Nothing is announced: no topic knows of it.

All of it is one transaction, which holds every table of activity: no service of it should run meanwhile. Many
at once go in without the indexes, which are built again before it commits.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Annotated, Any
from uuid import UUID

import typer
from msgspec import structs

from services.activity import store_activities, store_mails, store_numbers
from services.activity.domain.contacts import Tagged
from services.activity.domain.vocabulary import Tag
from services.activity.rules import process_rules
from services.activity.store_history import HistoryRow
from services.activity.store_mails import NOBODY, Mail, Recipients
from shared.contracts.activity_organisation import MailboxDefinition
from shared.contracts.mail import Content, Mailbox
from shared.organisation import Organisation, Organisations
from shared.postgres import Connection, Json, copy_in, make_pool, opened, transaction
from shared.references import ticket as ticket_reference
from tests.bench import seed_statements as statements
from tests.bench import stories
from tests.bench.stories import Lives, Story, long, told

PAGE = 50_000
"""Tickets in one round of statements."""
MANY = 20_000
"""From so many on, indexes are built afterwards."""
PER_CONTACT = 5
"""Tickets that a contact has, on average."""
LONG, MAILS_OF_LONG = 4, 500
"""Tickets with many mails, and how many."""
YEARS, NEVER = 2 * 365, timedelta(days=3650)
PATIENCE = 3600.0
_TAGS = (Tag.PRIMARY_CONTACT, Tag.ORIGINAL_REQUESTER, Tag.REQUESTER, Tag.SUBJECT)
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
    """Made-up words, of which some are frequent, as in every language; phrases and texts of them."""

    def __init__(self, chance: random.Random, words: int = 20_000) -> None:
        self._chance = chance
        self.words = list(dict.fromkeys(self._word() for _ in range(2 * words)))[:words]
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(len(self.words))))
        sentences = [" ".join(self._pick(12)).capitalize() + "." for _ in range(5_000)]
        self.phrases = [" ".join(self._pick(3)) for _ in range(50_000)]
        self.texts = [" ".join(chance.choices(sentences, k=2)) for _ in range(50_000)]

    def _word(self) -> str:
        return "".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((2, 2, 3, 3, 4))))

    def _pick(self, number: int) -> list[str]:
        return self._chance.choices(self.words, cum_weights=self._weights, k=number)


class Seed:
    """Makes Tickets of one organisation in a transaction; the same ones for the same numbers."""

    def __init__(
        self, connection: Connection, organisation: Organisation, now: datetime, lives: Lives
    ) -> None:
        """`lives` are those of the open ones."""
        self._connection, self._organisation, self._now, self._lives = connection, organisation, now, lives
        self._words = Words(random.Random(6))
        self._told: list[Story] = []
        self._draws: list[tuple[Any, ...]] = []
        somebody = frozenset({stories.SOMEBODY})
        self._rules = [
            replace(process_rules(organisation, each.name, None), workers=somebody)
            for each in organisation.processes
        ]

    async def prepare(self, first: int, contacts: int) -> None:
        """What Tickets are made from: stories, words, and people outside."""
        await self._execute(statements.PREPARE)
        words = {"words": self._words.words, "phrases": self._words.phrases, "texts": self._words.texts}
        for table, texts in words.items():
            await copy_in(self._connection, table, ("id", "text"), list(enumerate(texts)))
        for lane, rules in enumerate(self._rules):
            for open_, lives in ((True, self._lives), (False, stories.CLOSED)):
                high = 0
                for story, weight in zip(*told(self._organisation.name, rules, lives), strict=True):
                    low, high = high, high + weight
                    self._draws.append((self._tell(story), lane, open_, low, high))
        self._long = self._tell(long(self._organisation.name, self._rules[0], MAILS_OF_LONG))
        await copy_in(self._connection, "draws", ("story", "lane", "open", "low", "high"), self._draws)
        await self._write()
        people = (self._organisation.name, self._now, first, contacts, len(self._words.words))
        await self._execute(statements.CONTACTS, *people)

    async def page(self, span: range, whole: range, open_: int, contacts: int) -> int:
        """Write Tickets with all that belongs to them; how many timeline entries they have.

        `span` are their numbers, a part of the `whole`; those behind it are the long ones.
        """
        await self._execute(
            statements.LIVES,
            self._organisation.name,
            self._now,
            span.start,
            span.stop,
            whole.start,
            len(whole),
            open_,
            YEARS,
            len(self._rules),
            contacts,
            [each.name for each in self._organisation.users if not each.robot],
            len(self._words.phrases),
            len(self._words.texts),
            self._long,
        )
        asked = {"texts": len(self._words.texts), "address": self._mailbox.address}
        entries = 0
        for statement, about in statements.STAMP:
            done = await self._execute(statement, *([asked[about]] if about else []))
            entries = int(done.rpartition(" ")[2])
        await self._execute("TRUNCATE lives")
        return entries

    def _tell(self, story: Story) -> UUID:
        """Keep a story; the id that it goes by."""
        id_ = UUID(int=stories.ACTIVITY.int + 1000 + len(self._told))
        ticket = structs.replace(
            story.ticket,
            id=id_,
            family=id_,
            reference=ticket_reference(999_999_999_000 - len(self._told)),
            mailbox=self._mailbox.name,
            timer=story.ticket.timer and replace(story.ticket.timer, due_at=self._now + NEVER),
            contacts=frozenset(Tagged(tag, stories.CONTACT) for tag in _TAGS),
        )
        self._told.append(replace(story, ticket=ticket))
        return id_

    async def _write(self) -> None:
        """Let the stores write each story, and take the rows away to be copied."""
        tickets = [each.ticket for each in self._told]
        mails = [self._mail(stories.MAIL, None), self._mail(stories.EFFECT, "acknowledgement")]
        history = [
            {**dict(zip(HistoryRow._fields, row, strict=True)), "activity": each.ticket.id}
            for each in self._told
            for row in each.rows
        ]
        rows = [tuple((row | {"event": Json(row["event"].encode())}).values()) for row in history]
        await store_activities.save(self._connection, {}, tickets)
        await store_mails.add(self._connection, mails)
        await copy_in(self._connection, "told_history", HistoryRow._fields, rows)
        for statement in statements.TAKE_AWAY:
            await self._execute(statement, [each.id for each in (*tickets, *mails)])
        await self._execute(statements.NOTED)

    def _mail(self, id_: UUID, purpose: str | None) -> Mail:
        return Mail(
            organisation=self._organisation.name,
            id=id_,
            conversation="0" * 16,
            mailbox=self._mailbox.name,
            at=self._now,
            content=Content(),
            sender=None if purpose else Mailbox(address=self._mailbox.address),
            recipients=NOBODY if purpose else Recipients(to=(Mailbox(address=self._mailbox.address),)),
            purpose=purpose,
            outcome="sent" if purpose else None,
        )

    @property
    def _mailbox(self) -> MailboxDefinition:
        return self._organisation.mailboxes[0]

    async def _execute(self, statement: str, *values: object) -> str:
        return await self._connection.execute(statement, *values, timeout=PATIENCE)


async def seed(
    dsn: str,
    organisation: str,
    tickets: int,
    open_: int,
    *,
    lives: Lives = stories.OPEN,
    now: datetime | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Seeded:
    """Fill activity's schema beside what is there. Its statistics and visibility map are good afterwards.

    `lives` are those of the open ones.
    """
    began, entries = time.monotonic(), 0

    def note(what: str) -> None:
        say(f"{time.monotonic() - began:4.0f} s: {what}")

    async with opened(make_pool(dsn, schema="activity", application="seed")) as pool:
        async with transaction(pool) as connection:
            indexes = await _without_indexes(connection) if tickets >= MANY else {}
            found = await Organisations().current(connection, organisation)
            first = (await store_numbers.take(connection, {organisation: tickets + LONG}))[organisation].start
            maker = Seed(connection, found, now or datetime.now(UTC), lives)
            contacts = max(1, tickets // PER_CONTACT)
            await maker.prepare(first, contacts)
            last, whole = first + tickets + LONG, range(first, first + tickets)
            for start in range(first, last, PAGE):
                span = range(start, min(start + PAGE, last))
                entries += await maker.page(span, whole, open_, contacts)
                note(f"{span.stop - first} Tickets, {entries} entries")
            for name, definition in indexes.items():
                await connection.execute(definition, timeout=PATIENCE)
                note(name)
        async with pool.acquire() as connection:
            await connection.execute("VACUUM (ANALYZE)", timeout=PATIENCE)
    long_ones = tuple(str(ticket_reference(each)) for each in range(whole.stop, last))
    return Seeded(organisation, last - first, entries, time.monotonic() - began, long_ones)


async def _without_indexes(connection: Connection) -> Mapping[str, str]:
    """Drop the indexes that no constraint needs; returns how each is made, by its name."""
    for setting in ("maintenance_work_mem = '512MB'", "max_parallel_maintenance_workers = 2"):
        await connection.execute(f"SET LOCAL {setting}")
    rows = await connection.fetch(statements.INDEXES)
    for row in rows:
        await connection.execute(f"DROP INDEX {row['name']}")
    return {row["name"]: row["definition"] for row in rows}


def main(
    dsn: Annotated[str, typer.Option(help="The database, as activity's role.")],
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
