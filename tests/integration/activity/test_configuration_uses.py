"""What is in use stays in the configuration, and a change reaches nothing that runs unless a rule says so."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.local.endpoints import Endpoints
from services.activity import configuration, configuration_uses, store_uses
from services.activity.configuration import StillInUse
from services.activity.numbers import Numbers
from services.activity.work import Work
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionUse,
    Category,
    Company,
    CustomField,
    Definition,
    Fallback,
    FieldType,
    FieldUse,
    ProcessKind,
    Queue,
    StepDefinition,
    User,
    WaitReason,
)
from shared.postgres import Pool, make_pool, opened, transaction
from shared.unit_of_work import Batch
from tests.support.databases import fresh_database
from tests.support.office import DEFINITION, Office, process, received

SITE = CustomField(name="site", title="Site", type=FieldType.LIST, options=("Ghent", "Antwerp"))
NOTE = CustomField(name="note", title="Note", type=FieldType.SHORT_TEXT)
USED = DEFINITION.model_copy(
    update={
        "companies": (*DEFINITION.companies, Company(name="quay", title="Quay")),
        "queues": (*DEFINITION.queues, Queue(name="spare", title="Spare")),
        "fields": (SITE, NOTE),
        "processes": (
            process("request", fields=(FieldUse(field="site"), FieldUse(field="note"))),
            *DEFINITION.processes[1:],
        ),
    }
)


async def apply(office: Office, definition: Definition) -> configuration.Applied:
    async def applying(batch: Batch[Any]) -> configuration.Applied:
        return await configuration.apply(batch, definition, "operator", office.work)

    return await office.unit.run(applying)


async def uses(office: Office, **left: Any) -> list[tuple[str, str, int]]:
    """What keeps the configuration with these parts from being applied: kind, name, count."""
    with pytest.raises(StillInUse) as caught:
        await apply(office, USED.model_copy(update=left))
    return [(found.kind, found.use.name, found.use.count) for found in caught.value.uses]


@pytest.fixture
async def used(office: Office) -> Office:
    """Two Tickets of the process `request`: one is in work, one waits for its owner, both say a site."""
    await apply(office, USED)
    for number in (1, 2):
        mail = received(message_id=f"{number}@harbour.test", conversation=f"{number:016x}")
        await office.take_in(mail)
        reference = f"{100000 + number}-T"
        await office.step(asked.ActivityPickUp, reference)
    await office.step(asked.TicketWait, "100002-T", days=3)
    async with transaction(office.pool) as connection:
        await connection.execute("""UPDATE activities SET fields = '{"site": "Ghent"}'""")
    return office


def without(kind: str, *names: str) -> dict[str, Any]:
    return {kind: tuple(each for each in getattr(USED, kind) if each.name not in names)}


def request(**changes: Any) -> dict[str, Any]:
    return {"processes": (USED.processes[0].model_copy(update=changes), *USED.processes[1:])}


def without_fallback_category(index: int) -> dict[str, Any]:
    """The mailboxes, one of them with a fallback that names no category."""
    mailboxes = list(USED.mailboxes)
    fallback = Fallback(process=mailboxes[index].fallback.process)
    mailboxes[index] = mailboxes[index].model_copy(update={"fallback": fallback})
    return {"mailboxes": tuple(mailboxes)}


async def test_what_tickets_stand_on_is_not_taken_away_and_all_of_it_is_listed(used: Office) -> None:
    left = {
        **without("mailboxes", "help"),
        "processes": tuple(
            each.model_copy(update={"queue": "spare"}) for each in USED.processes if each.name != "request"
        ),
        **without("queues", "desk"),
        "users": (User(name="clara", title="Clara", processes=("invoice",)),),
    }
    with pytest.raises(StillInUse) as caught:
        await apply(used, USED.model_copy(update=left))
    assert [found.sentence for found in caught.value.uses] == [
        "'request' cannot be removed: 2 activities stand on it (100002-T, 100001-T)",
        "'desk' cannot be removed: 1 activity stands on it (100001-T)",
        "'amelie' cannot be removed: 2 activities stand on it (100002-T, 100001-T)",
        "'help' cannot be removed: 2 activities stand on it (100002-T, 100001-T)",
    ]
    assert (await used.pool.fetchval("SELECT version FROM organisation_applied")) == 2


async def test_a_process_with_tickets_is_turned_into_none_of_cases(used: Office) -> None:
    cases = {
        "kind": ProcessKind.CASE,
        "categories": (),
        "split": None,
        "no_response": None,
        "actions": (ActionDefinition(name="call", title="Call"),),
        "steps": (StepDefinition(name="all", title="All", actions=(ActionUse(action="call"),)),),
    }
    with pytest.raises(StillInUse) as caught:
        await apply(used, USED.model_copy(update={**request(**cases), **without_fallback_category(0)}))
    assert [found.sentence for found in caught.value.uses] == [
        "'request' cannot change its kind: 2 activities stand on it (100002-T, 100001-T)",
        "'Other' of process 'request' cannot be removed: 2 activities stand on it (100002-T, 100001-T)",
    ]
    unused = (USED.processes[0], USED.processes[1].model_copy(update=cases))
    after = USED.model_copy(update={"processes": unused, **without_fallback_category(1)})
    assert (await apply(used, after)).changed


async def test_a_category_is_kept_while_a_ticket_in_it_is_open(used: Office) -> None:
    left = {
        **request(categories=(Category(path="Hardware"),)),
        "mailboxes": (
            USED.mailboxes[0].model_copy(update={"fallback": Fallback(process="request")}),
            *USED.mailboxes[1:],
        ),
    }
    assert await uses(used, **left) == [("categories", "Other", 2)]
    recased = request(categories=(Category(path="OTHER"), Category(path="Hardware")))
    assert (await apply(used, USED.model_copy(update=recased))).changed


async def test_a_wait_reason_is_kept_while_a_ticket_waits_for_it(used: Office) -> None:
    """What waits says why by a word that its process has; once it goes on, the word may go."""
    reasons = (WaitReason(name="parts", title="Spare parts"), WaitReason(name="visit", title="A visit"))
    both = request(wait_reasons=("parts", "visit"))
    await apply(used, USED.model_copy(update={"wait_reasons": reasons, **both}))
    used.organisations = type(used.organisations)(used.announcements)
    used.work = Work(used.organisations, Numbers(used.pool))
    waits = await used.step(asked.TicketWait, "100001-T", days=3, reason="parts")
    assert waits["status"] == "wait", waits
    with pytest.raises(StillInUse) as caught:
        await apply(
            used, USED.model_copy(update={"wait_reasons": reasons, **request(wait_reasons=("visit",))})
        )
    assert [found.sentence for found in caught.value.uses] == [
        "'parts' of process 'request' cannot be removed: 1 activity stands on it (100001-T)"
    ]
    only_visits = {"wait_reasons": reasons[1:], **request(wait_reasons=("visit",))}
    assert await uses(used, **only_visits) == [("wait_reasons", "parts", 1)]
    await used.step(asked.ActivityResume, "100001-T")
    assert (await apply(used, USED.model_copy(update=only_visits))).changed


async def test_values_keep_their_field_its_type_and_their_option(used: Office) -> None:
    """BK-14."""
    note = FieldUse(field="note")
    assert await uses(used, fields=(NOTE,), **request(fields=(note,))) == [("fields", "site", 2)]
    assert await uses(used, **request(fields=(note,))) == [("fields", "site", 2)]
    retyped = SITE.model_copy(update={"type": FieldType.SHORT_TEXT, "options": ()})
    assert await uses(used, fields=(retyped, NOTE)) == [("fields", "site", 2)]
    fewer = SITE.model_copy(update={"options": ("Antwerp",)})
    assert await uses(used, fields=(fewer, NOTE)) == [("fields", "site", 2)]
    unused = SITE.model_copy(update={"options": ("Ghent",)})
    text = NOTE.model_copy(update={"type": FieldType.LONG_TEXT})
    assert (await apply(used, USED.model_copy(update={"fields": (unused, text)}))).changed


async def test_a_company_with_contacts_is_kept(used: Office) -> None:
    """CT-10. Contacts are personal data: how many there are is said, not who."""
    async with transaction(used.pool) as connection:
        await connection.execute("UPDATE contacts SET company = 'quay'")
    assert await uses(used, **without("companies", "quay")) == [("companies", "quay", 1)]
    async with transaction(used.pool) as connection:
        await connection.execute("UPDATE contacts SET company = NULL")
    assert (await apply(used, USED.model_copy(update=without("companies", "quay")))).changed


async def test_closed_tickets_keep_process_and_mailbox_but_neither_people_nor_values(used: Office) -> None:
    """IN-14, ST-19."""
    async with transaction(used.pool) as connection:
        await connection.execute(
            "UPDATE activities SET status = 'closed', wait = NULL, wait_until = NULL,"
            " assignee = NULL, owner = NULL, queue = NULL"
        )
    free = {
        **without("users", "amelie"),
        **without("fields", "site"),
        **request(fields=(), categories=(Category(path="Other"),)),
    }
    assert (await apply(used, USED.model_copy(update=free))).changed
    gone = {**without("processes", "request"), **without("mailboxes", "help"), "users": (), "fields": ()}
    kept = USED.model_copy(
        update={
            "processes": tuple(
                each.model_copy(update={"default_mailbox": "billing"}) for each in USED.processes
            )
        }
    )
    await apply(used, kept)
    with pytest.raises(StillInUse) as caught:
        await apply(used, kept.model_copy(update={**gone, "processes": kept.processes[1:]}))
    assert [(found.kind, found.use.count) for found in caught.value.uses] == [
        ("processes", 2),
        ("mailboxes", 2),
    ]


async def test_a_change_leaves_what_runs_as_it_is_and_later_steps_name_the_later_version(
    used: Office,
) -> None:
    """Design §10: a Ticket that runs keeps its queue and its wait; what happens next is decided anew."""
    before = [dict(row) for row in await used.tickets()]
    changed = request(queue="spare", feedback_window_hours=1, note_required_to_resolve=True, title="Ask")
    applied = await apply(used, USED.model_copy(update=changed))
    assert [dict(row) for row in await used.tickets()] == before
    used.organisations = type(used.organisations)(used.announcements)
    answer = await used.step(asked.ActivityNote, "100001-T", text="Seen")
    assert answer["configuration"] == applied.version
    said = await used.said("activity.activities.v1")
    assert said[-1]["configuration"] == applied.version
    assert {each["configuration"] for each in said} == {2, applied.version}


async def test_a_refusal_names_the_version_that_refused(used: Office) -> None:
    answer = await used.step(asked.ActivityReopen, "100001-T")
    assert (answer["type"], answer["configuration"]) == ("request.refused", 2)


CONDITIONS = {
    "processes": ["process"],
    "mailboxes": ["mailbox"],
    "queues": ["queue"],
    "users": ["assignee", "owner"],
    "companies": ["company"],
}


@pytest.fixture
async def untouched(stack: Endpoints, database_template: str) -> AsyncIterator[Pool]:
    """A database that no test has used: of a table known to be empty any index is as good as another."""
    async with fresh_database(stack, database_template) as fresh:
        made = make_pool(fresh.dsn_of("activity"), schema="activity", application="tests")
        async with opened(made) as pool:
            yield pool


async def explained(pool: Pool, statement: str, *values: Any, after: tuple[str, ...] = ()) -> str:
    async with transaction(pool) as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        rows = await connection.fetch(f"EXPLAIN {statement}", "acme", *values, store_uses.MOST, 5, *after)
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("kind", configuration_uses.NAMED)
async def test_each_question_has_an_index(untouched: Pool, kind: str) -> None:
    """All of the organisation's work waits for the answers."""
    plan = await explained(untouched, store_uses._OF_NAMED[kind], ["x"])
    found = [line for line in plan.splitlines() if "Index Cond" in line]
    assert all(any(f"({column} = wanted.name)" in line for line in found) for column in CONDITIONS[kind]), (
        plan
    )


async def test_categories_are_found_by_an_index_of_open_tickets(untouched: Pool) -> None:
    plan = await explained(untouched, store_uses._OF_CATEGORY, ["x"], ["y"])
    assert "open_activities_by_category" in plan, plan


async def test_wait_reasons_are_looked_for_by_an_index_of_their_process(untouched: Pool) -> None:
    plan = await explained(untouched, store_uses._OF_WAIT_REASON, ["x"], ["y"])
    found = [line for line in plan.splitlines() if "Index Cond" in line]
    assert any("(process = wanted.process)" in line for line in found), plan


async def test_of_very_many_open_cases_each_flow_is_looked_at_once(untouched: Pool) -> None:
    for statement, what in ((store_uses._OF_FLOW, ("queue",)), (store_uses._OF_APPROVERS, ())):
        plan = await explained(untouched, statement, ["x"], after=what)
        for flows in ("hashes_1", "flows"):
            assert f"(jsonb_hash_extended(flow, '0'::bigint) = {flows}.hash)" in plan, plan
        assert "Seq Scan on activities" not in plan, plan
