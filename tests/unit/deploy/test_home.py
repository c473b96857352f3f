"""The folder of an instance: held by one at a time, and freed of what an earlier one left (design §8)."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local.failure import StackFailure
from deploy.local.home import Home
from deploy.local.processes import ProcessRecord, is_alive

# A leader that starts a process of its own session, says so, and ends or stays.
LEADER = "import subprocess, sys; p = subprocess.Popen(['sleep', '1000']); print(p.pid, flush=True)"


def start(code: str) -> tuple[subprocess.Popen[str], psutil.Process]:
    leader = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert leader.stdout is not None
    with leader.stdout as said:
        return leader, psutil.Process(int(said.readline()))


@pytest.mark.parametrize("code", [LEADER, LEADER + "; p.wait()"], ids=["leader ended", "leader lives"])
def test_a_start_ends_what_an_earlier_one_left_behind(tmp_path: Path, code: str) -> None:
    home = Home(tmp_path / "home")
    leader, child = start(code)
    with home.held():
        home.record({"server": ProcessRecord.of(leader.pid)})
    if code == LEADER:
        leader.wait()
    with home.held():
        assert not is_alive(child)
        assert leader.wait() is not None


def test_a_process_that_was_given_the_pid_later_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    stranger, child = start(LEADER + "; p.wait()")
    try:
        with home.held():
            home.record({"server": ProcessRecord(pid=stranger.pid, started=child.create_time() - 3600)})
        with home.held():
            assert stranger.poll() is None
            assert is_alive(child)
    finally:
        child.kill()
        stranger.wait()


def test_a_home_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.held():
        assert home.is_held()
        with pytest.raises(StackFailure, match="already up"), home.held():
            pass
    assert not home.is_held()


def test_a_fresh_start_empties_the_home_but_never_somebody_elses_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.held():
        (home.path / "postgres").mkdir()
        (home.path / "postgres" / "made").touch()
    with home.held(fresh=True):
        assert not (home.path / "postgres").exists()

    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter-1").write_text("years of work")
    with (
        pytest.raises(StackFailure, match="is not a home of Mailroom"),
        Home(tmp_path / "thesis").held(fresh=True),
    ):
        pass
    assert (tmp_path / "thesis" / "chapter-1").read_text() == "years of work"
