"""What the audience of the demonstration sees: steps told in a line each, and how everything stands."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.config.folder import read
from deploy.demo.performance import AGENT, ROBOT
from deploy.demo.scene import HELP
from deploy.demo.stage import Stage
from deploy.demo.story import ACTS
from deploy.local.preparation import SAMPLE

STEPS = [step for _, steps in ACTS for step in steps]
CASE: dict[str, Any] = {
    "reference": "100002-C",
    "title": "New employee: Nora Lind",
    "status": "to_do",
    "assignee": "amelie",
    "owner": None,
    "queue": "service-desk",
    "new_information": False,
    "resolution": None,
    "course": {"attention": True, "because": "100002-C-A1.1"},
}


@pytest.fixture
def told() -> StringIO:
    return StringIO()


@pytest.fixture
def stage(told: StringIO) -> Stage:
    return Stage(Console(file=told, width=100, no_color=True))


def test_a_ticket_comes_first_and_a_case_after_it() -> None:
    assert [title for title, _ in ACTS] == ["A mail becomes a Ticket", "A mail becomes a Case"]
    names = [step.__name__ for step in ACTS[1][1]]
    assert names.index("a_robot_does_one") < names.index("one_cannot_be_done")
    assert names.index("it_is_done_again") < names.index("the_agent_asks")
    assert names[-3:] == ["all_is_done", "it_closes", "its_course_is_drawn"]


def test_every_step_is_told_in_one_line_of_its_own() -> None:
    told = [step.__doc__ or "" for step in STEPS]
    assert all(told)
    assert all(len(each) < 96 and "\n" not in each for each in told)
    assert len(set(told)) == len(told)


def test_those_who_take_part_are_in_the_sample() -> None:
    """The robot is one by the configuration, whatever its token says (ST-24)."""
    definition = read(SAMPLE)
    robots = {user.name: user.robot for user in definition.users}
    assert (robots[AGENT], robots[ROBOT]) == (False, True)
    assert HELP in {mailbox.address for mailbox in definition.mailboxes}


def test_a_case_that_needs_attention_says_because_of_what(stage: Stage, told: StringIO) -> None:
    """CA-5."""
    stage.activity(CASE)
    assert told.getvalue().splitlines() == [
        "    100002-C  New employee: Nora Lind   status to_do   assignee amelie   queue service-desk",
        "    needs attention because of 100002-C-A1.1",
    ]


def test_how_an_action_ended_stands_beside_its_status(stage: Stage, told: StringIO) -> None:
    ended = {"status": "closed", "queue": None, "assignee": None, "course": None}
    stage.activity({**CASE, **ended, "resolution": {"method": "unable_to_complete"}})
    assert "status closed   unable to complete" in told.getvalue()


def test_the_course_is_a_line_for_each_action(stage: Stage, told: StringIO) -> None:
    robot = {"id": "account-robot", "kind": "robot"}
    action = {"reference": "100002-C-A1.2", "title": "Create [b]the account[/b]", "status": "closed"}
    running = {**action, "method": None, "ended_by": None, "status": "in_progress"}
    done = {**action, "method": "complete", "ended_by": robot}
    stage.course({"steps": [{"title": "Prepare", "actions": [done, running]}]})
    first, second = told.getvalue().splitlines()[1:]
    assert "Create [b]the account[/b]" in first
    assert first.split()[-2:] == ["account-robot", "complete"]
    assert second.split()[-2:] == ["in", "progress"]


def test_a_file_is_named_in_one_piece(stage: Stage, told: StringIO) -> None:
    path = Path("/srv") / ("very-long-folder/" * 9) / "case.svg"
    stage.file("The drawing lies in", path)
    assert told.getvalue() == f"    The drawing lies in {path}\n"
