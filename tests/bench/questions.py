"""What people and timers ask of activity's tables all the time, as its stores ask it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from services.activity import (
    store_activities,
    store_contact_views,
    store_search,
    store_timers,
    store_views,
    store_worklists,
    worklists,
)
from services.activity.contact_scope import reach_of
from services.activity.store_rows import Key
from services.activity.store_timers import Horizon
from services.activity.store_views import Filter
from services.activity.store_worklists import FIRST, Sieve
from shared.organisation import Organisation, Organisations
from shared.postgres import Connection, Pool, transaction
from shared.references import ReferenceKind
from shared.topics import INGEST_MAILS
from tests.support.plans import Explained, Plan

TICKET = ReferenceKind.TICKET
LARGE_TABLES = frozenset(
    {
        *("activities", "history", "notes", "families", "timers"),
        *("mails", "activity_mails", "correspondents", "effects"),
        *("contacts", "activity_contacts", "answered_requests"),
    }
)
"""Nobody reads one of these from end to end."""
GROWTH, SLACK = 1.5, 50
"""Ten times as many Tickets may cost so many times the rows; a few more are no growth."""
AT_MOST = {"contacts": 200}
"""Rows at which a question stops by itself: up to these it may grow (decision 15)."""
LATER = datetime(2200, 1, 1).astimezone()
"""By then all timers are due."""


@dataclass(frozen=True)
class Asked:
    """Who asks, and about what: `long` is a Ticket with 500 mails, `person` how somebody's name begins."""

    organisation: Organisation
    user: str
    long: Key
    reference: str
    word: str
    common: str
    person: str

    @property
    def name(self) -> str:
        return self.organisation.name

    @property
    def processes(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.organisation.processes)

    @property
    def queues(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.organisation.queues)

    @property
    def sieve(self) -> Sieve:
        return Sieve(processes=self.processes)


Question = Callable[[Connection, Asked], Awaitable[Any]]


async def _ticket(c: Connection, a: Asked) -> Any:
    found = await store_views.row(c, a.long)
    await store_views.contacts(c, a.long)
    await store_views.linked(c, a.long, 0, 51)
    await store_views.family(c, a.long)
    return found


QUESTIONS: Mapping[str, Question] = {
    "inbox": lambda c, a: store_worklists.in_inbox(c, a.name, a.user, a.sieve, FIRST, 51),
    "queue": lambda c, a: store_worklists.nobody_has(c, a.name, a.queues, a.sieve, FIRST, 51),
    "owned": lambda c, a: store_worklists.owned(c, a.name, a.user, a.sieve, FIRST, 51),
    "at rest": lambda c, a: store_worklists.at_rest(c, a.name, a.processes, a.sieve, FIRST, 51),
    "next best": lambda c, a: worklists.next_best(c, a.organisation, a.user, a.processes),
    "counts": lambda c, a: store_worklists.counts(c, a.name, a.processes),
    "tickets": lambda c, a: store_views.listed(c, a.name, TICKET, Filter(processes=a.processes), None, 51),
    "ticket with 500 mails": _ticket,
    "its timeline": lambda c, a: store_views.timeline(c, a.long, None, 51),
    "search: a number": lambda c, a: store_search.search(c, a.name, a.processes, "1000", 20),
    "search: a reference": lambda c, a: store_search.search(c, a.name, a.processes, a.reference, 20),
    "search: a rare word": lambda c, a: store_search.search(c, a.name, a.processes, a.word, 20),
    "search: a common word": lambda c, a: store_search.search(c, a.name, a.processes, a.common, 50),
    "contacts": lambda c, a: store_contact_views.found(
        c, a.name, reach_of(a.organisation, a.user, None), a.person, 20
    ),
    "due timers": lambda c, a: store_timers.due(c, Horizon(LATER, (), INGEST_MAILS.partitions), 200),
}


async def asked(pool: Pool, organisation: str, long: str) -> Asked:
    """Asked about what was seeded; the same while it is there."""
    async with transaction(pool) as connection:
        found = await Organisations().current(connection, organisation)
        ids = await store_activities.find(connection, {(organisation, long)})
        title = await connection.fetchval(
            "SELECT title FROM activities WHERE organisation = $1 ORDER BY number LIMIT 1", organisation
        )
        person = await connection.fetchval(
            "SELECT first_name FROM contacts WHERE organisation = $1 ORDER BY address LIMIT 1", organisation
        )
    words = str(title).split()
    user = next(each.name for each in found.users if not each.robot)
    key = organisation, ids[organisation, long]
    return Asked(found, user, key, long, words[-1], words[0][:4], str(person)[:4])


async def explain(pool: Pool, about: Asked, *, texts: bool = False) -> dict[str, list[Plan]]:
    """The plans of each question. Raises `ValueError` where one found nothing, so that it says nothing."""
    plans = {}
    for name, ask in QUESTIONS.items():
        async with transaction(pool) as connection:
            explained = Explained(connection, texts)
            if not await ask(cast(Connection, explained), about):
                raise ValueError(f"{name} found nothing")
        plans[name] = explained.plans
    return plans


def rows(plans: list[Plan]) -> float:
    return sum(plan.rows for plan in plans)


def buffers(plans: list[Plan]) -> int:
    return sum(plan.buffers for plan in plans)


def complaints(small: Mapping[str, list[Plan]], large: Mapping[str, list[Plan]]) -> list[str]:
    """What reads more where more has been closed, and who reads a large table from end to end."""
    grown = [
        f"{name} reads {rows(plans):.0f} rows, before {rows(small[name]):.0f}"
        for name, plans in large.items()
        if rows(plans) > max(GROWTH * rows(small[name]) + SLACK, AT_MOST.get(name, 0))
    ]
    scans = {
        f"{name} reads all of {', '.join(sorted(plan.sequential & LARGE_TABLES))}"
        for known in (small, large)
        for name, plans in known.items()
        for plan in plans
        if plan.sequential & LARGE_TABLES
    }
    return [*grown, *sorted(scans)]
