"""What `mailroom config plan` and `apply` say of the work that a configuration reaches."""

import pytest

from deploy.commands.config import _tell_of_work


def test_people_are_told_how_many_cases_end_on_their_old_steps(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_of_work({"going_on": {"hiring": 1, "moving": 2}})
    assert capsys.readouterr().out.splitlines() == [
        "hiring: 1 Case ends on the steps that it began with.",
        "moving: 2 Cases end on the steps that they began with.",
    ]


def test_people_are_told_which_approvals_come_to_them(capsys: pytest.CaptureFixture[str]) -> None:
    """A25."""
    _tell_of_work(
        {
            "to_people": [
                {"user": "bruno", "count": 1, "examples": ["100001-C-A1.3"]},
                {"user": "clara", "count": 6, "examples": ["100003-C-A1.1", "100002-C-A1.1"]},
            ]
        }
    )
    assert capsys.readouterr().out.splitlines() == [
        "bruno: 1 approval waits for nobody else, and comes to people (100001-C-A1.3).",
        "clara: 6 approvals wait for nobody else, and come to people (100003-C-A1.1, 100002-C-A1.1, …).",
    ]


def test_an_older_activity_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_of_work({"version": 2, "changed": True})
    assert capsys.readouterr().out == ""
