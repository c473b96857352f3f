"""Who is asked for approvals: people who read their mail, follow its link, and click until it counts."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tests.faults.chaos.asking import LOOK_SECONDS, TWICE
from tests.faults.chaos.sink import Sink

_AT_ONCE = 4
_PATIENCE_SECONDS = 10.0
"""A browser gives up then; whether its click counts, nobody knows."""
_LOOKS = 0.3
_OK, _GONE, _OURS = 200, 410, 500


@dataclass
class Approvers:
    """`decisions` counts how often each link is said to have decided; `refusals` nobody should read."""

    sink: Sink
    chance: random.Random
    decisions: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    enough: bool = False
    _read: int = 0
    _links: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    async def work(self) -> None:
        """Until it is enough."""
        async with asyncio.TaskGroup() as group:
            eyes = group.create_task(self._read_mail())
            await asyncio.gather(*(self._work() for _ in range(_AT_ONCE)))
            eyes.cancel()

    async def _read_mail(self) -> None:
        """A mail that came twice has its link clicked twice."""
        while True:
            fresh = self.sink.look(self._read)
            self._read += len(fresh)
            for each in fresh:
                if each.link:
                    self._links.put_nowait(each.link)
            await asyncio.sleep(LOOK_SECONDS)

    async def _work(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_SECONDS) as browser:
            while not self.enough:
                try:
                    link = await asyncio.wait_for(self._links.get(), LOOK_SECONDS)
                except TimeoutError:
                    continue
                if not await self._decide(browser, link):
                    await asyncio.sleep(LOOK_SECONDS)
                    self._links.put_nowait(link)

    async def _decide(self, browser: httpx.AsyncClient, link: str) -> bool:
        """Whether it is decided. Who looks decides nothing, and who clicks twice decides once."""
        if self.chance.random() < _LOOKS:
            with suppress(httpx.HTTPError):
                await browser.get(link)
        clicks = 2 if self.chance.random() < TWICE else 1
        counted = await asyncio.gather(*(self._click(browser, link) for _ in range(clicks)))
        return any(counted)

    async def _click(self, browser: httpx.AsyncClient, link: str) -> bool:
        try:
            answer = await browser.post(link, json={"decision": "approve"})
        except httpx.HTTPError:
            return False
        if answer.status_code == _OK:
            self.decisions[link] += 1
        elif answer.status_code >= _OURS:
            return False
        elif answer.status_code != _GONE or answer.json()["code"] != "link_used":
            self.refusals.append(f"{link} cannot be followed: {answer.text}")
        return True
