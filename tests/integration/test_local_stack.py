"""The stack on one machine, as the person at the terminal has it (design §8; guarantee 6 of design §2)."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.endpoints import Endpoints
from deploy.local.home import Home
from deploy.local.processes import ProcessRecord, is_alive
from deploy.local.progress import silence
from deploy.local.stack import StackOptions
from deploy.local.supervisor import end_instance, start_detached
from tests.support.waiting import eventually

pytestmark = pytest.mark.own_servers
SECONDS_FOR_A_COMMAND = 100


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for an instance that another user may pass, as PostgreSQL needs when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="mailroom-test-home-"))
    folder.chmod(0o755)
    yield folder
    if folder.exists():
        end_instance(Home(folder))
        shutil.rmtree(folder)


def mailroom(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_FOR_A_COMMAND,
    )


def start_in_foreground(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "up", "--home", str(home), "--servers-only"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


async def is_up(home: Path) -> Endpoints:
    endpoints = await eventually(lambda: Endpoints.load(home), deadline=SECONDS_FOR_A_COMMAND)
    assert endpoints is not None
    return endpoints


def everything(endpoints: Endpoints) -> list[psutil.Process]:
    """All processes of an instance, with what they started themselves."""
    records = [endpoints.supervisor, *endpoints.processes.values()]
    leaders = [process for record in records if (process := record.process())]
    return list({each for leader in leaders for each in (leader, *leader.children(recursive=True))})


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [each for each in processes if is_alive(each)]


def watched_process() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "1000"])


async def run_sql(endpoints: Endpoints, sql: str) -> object:
    connection = await asyncpg.connect(endpoints.postgres_dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_an_instance_comes_up_beside_another_and_nothing_of_it_survives_down(
    stack: Endpoints, home: Path
) -> None:
    up = mailroom("up", "--home", str(home), "--servers-only", "--detach")
    assert up.returncode == 0, up.stderr
    first = Endpoints.load(home)
    assert first is not None
    assert first.kafka_bootstrap in up.stdout
    assert not set(first.processes) ^ {"kafka", "postgres", "greenmail"}
    assert mailroom("status", "--home", str(home)).returncode == 0

    again = mailroom("up", "--home", str(home), "--servers-only", "--detach")
    assert again.returncode == 1
    assert "already up" in again.stderr
    assert "Traceback" not in again.stderr
    assert Endpoints.load(home) == first, "who is up keeps its addresses"

    await run_sql(first, "CREATE TABLE kept ()")
    processes = everything(first)
    assert len(processes) > 4
    assert mailroom("down", "--home", str(home)).returncode == 0
    assert not alive(processes)
    assert mailroom("status", "--home", str(home)).returncode == 1
    assert alive(everything(stack)), "the instance beside it goes on"

    # What PostgreSQL and Kafka kept is there again, on the same ports.
    second = start_detached(StackOptions(home=home, services=()), silence)
    assert second.kafka_bootstrap == first.kafka_bootstrap
    assert await run_sql(second, "SELECT to_regclass('kept') IS NOT NULL")
    mailroom("down", "--home", str(home))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_nothing_survives_a_killed_parent_and_the_next_start_succeeds(home: Path) -> None:
    parent = start_in_foreground(home)
    processes = everything(await is_up(home))
    parent.send_signal(signal.SIGKILL)
    parent.communicate(timeout=SECONDS_FOR_A_COMMAND)
    await eventually(lambda: not alive(processes))

    start_detached(StackOptions(home=home, services=()), silence)
    assert end_instance(Home(home))


async def test_ctrl_c_ends_everything(home: Path) -> None:
    parent = start_in_foreground(home)
    processes = everything(await is_up(home))
    parent.send_signal(signal.SIGINT)
    _, said = parent.communicate(timeout=SECONDS_FOR_A_COMMAND)
    assert (parent.returncode, said) == (0, "")
    assert not alive(processes)
    assert Endpoints.load(home) is None


async def test_a_server_that_dies_is_started_again_and_all_end_with_the_watched_process(home: Path) -> None:
    with watched_process() as watched:
        options = StackOptions(home=home, services=(), temporary=True)
        endpoints = start_detached(options, silence, ProcessRecord.of(watched.pid))
        os.kill(endpoints.processes["postgres"].pid, signal.SIGKILL)

        async def answers_again() -> bool:
            now = Endpoints.load(home)
            if now is None or now.processes["postgres"] == endpoints.processes["postgres"]:
                return False
            return await run_sql(now, "SELECT true") is True

        await eventually(answers_again)
        processes = everything(await is_up(home))
        watched.kill()
    await eventually(lambda: not alive(processes))
    await eventually(lambda: not Path(home).exists())


def test_a_port_in_use_is_said_in_one_sentence(stack: Endpoints, home: Path) -> None:
    up = mailroom("up", "--home", str(home), "--servers-only", "--port", f"imap={stack.imap.port}")
    assert up.returncode == 1
    assert len(up.stderr.strip().splitlines()) == 1
    assert f"Port {stack.imap.port}, asked for imap, is in use" in up.stderr
    assert not json.loads((home / "ports.json").read_text() if (home / "ports.json").exists() else "{}")
