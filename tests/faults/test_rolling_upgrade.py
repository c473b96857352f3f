"""An upgrade while mail flows, and the way back: both versions work side by side, on one database and Kafka.

There is no older release to come from, so the newer one is made (tests/support/next_version.py). Guarantees
1, 2 and 3 hold throughout, in the order of docs/operating.md: migrate, new beside old, stop the old.
"""

import asyncio
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.instance import SERVICES
from deploy.local.endpoints import Endpoints
from shared.migrations import SERVICE, Migration, migrate
from tests.support import next_version
from tests.support.crowd import Crowd
from tests.support.mailroom import PATIENCE, Mailroom, nothing_more
from tests.support.waiting import eventually

NEWER = "-2"
"""Processes of the newer version are called so."""


@contextmanager
def versions(mailroom: Mailroom, newer: Path) -> Iterator[None]:
    """Whoever is called `…-2` is of the newer version."""

    def more(name: str, seen: Endpoints) -> Mapping[str, str]:
        return {"PYTHONPATH": str(newer)} if name.endswith(NEWER) else {}

    mailroom.more = more
    try:
        yield
    finally:
        mailroom.more = nothing_more


async def run_migrations(mailroom: Mailroom, newer: Path) -> None:
    """The job before the upgrade, of the newer version."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "migrate", "--dsn", mailroom.database.dsn),
        env={**os.environ, "PYTHONPATH": str(newer)},
        cwd=newer,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert said.decode().count("moods") == 2 * len(SERVICES)


async def metrics(mailroom: Mailroom, name: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{mailroom.url(name)}/metrics")).text


async def passed_over(mailroom: Mailroom, name: str) -> float:
    """How many events of an unknown type a process has read among ingest's."""
    pattern = r'mailroom_records_done_total\{consumer="activity.mails",outcome="passed_over"\} (\S+)'
    found = re.search(pattern, await metrics(mailroom, name))
    assert found is not None
    return float(found[1])


async def test_old_and_new_work_side_by_side_while_mail_flows_forward_and_back(
    mailroom: Mailroom, tmp_path: Path
) -> None:
    crowd, newer = Crowd(mailroom), next_version.make(tmp_path)
    await crowd.write(4)
    await run_migrations(mailroom, newer)
    with versions(mailroom, newer):
        await crowd.write(4)
        await asyncio.gather(*(mailroom.start(service + NEWER) for service in SERVICES))
        assert f'version="{next_version.NUMBER}"' in await metrics(mailroom, "activity-2")
        assert f'version="{next_version.NUMBER}"' not in await metrics(mailroom, "activity")
        await crowd.write(4)
        assert await mailroom.stop("ingest") == 0
        await crowd.write(4)
        # The newer ingest says what the older activity has never heard of.
        await eventually(lambda: passed_over(mailroom, "activity"), deadline=PATIENCE, every=0.1)
        for service in ("activity", "notify"):
            assert await mailroom.stop(service) == 0
        await crowd.write(4)
        await mailroom.settled()
        await crowd.answer(6)
        # And back, while the answers are read.
        await asyncio.gather(*(mailroom.start(service) for service in SERVICES))
        await crowd.write(4)
        for service in SERVICES:
            assert await mailroom.stop(service + NEWER) == 0
    await crowd.write(4)
    await mailroom.settled()
    assert len(crowd.answered) == 6
    await crowd.check()


async def test_old_code_refuses_a_schema_that_excludes_it_and_says_so(mailroom: Mailroom) -> None:
    number = next_version.newest("activity") + 100
    excluding = Migration(SERVICE, number, "excluding", "SELECT 1", oldest_code=number)
    assert await mailroom.stop("activity") == 0
    await migrate(mailroom.database.dsn, "activity", [excluding])
    try:
        await mailroom.launch("activity")
        await eventually(lambda: mailroom.pid("activity") is None, deadline=PATIENCE)
        assert await mailroom.stop("activity") == 1
        assert "newer than this code can live with" in mailroom.log("activity").read_text()
        assert "Run a newer version." in mailroom.log("activity").read_text()
    finally:
        async with mailroom.tables("activity") as tables:
            await tables.execute("DELETE FROM schema_migrations WHERE name = 'excluding'")
