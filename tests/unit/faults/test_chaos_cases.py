"""What a long run reads of its Cases: of one that went as it should, every fact once; of another, not."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from services.activity.approval_links import ApprovalLink, ApprovalLinks
from shared.keyring import Keyring
from tests.faults.chaos import facts, links
from tests.faults.chaos.evidence_of_cases import (
    Event,
    Row,
    facts_in_calls,
    facts_in_mails,
    facts_in_tables,
    ids_of_calls,
    told,
)
from tests.faults.chaos.known import Fact
from tests.faults.chaos.links import Link
from tests.faults.chaos.matters import APPROVERS, CALL, ERRAND, MATTER, PARCEL, STEPS

HOME = ("mail", "help")
OWED = Counter(Fact(*HOME, what) for what in facts.facts())


@dataclass
class Record:
    """As Kafka has it."""

    id: str
    value: bytes
    cause: str = ""

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        return [("ce_id", self.id.encode()), ("ce_causationid", self.cause.encode())]


def life() -> list[Event]:
    """All that is said of a Case that goes as it should, and of what is under it. Ids are names."""
    by_call = {"type": "case.edited", "activity": "case", "custom_fields": [PARCEL]}
    mail = {"mail": "1", "mailbox": "help", "process": MATTER}
    return [
        {"type": "case.opened", "activity": "case", **mail},
        *(event for number, step in enumerate(STEPS[MATTER], 1) for event in entering("case", number, step)),
        {
            "type": "case.sub_case_started",
            "activity": "case",
            "started": of("errand"),
            "by": of("start-errand"),
        },
        {"type": "case.opened", "activity": "errand", "process": ERRAND, "parent": of("case")},
        *entering("errand", 1, ("fetch",)),
        {"type": "action.called", "activity": "order", "call": CALL},
        {"type": "action.call_answered", "activity": "order", "outcome": "succeeded"},
        by_call,
        *(event for level, name in enumerate(APPROVERS, 1) for event in approving(level, name)),
        *(closing(each) for step in (*STEPS[MATTER], *STEPS[ERRAND]) for each in step),
        {"type": "case.status_changed", "activity": "errand", "status": "closed", "cause": "fetched"},
        {"type": "case.sub_case_ended", "activity": "case", "ended": of("errand"), "cause": "fetched"},
        {"type": "case.status_changed", "activity": "case", "status": "resolved"},
    ]


def of(name: str) -> dict[str, str]:
    return {"activity": name}


def entering(case: str, number: int, step: Iterable[str]) -> list[Event]:
    process = MATTER if case == "case" else ERRAND
    return [
        {"type": "case.step_entered", "activity": case, "step": number},
        *(
            {
                "type": "action.opened",
                "activity": each,
                "process": process,
                "parent": of(case),
                "task": {"action": each, "step": number},
            }
            for each in step
        ),
    ]


def approving(level: int, name: str) -> list[Event]:
    asked = {"type": "action.approval_asked", "activity": "agree", "level": level, "approvers": [name]}
    given = {"type": "action.approval_given", "activity": "agree", "level": level, "approved": True}
    return [asked, {**given, "actor": {"kind": "user", "id": name}}]


def closing(action: str) -> Event:
    closed = {"type": "action.status_changed", "activity": action, "status": "closed"}
    return {**closed, "rule": facts.BY_ITSELF.get(action, facts.BY_HAND)}


@dataclass
class Stands:
    """How the same Case stands in the tables: a row for each, with what is `wrong` on some."""

    wrong: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        plain = {
            "status": "closed",
            "done": True,
            "fields": {},
            "opening": None,
            "mailbox": "help",
            "task": {},
        }
        found: list[dict[str, Any]] = []
        for event in life():
            if event["type"] in ("case.opened", "action.opened"):
                task = event.get("task") or {}
                found.append(
                    plain
                    | {"id": event["activity"], "kind": event["type"].partition(".")[0]}
                    | {"process": event["process"], "parent": (event.get("parent") or of(""))["activity"]}
                    | {"task": {"type": task["action"], "step": task["step"]} if task else {}}
                )
        found[0] |= {"opening": "mail", "fields": {PARCEL: "call-1"}}
        return [row | self.wrong.get(row["id"], {}) for row in found]


def said(events: Sequence[Event]) -> list[Any]:
    return [Record(str(n), json.dumps(each).encode(), each.get("cause", "")) for n, each in enumerate(events)]


def on_kafka(events: Sequence[Event]) -> Counter[Fact]:
    return Counter(told(said(events), {"1": "mail"}).facts)


def in_tables(events: Sequence[Event], stands: Stands) -> Counter[Fact]:
    return Counter(facts_in_tables(stands.rows(), events, {"case": {"call-1"}}))


def test_a_case_that_went_as_it_should_has_every_fact_once() -> None:
    assert on_kafka(life()) == OWED
    assert in_tables(life(), Stands()) == OWED
    assert told(said(life()), {"1": "mail"}).ends == {HOME: [False, True]}


COUNTED = tuple(each for each in life() if each["type"] != "case.status_changed")


@pytest.mark.parametrize("event", COUNTED, ids=[f"{each['type']} {each['activity']}" for each in COUNTED])
def test_what_is_said_twice_is_found_twice_and_what_is_not_said_is_missed(event: Event) -> None:
    """But of what is said again under the same id."""
    events = life()
    place = events.index(event)
    records = said(events)
    assert Counter(told([*records, records[place]], {"1": "mail"}).facts) == OWED
    if event["activity"] != "case" or event["type"] != "case.opened":
        assert (on_kafka([*events, event]) - OWED).total() == 1
    assert (OWED - on_kafka(events[:place] + events[place + 1 :])).total() >= 1


def test_a_case_that_never_ended_is_missed() -> None:
    for case in ("case", "errand"):
        events = [
            each for each in life() if each["type"] != "case.status_changed" or each["activity"] != case
        ]
        assert OWED - on_kafka(events)


@pytest.mark.parametrize(
    ("wrong", "missed"),
    [
        ({"errand": {"status": "resolved"}}, facts.ended(ERRAND)),
        ({"case": {"status": "in_progress"}}, facts.ended(MATTER)),
        ({"agree": {"status": "to_do"}}, facts.completed(MATTER, 3, "agree", facts.BY_ITSELF["agree"])),
        ({"agree": {"done": False}}, facts.completed(MATTER, 3, "agree", facts.BY_ITSELF["agree"])),
        ({"case": {"fields": {}}}, facts.WRITTEN),
        ({"case": {"fields": {PARCEL: "another call"}}}, facts.WRITTEN),
    ],
)
def test_what_does_not_stand_in_the_tables_is_missed_whatever_was_said(
    wrong: dict[str, dict[str, Any]], missed: str
) -> None:
    assert OWED - in_tables(life(), Stands(wrong)) == Counter([Fact(*HOME, missed)])


def test_a_case_that_another_action_started_or_that_is_not_there_is_not_the_one_that_is_owed() -> None:
    for other in ({"by": of("call")}, {"by": None}, {"started": of("nobody")}):
        events = [{**each, **other} if each["type"] == "case.sub_case_started" else each for each in life()]
        assert OWED - on_kafka(events) == Counter([Fact(*HOME, facts.started(ERRAND, "start-errand"))])


def test_what_somebody_else_has_closed_is_missed_and_found_too_often() -> None:
    """A robot that takes over what should have been done by itself hides nothing."""
    events = [{**each, "rule": facts.BY_HAND} if each == closing("order") else each for each in life()]
    assert (OWED - on_kafka(events)).total() == (on_kafka(events) - OWED).total() == 1


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (lambda events: [*events[:-2], events[-1], events[-2]], [True, False]),
        (lambda events: [*events[:-2], {**events[-2], "cause": "something else"}, events[-1]], [True]),
    ],
)
def test_ends_are_told_in_their_order_and_with_their_own_cause(
    change: Callable[[list[Event]], list[Event]], ends: list[bool]
) -> None:
    assert told(said(change(life())), {"1": "mail"}).ends == {HOME: ends}


def test_calls_are_counted_by_their_ids() -> None:
    call = json.dumps({"activity": "order", "call": CALL, "case": of("case")}).encode()
    records: list[Any] = [Record("a", call), Record("a", call), Record("b", call)]
    assert facts_in_calls(records, {"order": HOME}) == [Fact(*HOME, facts.called(CALL))] * 2
    assert ids_of_calls(records) == {"case": {"a", "b"}}


def test_approvers_are_known_by_the_links_in_their_mails() -> None:
    """However the mail is encoded."""
    action = UUID(int=7)
    made = ApprovalLinks(Keyring(signs=1, keys={1: b"k" * 32}), "http://127.0.0.1:8000")
    link = made.url(ApprovalLink("acme", action, 2, 1, "lena"))
    mail = EmailMessage()
    mail.set_content(f"Please:\n\n{link}\n", cte="quoted-printable")
    assert links.link_in(mail) == link
    assert links.link_in(EmailMessage()) == ""
    assert links.read(link) == Link(str(action), 2, 1, "lena")
    assert facts_in_mails({"id": links.read(link)}, {str(action): HOME}) == [
        Fact(*HOME, facts.asked("agree", 1, ["lena"]))
    ]
