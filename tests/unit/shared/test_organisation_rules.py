"""What the parts of an organisation's configuration have to agree about, and what is found otherwise."""

from pathlib import Path
from typing import Any

import pytest

from deploy.config.folder import read
from shared.contracts.activity_organisation import Definition
from shared.organisation_rules import findings

SAMPLE = read(Path("deploy/config/sample")).model_dump(mode="json")
OPEN = {"monday": ["09:00-17:00"]}
USER = {"title": "Ann", "name": "ann"}


def found(**parts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What is wrong with the sample when these lists stand behind its own: (path, sentence)."""
    definition = Definition.model_validate(
        {**SAMPLE, **{kind: [*SAMPLE[kind], *things] for kind, things in parts.items()}}
    )
    return [(".".join(map(str, finding.path)), finding.sentence) for finding in findings(definition)]


def process(**changes: Any) -> dict[str, Any]:
    return {**SAMPLE["processes"][0], "name": "more", **changes}


def rule(**changes: Any) -> dict[str, Any]:
    return {"name": "more", "adjust": 1, "calendar": "office", **changes}


def mailbox(process: str) -> dict[str, Any]:
    imap = {"server": "main", "user": "more", "password": "more"}
    return {
        **SAMPLE["mailboxes"][0],
        "name": "more",
        "address": "more@mailroom.test",
        "aliases": [],
        "imap": imap,
        "routes": [],
        "fallback": {"process": process},
    }


def custom(type_: str, **changes: Any) -> dict[str, Any]:
    return {"name": "more", "title": "More", "type": type_, **changes}


def calendar(**changes: Any) -> dict[str, Any]:
    return {"name": "more", "title": "More", "time_zone": "Europe/Paris", "hours": OPEN, **changes}


def test_what_agrees_is_accepted() -> None:
    """BK-14, BK-15, BK-16, BL-1, SL-1, SL-4: each in one of its forms."""
    assert (
        found(
            companies=[{"name": "north", "title": "North", "parent": "harbour"}],
            processes=[process(live=False, test=True, fields=[{"field": "lines", "mandatory": True}])],
            fields=[
                custom("table", name="lines", columns=[custom("list", options=["a", "b"])]),
                custom("entity_relationship", name="payer", entity="company"),
            ],
            calendars=[calendar(hours={"sunday": ["06:00-12:00", "22:00-06:00"]}, holidays=["2026-12-25"])],
            due_dates=[
                rule(method="end_of_month", adjust=-3, unit="working_days"),
                rule(name="by-hand", method="by_hand", adjust=0, allow_override=True),
                rule(name="waiting", add_wait_time=True, stops_the_clock=["until"], calendar=None),
            ],
            users=[{**USER, "retired": True}, {**USER, "name": "r2", "robot": True, "suspended": True}],
            blocked=[
                {"address": "Ann@shop.test", "mode": "tickets"},
                {"address": "*@shop.test", "mode": "reject"},
            ],
        )
        == []
    )


@pytest.mark.parametrize(
    ("parts", "path", "sentence"),
    [
        (
            {"companies": [{"name": "a", "title": "A", "parent": "z"}]},
            "companies.1.parent",
            "no 'z' in companies",
        ),
        (
            {
                "process_groups": [{"name": "g", "title": "G", "service": "accounts"}],
                "processes": [process(group="g")],
            },
            "processes.3.group",
            "process group 'g' is under 'accounts'",
        ),
        ({"processes": [process(test=True)]}, "processes.3.test", "say live or test"),
        ({"processes": [process(due_date="z")]}, "processes.3.due_date", "no 'z' in due_dates"),
        (
            {"processes": [process(wait_reasons=["z"])]},
            "processes.3.wait_reasons.0",
            "no 'z' in wait_reasons",
        ),
        (
            {"processes": [process(categories=[{"path": "A", "due_date": "z"}])]},
            "processes.3.categories.0.due_date",
            "no 'z' in due_dates",
        ),
        ({"processes": [process(fields=[{"field": "z"}])]}, "processes.3.fields.0.field", "no 'z' in fields"),
        (
            {"processes": [process(fields=[{"field": "site"}, {"field": "site"}])]},
            "processes.3.fields.1",
            "stands twice in process 'more'",
        ),
        (
            {"processes": [process(categories=[{"path": "A / B / C / D"}])]},
            "processes.3.categories.0.path",
            "more than 3 levels",
        ),
        (
            {"processes": [process(categories=[{"path": "A / "}])]},
            "processes.3.categories.0.path",
            "not written as 'A / B / C'",
        ),
        (
            {"processes": [process(categories=[{"path": "Other"}, {"path": "OTHER"}])]},
            "processes.3.categories.1",
            "stands twice in process 'more'",
        ),
        ({"queues": [{"name": "q", "title": "Q", "team": "z"}]}, "queues.2.team", "no 'z' in teams"),
        ({"users": [{**USER, "leads": ["z"]}]}, "users.3.leads.0", "no 'z' in processes"),
        ({"users": [{**USER, "reads": ["z"]}]}, "users.3.reads.0", "no 'z' in processes"),
        ({"users": [{**USER, "company": "z"}]}, "users.3.company", "no 'z' in companies"),
        (
            {"users": [{**USER, "teams": ["desk", "desk"]}]},
            "users.3.teams.1",
            "stands twice in teams of 'ann'",
        ),
        ({"users": [{**USER, "retired": True, "teams": ["desk"]}]}, "users.3.teams", "'ann' is retired"),
        ({"users": [{**USER, "robot": True, "leads": ["it-request"]}]}, "users.3.leads", "'ann' is a robot"),
        (
            {"users": [{**USER, "address": "Bruno@mailroom.test"}]},
            "users.3.address",
            "belongs to 'bruno' already",
        ),
        (
            {"users": [{**USER, "address": "help@mailroom.test"}]},
            "users.3.address",
            "belongs to mailbox 'help'",
        ),
        ({"fields": [custom("list")]}, "fields.4.options", "is a list without options"),
        ({"fields": [custom("list", options=["a", "A"])]}, "fields.4.options.1", "stands twice"),
        ({"fields": [custom("list", options=[" a"])]}, "fields.4.options.0", "white space at an end"),
        ({"fields": [custom("date", options=["a"])]}, "fields.4.options", "only lists have options"),
        (
            {"fields": [custom("multi_level_list", options=["A /  / B"])]},
            "fields.4.options.0",
            "not written as 'A / B'",
        ),
        ({"fields": [custom("table")]}, "fields.4.columns", "a table has columns"),
        ({"fields": [custom("date", columns=[custom("date")])]}, "fields.4.columns", "only a table"),
        (
            {"fields": [custom("table", columns=[custom("table")])]},
            "fields.4.columns.0.type",
            "a cell cannot be of type table",
        ),
        ({"fields": [custom("entity_relationship")]}, "fields.4.entity", "says which entity"),
        ({"fields": [custom("date", entity="user")]}, "fields.4.entity", "only an entity_relationship"),
        (
            {"calendars": [calendar(time_zone="Mars/Base")]},
            "calendars.1.time_zone",
            "no time zone 'Mars/Base'",
        ),
        ({"calendars": [calendar(hours={"monday": []})]}, "calendars.1.hours", "has no hours"),
        (
            {"calendars": [calendar(hours={"monday": ["17:00-17:00"]})]},
            "calendars.1.hours.monday.0",
            "ends where it begins",
        ),
        (
            {"calendars": [calendar(hours={"monday": ["09:00-12:00", "11:00-13:00"]})]},
            "calendars.1.hours.monday.1",
            "begins before 12:00",
        ),
        (
            {"calendars": [calendar(hours={"sunday": ["22:00-06:00"], "monday": ["05:00-13:00"]})]},
            "calendars.1.hours.monday.0",
            "begins before 06:00",
        ),
        (
            {"calendars": [calendar(hours={"monday": ["22:00-06:00", "23:00-24:00"]})]},
            "calendars.1.hours.monday.1",
            "begins before 24:00",
        ),
        (
            {"calendars": [calendar(holidays=["2026-12-25", "2026-12-25"])]},
            "calendars.1.holidays",
            "a holiday stands twice",
        ),
        ({"due_dates": [rule(calendar="z")]}, "due_dates.2.calendar", "no 'z' in calendars"),
        (
            {"due_dates": [rule(calendar=None, unit="working_hours")]},
            "due_dates.2.calendar",
            "counts working_hours and needs a calendar",
        ),
        (
            {"due_dates": [rule(calendar=None, method="end_of_month")]},
            "due_dates.2.calendar",
            "end of a month",
        ),
        (
            {"due_dates": [rule(calendar=None, move_to_end_of_day=True)]},
            "due_dates.2.calendar",
            "hour of work",
        ),
        ({"due_dates": [rule(adjust=1.5, unit="days")]}, "due_dates.2.adjust", "counted whole"),
        ({"due_dates": [rule(adjust=1e9)]}, "due_dates.2.adjust", "at most 3650"),
        ({"due_dates": [rule(adjust=float("inf"), unit="days")]}, "due_dates.2.adjust", "at most 3650"),
        ({"due_dates": [rule(adjust=-1)]}, "due_dates.2.adjust", "not before the start"),
        ({"due_dates": [rule(method="by_hand")]}, "due_dates.2.adjust", "nothing to adjust"),
        ({"due_dates": [rule(method="by_hand", adjust=0)]}, "due_dates.2.allow_override", "allow_override"),
        (
            {"due_dates": [rule(move_to_end_of_day=True, move_to_next_morning=True)]},
            "due_dates.2.move_to_end_of_day",
            "cannot move to the next morning and",
        ),
        ({"due_dates": [rule(stops_the_clock=["until"])]}, "due_dates.2.stops_the_clock", "add_wait_time"),
        (
            {"processes": [process(live=False, test=True)], "mailboxes": [mailbox("more")]},
            "mailboxes.2.fallback.process",
            "process 'more' is not live",
        ),
        ({"blocked": [{"address": "spam.test", "mode": "reject"}]}, "blocked.1.address", "nor *@spam.test"),
        ({"blocked": [{"address": "*@*.test", "mode": "reject"}]}, "blocked.1.address", "nor *@spam.test"),
        ({"blocked": [{"address": "*@SPAM.test", "mode": "tickets"}]}, "blocked.1.address", "blocked twice"),
        ({"blocked": [{"address": "help@mailroom.test", "mode": "reject"}]}, "blocked.1.address", "of ours"),
    ],
)
def test_what_does_not_agree_is_found_where_it_stands(
    parts: dict[str, Any], path: str, sentence: str
) -> None:
    """GL-3, GL-5, CT-10, RT-4, ST-20, T37."""
    wrong = found(**parts)
    assert any(where == path and sentence in said for where, said in wrong), wrong


def test_companies_that_stand_under_each_other_are_found_each() -> None:
    """CT-10."""
    wrong = found(
        companies=[
            {"name": "a", "title": "A", "parent": "b"},
            {"name": "b", "title": "B", "parent": "a"},
            {"name": "c", "title": "C", "parent": "a"},
        ]
    )
    assert wrong == [
        ("companies.1.parent", "it stands under itself: a < b < a"),
        ("companies.2.parent", "it stands under itself: b < a < b"),
    ]


def test_in_test_mode_the_last_route_may_lead_to_a_process_that_is_in_test() -> None:
    """GL-5, RT-4."""
    changed = {
        **SAMPLE,
        "processes": [*SAMPLE["processes"], process(live=False, test=True)],
        "mailboxes": [*SAMPLE["mailboxes"], mailbox("more")],
        "rules": {"test_mode": True},
    }
    assert findings(Definition.model_validate(changed)) == []
