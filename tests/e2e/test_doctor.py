"""`mailroom doctor` on a running Mailroom: all is well, and a probe opens no Ticket (IN-5)."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.chaos.clocks import Clocks
from tests.support.mailroom import Mailroom


async def doctor(
    mailroom: Mailroom, *options: str, environment: Mapping[str, str] | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and findings of the command, in a process of its own."""
    mailroom.seen.save()
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "deploy.cli",
            "doctor",
            "--json",
            "--home",
            str(mailroom.seen.home),
            *options,
        ),
        env={**os.environ, "MAILROOM_TOPIC_PREFIX": mailroom.prefix, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(said)


async def test_all_is_well_and_a_probe_leaves_no_ticket(mailroom: Mailroom) -> None:
    async with mailroom.tables("activity") as tables:
        before = await tables.fetchval("SELECT count(*) FROM activities")
        code, found = await doctor(mailroom, "--probe")
        assert [each for each in found if each["state"] == "failed"] == []
        assert code == 0
        probes = [each for each in found if each["subject"].startswith("probe")]
        assert len(probes) == len(mailroom.definition.mailboxes)
        await mailroom.settled()
        assert await tables.fetchval("SELECT count(*) FROM activities") == before


async def test_a_server_that_is_away_is_named_and_the_others_are_looked_at(mailroom: Mailroom) -> None:
    await mailroom.lines["imap"].cut()
    code, found = await doctor(mailroom, "--service", "ingest")
    states = {each["subject"]: each["state"] for each in found}
    assert code == 1
    assert states["postgres"] == states["kafka topics"] == "ok"
    failed = [each for each in found if each["state"] == "failed"]
    assert {each["subject"].partition(" ")[0] for each in failed} == {"imap"}
    assert all("look at the server" in each["sentence"] for each in failed)


async def test_a_machine_whose_clock_is_wrong_is_told(mailroom: Mailroom, tmp_path: Path) -> None:
    clocks = Clocks(tmp_path)
    clocks.environment("doctor")
    clocks.set("doctor", 3600)
    asked = ("--service", "activity")
    code, found = await doctor(mailroom, *asked, environment=clocks.environment("doctor"))
    clock = next(each for each in found if each["subject"] == "clock")
    assert (code, clock["state"]) == (1, "failed")
    assert "s ahead of the database's: set both by NTP" in clock["sentence"]
