"""What `mailroom config plan` shows: every difference, where it is, and readable."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.commands.config import app
from deploy.config.differences import differences
from deploy.config.folder import read
from deploy.config.showing import lines, shown, summary
from shared.contracts.activity_organisation import Definition

SAMPLE = read(Path("deploy/config/sample"))


def edited(change: Callable[[dict[str, Any]], object]) -> Definition:
    written = SAMPLE.model_dump(mode="json")
    change(written)
    return Definition.model_validate(written)


def plan(after: Definition, before: Definition | None = SAMPLE) -> list[str]:
    return [line.text for line in lines(differences(before, after))]


def test_nothing_is_shown_where_nothing_changes() -> None:
    assert differences(SAMPLE, SAMPLE) == []


def test_a_changed_value_stands_under_its_thing_and_its_kind() -> None:
    after = edited(lambda it: it["processes"][0].update(title="Request to IT", feedback_window_hours=24))
    assert plan(after) == [
        "processes",
        "  ~ it-request",
        "    ~ title: IT request -> Request to IT",
        "    ~ feedback_window_hours: 72 -> 24",
    ]


def test_a_list_shows_what_comes_and_goes_and_what_changes_inside() -> None:
    def change(it: dict[str, Any]) -> None:
        process = it["processes"][0]
        process["categories"][0]["due_date"] = "two-days"
        process["categories"][2:3] = [{"path": "Network", "due_date": "four-hours"}]
        process["fields"][0]["mandatory"] = True
        it["users"][0]["processes"].remove("invoice-question")

    assert plan(edited(change)) == [
        "processes",
        "  ~ it-request",
        "    ~ categories",
        "      ~ Access / Password",
        "        ~ due_date: four-hours -> two-days",
        "      - Hardware",
        "      + Network",
        "        + due_date: four-hours",
        "    ~ fields",
        "      ~ device",
        "        ~ mandatory: false -> true",
        "users",
        "  ~ amelie",
        "    ~ processes",
        "      - invoice-question",
    ]


def test_what_is_new_says_what_it_is_and_what_is_gone_is_named() -> None:
    def change(it: dict[str, Any]) -> None:
        it["blocked"] = [{"address": "eve@shop.test", "mode": "tickets"}]
        it["calendars"].append(
            {"name": "night", "title": "Night", "time_zone": "UTC", "hours": {"monday": ["22:00-06:00"]}}
        )

    assert plan(edited(change)) == [
        "calendars",
        "  + night",
        "    + title: Night",
        "    + time_zone: UTC",
        "    + hours",
        "      + monday: [22:00-06:00]",
        "blocked",
        "  - *@spam.test",
        "  + eve@shop.test",
        "    + mode: tickets",
    ]


def test_steps_and_actions_show_what_changes_in_them_and_in_which_order() -> None:
    def change(it: dict[str, Any]) -> None:
        case = it["processes"][2]
        case["actions"][0].update(checklist=["Is it charged?"], due_date="four-hours")
        case["actions"].append({"name": "order-badge", "title": "Order a badge"})
        case["steps"][0]["actions"][0]["when"] = None
        case["steps"][0]["actions"].reverse()
        case["steps"][1]["when"] = "works_from_home"
        badge = {"action": "order-badge", "when": 'device == "own"'}
        case["steps"].append(
            {"name": "later", "title": "Later", "actions": [badge, {"action": "create-account"}]}
        )
        case["steps"].reverse()

    assert plan(edited(change)) == [
        "processes",
        "  ~ new-employee",
        "    ~ actions",
        "      ~ prepare-laptop",
        "        ~ due_date: two-days -> four-hours",
        "        ~ checklist",
        "          - Is the disk encrypted?",
        "          - Is the serial number noted down?",
        "          + Is it charged?",
        "      + order-badge",
        "        + title: Order a badge",
        "        + type: manual",
        "    ~ steps",
        "      ~ prepare",
        "        ~ actions",
        "          ~ prepare-laptop",
        '            ~ when: device != "own" -> none',
        "          ~ order: [prepare-laptop, create-account] -> [create-account, prepare-laptop]",
        "      ~ welcome",
        "        ~ when: first_day != null -> works_from_home",
        "      + later",
        "        + title: Later",
        "        + actions",
        '          + order-badge (when: device == "own")',
        "          + create-account",
        "      ~ order: [prepare, welcome] -> [welcome, prepare]",
    ]


def test_levels_of_an_approval_are_told_apart_by_their_place() -> None:
    """A25: they have no names."""

    def first(it: dict[str, Any]) -> None:
        levels = [{"approvers": ["lena"]}, {"approvers": ["cfo"]}]
        it["processes"][2]["actions"][0].update(type="approval", approval=levels)

    def second(it: dict[str, Any]) -> None:
        levels = [{"approvers": ["lena", "karim"], "needed": "one"}, {"approvers": ["cfo"]}]
        more = {"approvers": ["board"], "when": "works_from_home"}
        it["processes"][2]["actions"][0].update(type="approval", approval=[*levels, more])

    assert plan(edited(second), edited(first)) == [
        "processes",
        "  ~ new-employee",
        "    ~ actions",
        "      ~ prepare-laptop",
        "        ~ approval",
        "          ~ 1",
        "            ~ approvers",
        "              + karim",
        "            ~ needed: all -> one",
        "          + 3",
        "            + approvers: [board]",
        "            + needed: all",
        "            + when: works_from_home",
    ]


def test_a_process_that_is_turned_into_one_of_cases_says_so() -> None:
    def change(it: dict[str, Any]) -> None:
        step = {"name": "all", "title": "All", "actions": [{"action": "call"}]}
        actions = [{"name": "call", "title": "Call"}]
        it["processes"][1].update(kind="case", actions=actions, steps=[step], categories=[])

    assert plan(edited(change))[1:3] == ["  ~ invoice-question", "    ~ kind: ticket -> case"]


def test_routes_in_another_order_are_a_difference() -> None:
    """RT-1: the first that matches wins."""
    after = edited(lambda it: it["mailboxes"][0]["routes"].reverse())
    assert plan(after) == [
        "mailboxes",
        "  ~ help",
        "    ~ routes",
        "      ~ order: [passwords, new-employees, support] -> [support, new-employees, passwords]",
    ]


def test_a_long_text_shows_the_lines_that_differ() -> None:
    def change(it: dict[str, Any]) -> None:
        text = it["templates"][1]["texts"]["en"]
        text["text"] = text["text"].replace("Kind regards", "Yours")

    assert plan(edited(change)) == [
        "templates",
        "  ~ no-response",
        "    ~ texts",
        "      ~ en",
        "        ~ text",
        "          - Kind regards",
        "          + Yours",
    ]


def test_settings_stand_under_rules() -> None:
    after = edited(lambda it: it["rules"].update(test_mode=True, contact_scope="local"))
    assert plan(after) == [
        "rules",
        "  ~ test_mode: false -> true",
        "  ~ contact_scope: global -> local",
    ]


def test_before_the_first_time_everything_is_added_and_counted() -> None:
    found = differences(None, SAMPLE)
    assert {"processes", "calendars", "users", "blocked"} <= {kind.name for kind in found}
    assert {thing.change for kind in found if kind.name != "rules" for thing in kind.inner} == {"added"}
    assert summary(differences(SAMPLE, edited(lambda it: it["users"].pop()))) == "1 removed."


TITLES = st.text("ab \n[x]", max_size=12)


@given(TITLES, TITLES, st.lists(st.sampled_from(["it-request", "invoice-question"]), unique=True))
def test_whatever_changes_is_shown_and_ends_with_what_is_there_then(
    title: str, domain: str, processes: list[str]
) -> None:
    def change(it: dict[str, Any]) -> None:
        it["companies"][0].update(title=title, domains=[domain])
        it["users"][1]["reads"] = processes

    after = edited(change)
    texts = plan(after)
    assert bool(texts) is (after != SAMPLE)
    if title != SAMPLE.companies[0].title and "\n" not in title:
        assert f"    ~ title: Harbour Logistics -> {shown(title)}" in texts
    assert all(f"      + {name}" in texts for name in processes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree("deploy/config/sample", tmp_path / "organisation"))


def test_plan_warns_of_what_is_in_use_and_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use = {"kind": "queues", "name": "old", "detail": "'old' cannot be removed: 1 activity stands on it [x]"}

    def answer(method: str, url: str, **_: Any) -> httpx.Response:
        if method == "GET":
            before = edited(lambda it: it["queues"].append({"name": "old", "title": "Old"}))
            return httpx.Response(200, json={"version": 1, "definition": before.model_dump(mode="json")})
        return httpx.Response(409, json={"code": "configuration_in_use", "uses": [use]})

    monkeypatch.setattr(httpx, "request", answer)
    result = CliRunner().invoke(app, ["plan", str(folder), "--url", "http://activity", "--token", "x"])
    assert result.exit_code == 1
    assert "queues\n  - old\n1 removed.\n" in result.output
    assert "! queues: 'old' cannot be removed: 1 activity stands on it [x]" in result.output
