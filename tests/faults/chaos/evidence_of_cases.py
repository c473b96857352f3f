"""What Cases have come to, from the tables and from what was said: facts, each as often as it is found."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg

from tests.faults.chaos import facts
from tests.faults.chaos.known import Fact
from tests.faults.chaos.links import Link
from tests.faults.chaos.matters import AGREE, PARCEL
from tests.support.crowd import headers_of

_ACTIVITIES = """
SELECT activity.id, activity.kind, activity.process, activity.parent, activity.task, activity.mailbox,
       activity.fields, activity.status, opening.message_id AS opening,
       activity.resolution ->> 'method' = 'complete' AS done
FROM activities AS activity
LEFT JOIN mails AS opening
    ON (opening.organisation, opening.id) = (activity.organisation, activity.opening_mail)
WHERE activity.kind <> 'ticket'
"""
_HISTORY = "SELECT event FROM history ORDER BY activity, version"
_RESOLVED, _CLOSED = "resolved", "closed"

Event = Mapping[str, Any]
Row = Mapping[str, Any]
_Case = tuple[str, str]
"""Which mail opened it, and in which mailbox."""


class _Kin(NamedTuple):
    """A Case or an Action: which `case` it belongs to, and what it is there."""

    case: _Case = ("", "")
    process: str = ""
    top: bool = False
    action: str = ""
    step: int = 0


class Told(NamedTuple):
    """What events say: facts, whom each Action and Case belongs to, and the order of ends of each Case."""

    facts: list[Fact]
    cases: Mapping[str, _Case]
    ends: Mapping[_Case, Sequence[bool]]


async def read_tables(tables: "asyncpg.Connection[asyncpg.Record]") -> tuple[list[Row], list[Event]]:
    """Every Case and Action as it stands in the tables, and what happened to them, of each in order."""
    rows = [
        {**row, "id": str(row["id"]), "parent": str(row["parent"] or "")}
        | {name: json.loads(row[name] or "{}") for name in ("task", "fields")}
        for row in await tables.fetch(_ACTIVITIES)
    ]
    return rows, [json.loads(row["event"]) for row in await tables.fetch(_HISTORY)]


def facts_in_tables(
    stands: Iterable[Row], history: Iterable[Event], calls: Mapping[str, set[str]]
) -> list[Fact]:
    """What the tables say of each Case and its Actions; `calls` are the ids of calls by their Case's."""
    rows = {row["id"]: row for row in stands}
    family = _Family()
    for id_, row in rows.items():
        if row["opening"]:
            family.tops[id_] = (row["opening"], row["mailbox"])
        family.parents[id_] = row["parent"]
        family.own[id_] = (row["process"], row["task"].get("type", ""), row["task"].get("step", 0))
    found: list[Fact] = []
    for id_, row in rows.items():
        me = family.kin(id_)
        if row["kind"] == "action":
            found.append(Fact(*me.case, facts.launched(me.process, me.step, me.action)))
        elif _over(row["status"], me):
            found.append(Fact(*me.case, facts.ended(me.process)))
        if row["kind"] == "case" and not me.top:
            found.append(Fact(*me.case, facts.opened(me.process)))
    # Events say what was done, the rows that it stands there: a fact wants both.
    for event in history:
        about = rows.get(event["activity"])
        if about is None or (_closes(event) and not (about["status"] == _CLOSED and about["done"])):
            continue
        if _writes(event) and about["fields"].get(PARCEL) not in calls.get(event["activity"], ()):
            continue
        found += _happened(event, family)
    return found


def told(records: list[Any], names: Mapping[str, str]) -> Told:
    """What the events say of each, an event for each id; `names` are Message-IDs of mails."""
    events = list(_once(records))
    family = _Family()
    for event in events:
        if event["type"] in ("case.opened", "action.opened"):
            task = event.get("task") or {}
            family.own[event["activity"]] = (event["process"], task.get("action", ""), task.get("step", 0))
            family.parents[event["activity"]] = (event.get("parent") or {}).get("activity", "")
            if event.get("mail"):
                mail = event["mail"]
                family.tops[event["activity"]] = (names.get(mail, mail), event["mailbox"])
    causes = {each["activity"]: each["cause"] for each in events if _closes(each)}
    status: dict[str, str] = {}
    found: list[Fact] = []
    ends: dict[_Case, list[bool]] = {}
    for event in events:
        me = family.kin(event["activity"])
        match event["type"]:
            case "case.status_changed":
                status[event["activity"]] = event["status"]
                if me.top and _over(event["status"], me):
                    ends.setdefault(me.case, []).append(True)
            case "action.opened":
                found.append(Fact(*me.case, facts.launched(me.process, me.step, me.action)))
            case "case.opened" if not me.top:
                found.append(Fact(*me.case, facts.opened(me.process)))
            case "case.sub_case_ended":
                # A Case is told of it in the transaction that ends it, or the word is no proof.
                if causes.get(event["ended"]["activity"]) != event["cause"]:
                    continue
                ends.setdefault(me.case, []).append(False)
        found += _happened(event, family)
    over = [me for each, last in status.items() if _over(last, me := family.kin(each))]
    found += [Fact(*me.case, facts.ended(me.process)) for me in over]
    return Told(found, {each: family.kin(each).case for each in family.own}, ends)


def facts_in_calls(records: list[Any], cases: Mapping[str, _Case]) -> list[Fact]:
    """Which calls were made, one for each id."""
    made = {headers_of(record)["ce_id"]: json.loads(record.value) for record in records}
    return [
        Fact(*cases.get(each["activity"], ("", "")), facts.called(each["call"])) for each in made.values()
    ]


def ids_of_calls(records: list[Any]) -> dict[str, set[str]]:
    """The ids of the calls of each Case."""
    found: dict[str, set[str]] = {}
    for record in records:
        found.setdefault(json.loads(record.value)["case"]["activity"], set()).add(headers_of(record)["ce_id"])
    return found


def facts_in_mails(asked: Mapping[str, Link], cases: Mapping[str, _Case]) -> list[Fact]:
    """Who was asked by mail, by the links of mails with different Message-IDs."""
    return [
        Fact(*cases.get(each.action, ("", "")), facts.asked(AGREE, each.level, [each.approver]))
        for each in asked.values()
    ]


class _Family:
    """Who is under whom: `tops` are Cases that mails opened, `own` what is known of each by itself."""

    def __init__(self) -> None:
        self.tops: dict[str, _Case] = {}
        self.parents: dict[str, str] = {}
        self.own: dict[str, tuple[str, str, int]] = {}

    def kin(self, id_: str) -> _Kin:
        if id_ not in self.own:
            return _Kin()
        process, action, step = self.own[id_]
        top = id_
        while top not in self.tops and top in self.parents:
            top = self.parents[top]
        return _Kin(self.tops.get(top, ("", "")), process, id_ in self.tops, action, step)


def _happened(event: Event, family: _Family) -> Iterator[Fact]:
    """The fact that an event alone makes, if it makes one."""
    me, what = family.kin(event["activity"]), ""
    match event["type"]:
        case "case.step_entered":
            what = facts.entered(me.process, event["step"])
        case "case.sub_case_started":
            by = family.kin((event.get("by") or {}).get("activity", ""))
            what = facts.started(family.kin(event["started"]["activity"]).process, by.action)
        case "case.sub_case_ended":
            what = facts.told_of_the_end(family.kin(event["ended"]["activity"]).process)
        case "case.edited" if _writes(event):
            what = facts.WRITTEN
        case "action.status_changed" if _closes(event):
            what = facts.completed(me.process, me.step, me.action, event["rule"])
        case "action.called":
            what = facts.called(event["call"])
        case "action.call_answered":
            what = facts.answered(me.action, event["outcome"])
        case "action.approval_asked":
            what = facts.asked(me.action, event["level"], event["approvers"])
        case "action.approval_given":
            who = event["actor"]["id"]
            what = facts.given(me.action, event["level"], who, approved=event["approved"])
    if what:
        yield Fact(*me.case, what)


def _over(status: str, me: _Kin) -> bool:
    """What can come back is over when it is resolved; what is under a Case has to be closed."""
    return status == _CLOSED or (me.top and status == _RESOLVED)


def _closes(event: Event) -> bool:
    return event["type"] in ("action.status_changed", "case.status_changed") and event["status"] == _CLOSED


def _writes(event: Event) -> bool:
    return event["type"] == "case.edited" and PARCEL in event.get("custom_fields", ())


def _once(records: Iterable[Any]) -> Iterator[Event]:
    """The events of each activity in order, without repeats, each with its cause."""
    seen: set[str] = set()
    for record in records:
        headers = headers_of(record)
        if headers["ce_id"] not in seen:
            seen.add(headers["ce_id"])
            yield {**json.loads(record.value), "cause": headers.get("ce_causationid")}
