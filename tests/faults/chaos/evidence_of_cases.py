"""What Cases have come to, from the tables and from what was said: facts, each as often as it is found."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg

from tests.faults.chaos.known import Fact
from tests.faults.chaos.matters import ENDED, completed, entered, launched
from tests.support.crowd import headers_of

_CASES = """
SELECT activity.organisation, activity.id, opening.message_id AS opening, activity.mailbox, activity.status
FROM activities AS activity
JOIN mails AS opening ON (opening.organisation, opening.id) = (activity.organisation, activity.opening_mail)
WHERE activity.kind = 'case'
"""
_STEPS = "SELECT activity, event FROM history WHERE type = 'case.step_entered'"
_ACTIONS = """
SELECT parent, task, status = 'closed' AND resolution ->> 'method' = 'complete' AS done
FROM activities WHERE kind = 'action'
"""
_OVER = ("resolved", "closed")
_Case = tuple[str, str]
"""Which mail opened it, and in which mailbox."""


async def facts_in_tables(tables: "asyncpg.Connection[asyncpg.Record]") -> list[Fact]:
    """What the tables say of each Case and its Actions."""
    found: list[Fact] = []
    cases: dict[str, _Case] = {}
    for row in await tables.fetch(_CASES):
        cases[str(row["id"])] = (row["opening"], row["mailbox"])
        if row["status"] in _OVER:
            found.append(Fact(row["opening"], row["mailbox"], ENDED))
    for row in await tables.fetch(_STEPS):
        case = cases.get(str(row["activity"]), ("", ""))
        found.append(Fact(*case, entered(json.loads(row["event"])["step"])))
    for row in await tables.fetch(_ACTIONS):
        case, task = cases.get(str(row["parent"]), ("", "")), json.loads(row["task"])
        found.append(Fact(*case, launched(task["step"], task["type"])))
        if row["done"]:
            found.append(Fact(*case, completed(task["step"], task["type"])))
    return found


def facts_on_kafka(records: list[Any], names: dict[str, str]) -> list[Fact]:
    """What the events say of each, an event for each id; `names` are Message-IDs of mails."""
    events = list(_once(records))
    cases: dict[str, _Case] = {}
    actions: dict[str, tuple[_Case, int, str]] = {}
    status: dict[str, str] = {}
    found: list[Fact] = []
    for value in events:
        if value["type"] == "case.opened":
            cases[value["activity"]] = (names.get(value["mail"], value["mail"]), value["mailbox"])
    for value in events:
        match value["type"]:
            case "case.step_entered":
                found.append(Fact(*cases.get(value["activity"], ("", "")), entered(value["step"])))
            case "case.status_changed":
                status[value["activity"]] = value["status"]
            case "action.opened":
                task, case = value["task"], cases.get(value["parent"]["activity"], ("", ""))
                actions[value["activity"]] = (case, task["step"], task["action"])
                found.append(Fact(*case, launched(task["step"], task["action"])))
    for value in events:
        if value["type"] == "action.status_changed" and value.get("method") == "complete":
            case, step, action = actions.get(value["activity"], (("", ""), 0, ""))
            found.append(Fact(*case, completed(step, action)))
    ended = (cases.get(each, ("", "")) for each, last in status.items() if last in _OVER)
    return [*found, *(Fact(*case, ENDED) for case in ended)]


def _once(records: list[Any]) -> Iterator[dict[str, Any]]:
    """The events of each activity in order, without repeats."""
    seen: set[str] = set()
    for record in records:
        id_ = headers_of(record)["ce_id"]
        if id_ not in seen:
            seen.add(id_)
            yield json.loads(record.value)
