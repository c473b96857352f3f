"""Who works on Cases during a run: robots and a connector over Kafka, approvers and a person over HTTP.

Robots know nothing but topics: they ask for the next Action, complete it, and ask again under the same id for
as long as they hear nothing; now and then they say everything twice. Nobody tells them what is broken.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from shared.contracts import activity_requests as asked
from tests.faults.chaos.approvers import Approvers
from tests.faults.chaos.asking import LOOK_SECONDS, Asking
from tests.faults.chaos.connector import Connector
from tests.faults.chaos.matters import MATTER, ROBOTS, STEPS
from tests.faults.chaos.speech import Mouth
from tests.faults.chaos.world import AWAY, World

_LAST_WORDS_SECONDS = 60.0

_ALL_DONE = """
SELECT reference, status FROM activities
WHERE kind = 'case' AND status IN ('to_do', 'in_progress')
  AND (course ->> 'step')::int = $1 AND jsonb_array_length(course -> 'running') = 0
ORDER BY number LIMIT 20
"""


@dataclass
class Robots:
    """`refusals` are what no robot should have heard."""

    asking: Asking
    refusals: list[str] = field(default_factory=list)
    enough: bool = False

    async def work(self) -> None:
        """All of them, until it is enough."""
        actors = [asked.Actor(kind=asked.ActorKind.ROBOT, id=name) for name in ROBOTS]
        await asyncio.gather(*(self._work(each) for each in actors))

    async def _work(self, robot: asked.Actor) -> None:
        mouth = Mouth(self.asking.mailroom)
        while not self.enough:
            found = await self._ask(mouth, asked.WorkTakeNext(type="action.take_next", actor=robot))
            if found["type"] == "request.accepted":
                await self._complete(mouth, robot, found["reference"])
            elif found["code"] == "nothing_to_do":
                await asyncio.sleep(LOOK_SECONDS)
            else:
                self.refusals.append(f"{robot.id} gets no work: {found}")
        await mouth.close()

    async def _complete(self, mouth: Mouth, robot: asked.Actor, reference: str) -> None:
        done = await self._ask(mouth, asked.ActionComplete(actor=robot, reference=reference))
        if done["type"] != "request.accepted":
            self.refusals.append(f"{robot.id} cannot complete {reference}: {done}")

    async def _ask(self, mouth: Mouth, request: asked.Request) -> dict[str, Any]:
        id_ = str(UUID(int=self.asking.chance.getrandbits(128)))
        return await self.asking.ask(mouth, id_, request)


@dataclass
class Hands:
    """Everybody who works on Cases, and all that they have heard."""

    asking: Asking
    robots: Robots
    connector: Connector
    approvers: Approvers

    @property
    def asked_for(self) -> AbstractSet[str]:
        """The id of every request that was made."""
        return self.asking.asked_for

    @property
    def decisions(self) -> Mapping[str, int]:
        """How often each link was said to have decided."""
        return self.approvers.decisions

    @property
    def refusals(self) -> list[str]:
        """What nobody should have heard."""
        return [*self.robots.refusals, *self.connector.refusals, *self.approvers.refusals]

    async def work(self) -> None:
        """Until it is enough for all of them."""
        async with asyncio.TaskGroup() as group:
            ears = group.create_task(self.asking.hear())
            await asyncio.gather(self.robots.work(), self.connector.work(), self.approvers.work())
            ears.cancel()

    def rest(self) -> None:
        """Begin nothing any more."""
        self.robots.enough = self.connector.enough = self.approvers.enough = True


async def see_to_the_rest(world: World) -> None:
    """A person resolves Cases in which all is done, and which mail keeps from ending by themselves."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        rows = []
        with suppress(*AWAY):
            async with world.mailroom.tables("activity") as tables:
                rows = await tables.fetch(_ALL_DONE, len(STEPS[MATTER]))
        for row in rows:
            with suppress(httpx.HTTPError):
                if row["status"] == "to_do":
                    await _step(world, row["reference"], "pick_up")
                await _step(world, row["reference"], "resolve")


async def _step(world: World, reference: str, step: str) -> None:
    """Whatever is answered: a mail may have come in between, or a clock may have made the token void."""
    key = f"{reference}/{step}/{datetime.now(UTC).isoformat()}"
    path = f"/v1/cases/{reference}/steps/{step}"
    await world.mailroom.ask("POST", path, headers={"Idempotency-Key": key}, json={})


@asynccontextmanager
async def at_work(world: World, seed: int) -> AsyncIterator[Hands]:
    """All of them at work for as long as this lasts; in the end they hear what became of what they asked."""
    asking = Asking(world.mailroom, random.Random(f"robots of {seed}"))
    approvers = Approvers(world.sink, random.Random(f"approvers of {seed}"))
    hands = Hands(asking, Robots(asking), Connector(asking), approvers)
    async with asyncio.TaskGroup() as group:
        at_work, person = group.create_task(hands.work()), group.create_task(see_to_the_rest(world))
        try:
            yield hands
            hands.rest()
            await asyncio.wait([at_work], timeout=_LAST_WORDS_SECONDS)
        finally:
            at_work.cancel()
            person.cancel()
