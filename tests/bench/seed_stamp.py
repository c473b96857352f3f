"""Makes the Tickets of a seed: one connection stamps them out of stories, another one writes them down.

So two processes of PostgreSQL are at work: what one makes with chance and texts goes to the other as a
stream, with COPY at both ends, which costs half of what INSERT does. The one that stamps has all it needs in
temporary tables and is in no transaction; the one that writes is in a single one.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

from msgspec import structs

from services.activity import store_activities, store_mails
from services.activity.domain.contacts import Tagged
from services.activity.domain.vocabulary import Tag
from services.activity.rules import process_rules
from services.activity.store_history import HistoryRow
from services.activity.store_mails import NOBODY, Mail, Recipients
from shared.contracts.activity_organisation import MailboxDefinition
from shared.contracts.mail import Content, Mailbox
from shared.organisation import Organisation
from shared.postgres import Connection, Json, copy_in
from shared.references import ticket as ticket_reference
from tests.bench import seed_statements as statements
from tests.bench import stories
from tests.bench.stories import Lives, Story, long, told

PATIENCE = 3600.0
"""Seconds that one statement may take."""
UNDER_WAY = 100
"""Parts of the stream, some kilobytes each, that are made before they are written."""
MAILS_OF_LONG = 500
YEARS, NEVER = 2 * 365, timedelta(days=3650)
_TAGS = (Tag.PRIMARY_CONTACT, Tag.ORIGINAL_REQUESTER, Tag.REQUESTER, Tag.SUBJECT)
_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "on")]


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


@dataclass(frozen=True)
class Whole:
    """The Tickets of a seed but for the long ones: their numbers, how many are open, and contacts."""

    numbers: range
    open: int
    contacts: int


class Stamp:
    """Makes Tickets of one organisation; the same ones for the same numbers."""

    def __init__(
        self, connection: Connection, organisation: Organisation, now: datetime, lives: Lives
    ) -> None:
        """`lives` are those of the open ones. The connection keeps what it makes them from."""
        self._connection, self._organisation, self._now, self._lives = connection, organisation, now, lives
        self._words = Words(random.Random(6))
        self._told: list[Story] = []
        self._draws: list[tuple[Any, ...]] = []
        somebody = frozenset({stories.SOMEBODY})
        self._rules = [
            replace(process_rules(organisation, each.name, None), workers=somebody)
            for each in organisation.processes
        ]

    async def prepare(self) -> None:
        """What Tickets are made from: words and stories. Nothing of it stays in activity's tables."""
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
        async with self._connection.transaction():
            await self._write()
        await self._execute(statements.NOTED)

    async def contacts(self, writer: Connection, whole: Whole, *, freeze: bool) -> None:
        """Write the people outside whose Tickets they are."""
        people = (self._now, whole.numbers.start, whole.contacts, len(self._words.words))
        await self._execute(statements.PEOPLE, *people)
        await self._carry(writer, statements.CONTACTS, self._organisation.name, freeze=freeze)

    async def page(self, writer: Connection, span: range, whole: Whole, frozen: Collection[str] = ()) -> int:
        """Write Tickets with all that belongs to them; how many timeline entries they have.

        `span` are their numbers; those behind the `whole` are the long ones. Rows of `frozen` tables need no
        VACUUM: the writer's transaction has emptied these.
        """
        await self._execute(
            statements.LIVES,
            self._now,
            span.start,
            span.stop,
            whole.numbers.start,
            len(whole.numbers),
            whole.open,
            YEARS,
            len(self._rules),
            whole.contacts,
            [each.name for each in self._organisation.users if not each.robot],
            len(self._words.phrases),
            len(self._words.texts),
            self._long,
        )
        asked = {"texts": len(self._words.texts), "address": self._mailbox.address}
        entries = 0
        for stamped in statements.STAMP:
            values = [asked[stamped.about]] if stamped.about else []
            entries = await self._carry(writer, stamped, *values, freeze=stamped.table in frozen)
        await self._execute("TRUNCATE lives")
        return entries

    async def _carry(
        self, writer: Connection, stamped: statements.Stamped, *values: object, freeze: bool
    ) -> int:
        """Have rows written while they are made; how many there are."""
        stream: asyncio.Queue[bytes | None] = asyncio.Queue(UNDER_WAY)

        async def make() -> None:
            await self._connection.copy_from_query(
                stamped.select, *values, output=stream.put, timeout=PATIENCE
            )
            await stream.put(None)

        async def made() -> AsyncIterator[bytes]:
            while (part := await stream.get()) is not None:
                yield part

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(make())
            written = tasks.create_task(
                writer.copy_to_table(
                    stamped.table, source=made(), columns=stamped.names, freeze=freeze, timeout=PATIENCE
                )
            )
        return int(written.result().rpartition(" ")[2])

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

    async def _execute(self, statement: str, *values: object) -> None:
        await self._connection.execute(statement, *values, timeout=PATIENCE)
