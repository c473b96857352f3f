"""Who works on Cases during a run: robots over Kafka, who repeat what they ask, and a person over HTTP.

Robots know nothing but topics: they ask for the next Action, complete it, and ask again under the same id for
as long as they hear nothing; now and then they say everything twice. Nobody tells them what is broken.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from shared.contracts import activity_requests as asked
from tests.faults.chaos import speech
from tests.faults.chaos.matters import ROBOTS, STEPS
from tests.faults.chaos.speech import Mouth
from tests.faults.chaos.world import AWAY, World

_LOOK_SECONDS = 0.5
_AGAIN_SECONDS = 3.0
"""Without an answer for so long, a robot asks again."""
_DEAF = 5
"""Repeats without an answer, after which the answers are read from their beginning again."""
_TWICE = 0.1
_LAST_WORDS_SECONDS = 60.0

_ALL_DONE = """
SELECT reference, status FROM activities
WHERE kind = 'case' AND status IN ('to_do', 'in_progress')
  AND (course ->> 'step')::int = $1 AND jsonb_array_length(course -> 'running') = 0
ORDER BY number LIMIT 20
"""


@dataclass
class Robots:
    """`asked_for` has the id of every request that was made, `refusals` what no robot should have heard."""

    world: World
    chance: random.Random
    asked_for: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)
    enough: bool = False
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    _waiting: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    _hears_anew: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """All of them, until it is enough."""
        async with asyncio.TaskGroup() as group:
            ears = group.create_task(self._hear())
            actors = [asked.Actor(kind=asked.ActorKind.ROBOT, id=name) for name in ROBOTS]
            await asyncio.gather(*(self._work(each) for each in actors))
            ears.cancel()

    async def _work(self, robot: asked.Actor) -> None:
        mouth = Mouth(self.world.mailroom)
        while not self.enough:
            found = await self._ask(mouth, asked.WorkTakeNext(type="action.take_next", actor=robot))
            if found["type"] == "request.accepted":
                await self._complete(mouth, robot, found["reference"])
            elif found["code"] == "nothing_to_do":
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                self.refusals.append(f"{robot.id} gets no work: {found}")
        await mouth.close()

    async def _complete(self, mouth: Mouth, robot: asked.Actor, reference: str) -> None:
        done = await self._ask(mouth, asked.ActionComplete(actor=robot, reference=reference))
        if done["type"] != "request.accepted":
            self.refusals.append(f"{robot.id} cannot complete {reference}: {done}")

    async def _ask(self, mouth: Mouth, request: asked.Request) -> dict[str, Any]:
        """Ask until there is an answer, under one id."""
        id_ = str(UUID(int=self.chance.getrandbits(128)))
        self.asked_for.add(id_)
        heard, repeats = self._waiting[id_], 0
        while not heard.is_set():
            for _ in range(2 if self.chance.random() < _TWICE else 1):
                await mouth.say(id_, request)
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), _AGAIN_SECONDS)
            repeats += 1
            if repeats % _DEAF == 0:
                self._hears_anew.set()
        del self._waiting[id_]
        return self._answers.pop(id_)

    async def _hear(self) -> None:
        """Listen to all answers; from their beginning again whenever the line breaks, or nothing is heard."""
        while True:
            self._hears_anew.clear()
            with suppress(*speech.AWAY):
                await speech.listen(self.world.mailroom, self._heard, self._hears_anew)
            await asyncio.sleep(_LOOK_SECONDS)

    def _heard(self, answer: dict[str, Any]) -> None:
        id_ = answer["request"]["id"]
        if id_ in self._waiting:
            self._answers[id_] = answer
            self._waiting[id_].set()


async def see_to_the_rest(world: World) -> None:
    """A person resolves Cases in which all is done, and which mail keeps from ending by themselves."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        rows = []
        with suppress(*AWAY):
            async with world.mailroom.tables("activity") as tables:
                rows = await tables.fetch(_ALL_DONE, len(STEPS))
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
async def at_work(world: World, chance: random.Random) -> AsyncIterator[Robots]:
    """Robots and a person at work for as long as this lasts; in the end robots hear what they have asked."""
    robots = Robots(world, chance)
    async with asyncio.TaskGroup() as group:
        at_work, person = group.create_task(robots.work()), group.create_task(see_to_the_rest(world))
        try:
            yield robots
            robots.enough = True
            await asyncio.wait([at_work], timeout=_LAST_WORDS_SECONDS)
        finally:
            at_work.cancel()
            person.cancel()
