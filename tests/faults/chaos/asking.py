"""Asking activity over Kafka until it answers, under one id, whatever is broken meanwhile."""

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from shared.contracts import activity_requests as asked
from shared.topics import ACTIVITY_ANSWERS
from tests.faults.chaos import speech
from tests.faults.chaos.speech import Mouth
from tests.support.mailroom import Mailroom

LOOK_SECONDS = 0.5
TWICE = 0.1
"""How often somebody says everything twice."""
_AGAIN_SECONDS = 3.0
"""Without an answer for so long, it is asked again."""
_DEAF = 5
"""Repeats without an answer, after which the answers are read from their beginning again."""


@dataclass
class Asking:
    """`asked_for` has the id of every request that was made."""

    mailroom: Mailroom
    chance: random.Random
    asked_for: set[str] = field(default_factory=set)
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    _waiting: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    _hears_anew: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, mouth: Mouth, id_: str, request: asked.Request) -> dict[str, Any]:
        """Ask until there is an answer."""
        self.asked_for.add(id_)
        heard, repeats = self._waiting[id_], 0
        while not heard.is_set():
            for _ in range(2 if self.chance.random() < TWICE else 1):
                await mouth.say(id_, request)
            with suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), _AGAIN_SECONDS)
            repeats += 1
            if repeats % _DEAF == 0:
                self._hears_anew.set()
        del self._waiting[id_]
        return self._answers.pop(id_)

    async def hear(self) -> None:
        """Listen to all answers; from their beginning again whenever the line breaks, or nothing is heard."""
        while True:
            self._hears_anew.clear()
            with suppress(*speech.AWAY):
                await speech.listen(self.mailroom, ACTIVITY_ANSWERS, self._heard, self._hears_anew)
            await asyncio.sleep(LOOK_SECONDS)

    def _heard(self, _: str, answer: dict[str, Any]) -> None:
        id_ = answer["request"]["id"]
        if id_ in self._waiting:
            self._answers[id_] = answer
            self._waiting[id_].set()
