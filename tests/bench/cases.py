"""Cases: how fast they run through their steps, and how long people wait for one with very many Actions."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import (
    ActionDefinition,
    ActionUse,
    Definition,
    ProcessKind,
    StepDefinition,
)
from shared.contracts.envelope import Envelope
from shared.topics import ACTIVITY_REQUESTS
from tests.bench import floor, floor_pipeline
from tests.bench.bench import Bench
from tests.bench.figures import MILLISECONDS, STEP_RATE, Figure, at_percent, figure
from tests.bench.floor_pipeline import fresh_floor
from tests.bench.installation import fresh_installation
from tests.bench.passing import Measured, Watch, following
from tests.bench.people_at_work import answered, somebody, timed
from tests.bench.steps import ANSWERED, Request, for_the_floor, pass_requests

CASES = 2_000
IN_STEP = (3, 2, 3, 2, 2)
"""Actions of each step: twelve in five."""
MANY = 1_000
"""Actions of the one Case that people open."""
AT_ONCE = 100
BELOW = 100
"""Sub-Cases of it, each with an Action that runs."""
_OPENED = "SELECT string_agg(reference, ',' ORDER BY number) FROM activities WHERE kind = 'case'"
_ERP = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
_ROBOT = asked.Actor(kind=asked.ActorKind.ROBOT, id="runner")


def with_cases(definition: Definition) -> Definition:
    """The organisation with processes of Cases and Sub-Cases, which are closed as soon as all is done."""
    names = [f"act-{step}-{number}" for step, size in enumerate(IN_STEP, 1) for number in range(1, size + 1)]
    like = definition.processes[0]
    process = like.model_copy(
        update={
            "name": "running",
            "kind": ProcessKind.CASE,
            "categories": (),
            "fields": (),
            "due_date": None,
            "no_response": None,
            "split": None,
            "feedback_window_hours": 0.0,
            "note_required_to_resolve": False,
            "actions": (
                *(ActionDefinition(name=name, title=name.capitalize()) for name in names),
                ActionDefinition(name="extra", title="Extra", launched_by_hand=True),
            ),
            "steps": tuple(
                StepDefinition(
                    name=f"step-{step}",
                    title=f"Step {step}",
                    actions=tuple(ActionUse(action=f"act-{step}-{n}") for n in range(1, size + 1)),
                )
                for step, size in enumerate(IN_STEP, 1)
            ),
        }
    )
    below = process.model_copy(
        update={
            "name": "below",
            "actions": (ActionDefinition(name="act", title="Act"),),
            "steps": (StepDefinition(name="only", title="Only", actions=(ActionUse(action="act"),)),),
        }
    )
    people = tuple(
        each.model_copy(update={"processes": (*each.processes, "running", "below")})
        for each in definition.users
    )
    robot = definition.users[0].model_copy(
        update={"name": "runner", "robot": True, "processes": ("running",), "leads": (), "address": None}
    )
    return definition.model_copy(
        update={"processes": (*definition.processes, process, below), "users": (*people, robot)}
    )


async def advancing(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """Robots complete all Actions of all Cases, step by step; each step waits for the answers of the last.

    What is measured is completions a second, whatever they lead to: the next step's Actions, or the end. The
    floor gets records of the same bytes, as for `steps`.
    """
    number = bench.number(CASES * sum(IN_STEP)) // sum(IN_STEP)
    passes: list[Measured] = []
    async with fresh_installation(bench.servers) as installation:
        installation.definition = with_cases(installation.definition)
        await bench.warm(installation)
        await installation.stop("ingest")
        organisation = installation.definition.organisation
        topic = installation.prefix + ACTIVITY_REQUESTS.name
        opening = [
            asked.ActivityOpen(type="case.open", actor=_ERP, process="running", title="Run", draft=False)
        ] * number
        await pass_requests(bench, installation, ANSWERED, topic, _records(organisation, opening))
        rows = await installation.ask(
            "activity",
            "SELECT string_agg(reference, ',' ORDER BY number) FROM activities WHERE kind = 'case'",
        )
        cases = str(rows).split(",")
        waves: list[list[Request]] = []
        async with bench.spy.looking("case_advance", installation.roots()):
            for step, size in enumerate(IN_STEP, 1):
                done = [
                    asked.ActionComplete(actor=_ROBOT, reference=f"{case}-A{step}.{ordinal}")
                    for ordinal in range(1, size + 1)
                    for case in cases
                ]
                waves.append(_records(organisation, done))
                passes.append(await pass_requests(bench, installation, ANSWERED, topic, waves[-1]))
        open_ = await installation.ask(
            "activity", "SELECT count(*) FROM activities WHERE kind <> 'ticket' AND status <> 'closed'"
        )
        assert open_ == 0, f"{open_} are open still"
    beside: list[Measured] = []
    async with fresh_floor(bench.servers) as pipeline:
        await pipeline.start("floor work", "floor work relay")
        topic = pipeline.prefix + floor.MAILS
        for wave in waves:
            like = [for_the_floor(each) for each in wave]
            beside.append(await pass_requests(bench, pipeline, floor_pipeline.ASKED, topic, like))
    return {"case_advance": figure(_together(passes), _together(beside), unit=STEP_RATE)}


async def one_large(bench: Bench, _: frozenset[str]) -> dict[str, Figure]:
    """Somebody opens a Case with very many Actions and Sub-Cases, lists them, and does it again."""
    async with fresh_installation(bench.servers) as installation:
        installation.definition = with_cases(installation.definition)
        await bench.warm(installation)
        await installation.stop("ingest")
        async with somebody(installation, "amelie") as client:
            case = await _large(client)
            watch, began = Watch(installation.roots()), time.monotonic()
            async with following(watch):

                async def rework(_: int) -> None:
                    answered(await _ask(client, f"{case}/steps/rework", step=1))

                async def opened(_: int) -> None:
                    answered(await client.get(case))
                    answered(await client.get(f"{case}/course"))

                running: list[str] = []

                async def running_known() -> None:
                    course = answered(await client.get(case)).json()["course"]
                    running[:] = course["running"]
                    if course["step"] == course["steps"] and len(running) == 1:  # it would be closed
                        await rework(0)
                        await running_known()

                async def completed(_: int) -> None:
                    answered(await _ask(client, f"/v1/actions/{running[0]}/steps/complete"))

                took = {
                    "rework_p99": await timed(rework, 100),
                    "case_page_p99": await timed(opened, 100),
                    "case_advance_http_p99": await timed(completed, 100, before=running_known),
                }
            measured = watch.end(sum(map(len, took.values())), time.monotonic() - began)
    return {
        name: figure(
            measured,
            value=1000 * at_percent(seconds, 99),
            unit=MILLISECONDS,
            more={"p50": 1000 * at_percent(seconds, 50), "actions": MANY, "sub_cases": BELOW},
        )
        for name, seconds in took.items()
    }


async def _large(client: httpx.AsyncClient) -> str:
    """A Case with very many Actions that were done, and Sub-Cases that run; where it stands."""
    made = answered(await _ask(client, "/v1/cases", process="running", title="Large", contacts=None)).json()
    case = f"/v1/cases/{made['reference']}"
    answered(await _ask(client, f"{case}/steps/submit"))
    for _ in range(MANY // AT_ONCE):
        launched = answered(await _ask(client, f"{case}/steps/launch", action="extra", copies=AT_ONCE)).json()
        for other in launched["others"]:
            answered(await _ask(client, f"/v1/actions/{other['reference']}/steps/complete"))
    for _ in range(BELOW):
        answered(await _ask(client, f"{case}/steps/start_sub_case", process="below"))
    return case


async def _ask(client: httpx.AsyncClient, path: str, **body: object) -> httpx.Response:
    said = {name: value for name, value in body.items() if value is not None}
    return await client.post(path, json=said, headers={"Idempotency-Key": uuid4().hex})


def _records(organisation: str, asked_for: Sequence[asked.Request]) -> list[Request]:
    made = []
    for record in asked_for:
        envelope = Envelope(
            id=uuid4().hex,
            source="/bench",
            type=record.type,
            time=datetime.now(UTC),
            organisation=organisation,
        )
        key = getattr(record, "reference", envelope.id)
        value = record.model_dump_json(exclude_none=True).encode()
        made.append(Request(f"{organisation}/{key}".encode(), value, envelope.to_headers()))
    return made


def _together(passes: Sequence[Measured]) -> Measured:
    """Several passes as one."""
    first, *others = passes
    for each in others:
        first = first.and_then(each)
    return first
