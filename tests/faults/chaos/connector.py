"""The connector of the other system that Cases call: it does each call once, by the id of its record.

It forgets now and then how far it has read, and reads all calls again, as after a crash. What it answers, it
answers under an id that follows from the call's, until it has heard that the answer came. Sometimes another
process of it does the same under an id of its own: one of the two is heard, and the other is told so.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_cases import ActionAnswerCall
from shared.topics import ACTIVITY_CALLS
from tests.faults.chaos import speech
from tests.faults.chaos.asking import LOOK_SECONDS, TWICE, Asking
from tests.faults.chaos.matters import PARCEL
from tests.faults.chaos.speech import Mouth

_ME = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="parcels")
_PROCESSES = ("one", "other")
_AT_ONCE = 2
_FORGETS_SECONDS = 15.0


@dataclass
class Connector:
    """`refusals` are answers of ours that activity did not want, though each call is answered once."""

    asking: Asking
    refusals: list[str] = field(default_factory=list)
    enough: bool = False
    _seen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _answered: set[str] = field(default_factory=set)
    _calls: "asyncio.Queue[tuple[str, dict[str, Any]]]" = field(default_factory=asyncio.Queue)

    async def work(self) -> None:
        """Until it is enough."""
        async with asyncio.TaskGroup() as group:
            ears = group.create_task(self._hear())
            await asyncio.gather(*(self._work() for _ in range(_AT_ONCE)))
            ears.cancel()

    async def _work(self) -> None:
        mouths = [Mouth(self.asking.mailroom) for _ in _PROCESSES]
        while not self.enough:
            try:
                id_, call = await asyncio.wait_for(self._calls.get(), LOOK_SECONDS)
            except TimeoutError:
                continue
            await self._answer(mouths, id_, call)
        for mouth in mouths:
            await mouth.close()

    async def _answer(self, mouths: Sequence[Mouth], id_: str, call: dict[str, Any]) -> None:
        answer = ActionAnswerCall(
            actor=_ME,
            reference=call["reference"],
            attempt=call["attempt"],
            outcome="succeeded",
            fields={PARCEL: id_},
        )
        pairs = zip(mouths, self._seen[id_], strict=False)
        told = await asyncio.gather(*(self.asking.ask(mouth, each, answer) for mouth, each in pairs))
        heard = [each.get("code") or "" for each in told]
        if sorted(heard) != ["", *["late_answer"] * (len(told) - 1)]:
            self.refusals.append(f"the connector cannot answer {call['reference']}: {told}")
        self._answered.add(id_)

    async def _hear(self) -> None:
        """Listen to all calls, from the first one again and again."""
        while True:
            forgets = asyncio.Event()
            timer = asyncio.get_running_loop().call_later(_FORGETS_SECONDS, forgets.set)
            with suppress(*speech.AWAY):
                await speech.listen(self.asking.mailroom, ACTIVITY_CALLS, self._heard, forgets)
            timer.cancel()
            await asyncio.sleep(LOOK_SECONDS)

    def _heard(self, id_: str, call: dict[str, Any]) -> None:
        """Of what it has done it knows the id, but now and then it answers again, because it is not sure."""
        if id_ not in self._seen:
            processes = _PROCESSES if self.asking.chance.random() < TWICE else _PROCESSES[:1]
            self._seen[id_] = tuple(str(uuid5(NAMESPACE_URL, f"{each} {id_}")) for each in processes)
            self._calls.put_nowait((id_, call))
        elif id_ in self._answered and self.asking.chance.random() < TWICE:
            self._answered.remove(id_)
            self._calls.put_nowait((id_, call))
