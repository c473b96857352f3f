"""All Tickets are rebuilt from what was said of them, and are what the tables hold (section 4, design §4).

`activity.activities.v1` alone says what became of every Ticket; texts, people and mails come from the topics
that have them. Whatever happened, in whatever order and batches, and however much of it a backup has.
"""

import os
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.local.endpoints import Endpoints
from shared.contracts.activity_activities import ActivityRecord
from shared.contracts.activity_organisation import User
from tests.support.case_lives import case_lives
from tests.support.happenings import Happening, OnPerson
from tests.support.hiring import EQUIPPING, HIRING, PLEASE, WITH_CASES
from tests.support.lives import OFFICE, lives
from tests.support.office import NOON
from tests.support.second_life import Diary, another_office, catch_up, tables


def _also_hiring(who: User) -> User:
    address = None if who.robot else f"{who.name}@people.test"
    return who.model_copy(update={"leads": (*who.leads, "hiring", "equipping"), "address": address})


# What no topic has (docs/decisions/0011, 0016): how requests were told apart, what was doubted of mails, and
# which numbers were taken for references that nobody got.
UNSAID = ("answered_requests.digest", "mails.doubts", "reference_counters.*")
SAID_OF_EVERY_EVENT = ("reference", "type", "version", "at", "actor", "rule")
# An office of Tickets that also hires.
EVERYTHING = OFFICE.model_copy(
    update={
        "processes": (*OFFICE.processes, EQUIPPING, HIRING),
        "fields": (*OFFICE.fields, *WITH_CASES.fields),
        "queues": WITH_CASES.queues,
        "wait_reasons": WITH_CASES.wait_reasons,
        "templates": (*OFFICE.templates, PLEASE),
        "users": tuple(_also_hiring(each) for each in (*OFFICE.users, WITH_CASES.users[-1])),
    }
)
# More examples, new ones each time, and the shortest that fails, with `MAILROOM_FUZZ=<factor>`.
FACTOR = int(os.environ.get("MAILROOM_FUZZ", "1"))


@pytest.fixture
async def lived(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    async with another_office(stack, database_template) as office:
        await office.configure(EVERYTHING, version=2)
        yield office


@pytest.fixture
async def rebuilt(stack: Endpoints, database_template: str) -> AsyncIterator[Diary]:
    async with another_office(stack, database_template) as office:
        await office.configure(EVERYTHING, version=2)
        yield office


REBUILT = settings(
    max_examples=12 * FACTOR,
    derandomize=FACTOR == 1,
    phases=tuple(Phase) if FACTOR > 1 else (Phase.explicit, Phase.generate),
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=20)
SAVED, LOST, KNOWN = st.just(0) | st.integers(0, 8), st.integers(1, 24), st.integers(0, 5)


@REBUILT
@given(
    life=lives(people=("edit", "move", "merge", "erase")), sizes=SIZES, saved=SAVED, lost=LOST, known=KNOWN
)
async def test_what_was_said_is_enough_to_rebuild_every_ticket(
    lived: Diary, rebuilt: Diary, life: list[Happening], sizes: list[int], saved: int, lost: int, known: int
) -> None:
    """LK-1, LK-4, SH-1, CE-7, CT-20, CT-21, T27, T33, SL-1, ST-20, FB-2, NT-15: the tables agree."""
    await rebuild(lived, rebuilt, life, sizes, saved, lost, known)


@REBUILT
@given(life=case_lives(), sizes=SIZES, saved=SAVED, lost=LOST, known=KNOWN)
async def test_what_was_said_is_enough_to_rebuild_every_case(
    lived: Diary, rebuilt: Diary, life: list[Happening], sizes: list[int], saved: int, lost: int, known: int
) -> None:
    """A1, A10, A12, A13, A25, C6, C17, C23, CA-6: Cases with their courses, Actions with their tasks."""
    await rebuild(lived, rebuilt, life, sizes, saved, lost, known)


async def rebuild(
    lived: Diary, rebuilt: Diary, life: list[Happening], sizes: list[int], saved: int, lost: int, known: int
) -> None:
    """Live a life in one office, lose part of it in the other, and bring that back.

    The first `saved` batches are in a backup, whose last `known` records were not published then; those that
    were `lost` with the database are brought back; and then the two offices go on alike. Events say what is
    asked of them.
    """
    for office in (lived, rebuilt):
        await office.begin_again(NOON)
    batches = list(cut(life, sizes))
    for batch in batches[:saved]:
        await happen(batch, lived, rebuilt)
    there, read = len(await rebuilt.published()), len(rebuilt.read)
    for batch in batches[saved : saved + lost]:
        await happen(batch, lived)
    rebuilt.clock.set(lived.clock.now())
    said = await lived.published()
    await catch_up(rebuilt, said[max(0, there - known) :], lived.read[read:])
    await same(lived, rebuilt)
    # What is said again was said before, so that nobody hears it; and the two go on alike.
    assert {each.name for each in await rebuilt.published()} <= {each.name for each in said}
    await rebuilt.count_like(lived)
    for batch in batches[saved + lost :]:
        await happen(batch, lived, rebuilt)
    await same(lived, rebuilt)
    for each in said:
        if isinstance(each.message, ActivityRecord):
            assert all(getattr(each.message, name) is not None for name in SAID_OF_EVERY_EVENT)


async def happen(batch: Sequence[Happening], *offices: Diary) -> None:
    """The same in each of these offices; what it is, the first one knows.

    A person is erased at a time of its own: what is written in the same moment would go, too.
    """
    for at, each in enumerate(batch):
        if len(batch) > 1 and isinstance(each, OnPerson) and each.kind == "erase":
            for part in (batch[:at], batch[at : at + 1], batch[at + 1 :]):
                await happen(part, *offices)
            return
    for office in offices:
        await office.advance(minutes=1)
    records = [record for each in batch for record in await each.records(offices[0])]
    for office in offices:
        office.clock.set(offices[0].clock.now())
        await office.take_in(*records)


async def same(lived: Diary, rebuilt: Diary) -> None:
    expected, found = await tables(lived, *UNSAID), await tables(rebuilt, *UNSAID)
    for table, rows in expected.items():
        assert found[table] == rows, table


def cut(life: Sequence[Happening], sizes: Sequence[int]) -> Iterator[Sequence[Happening]]:
    begin = 0
    for size in (*sizes, len(life)):
        if begin < len(life):
            yield life[begin : begin + size]
        begin += size
