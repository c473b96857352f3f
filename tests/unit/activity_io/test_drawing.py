"""The drawing of a process and of a Case: well-formed, complete, and nothing in it acts."""

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from services.activity.domain.case_steps import Abandon
from services.activity.domain.flow import Flow
from services.activity.domain.steps import PickUp
from services.activity.drawing import drawn
from services.activity.drawn_text import clean, wrapped
from services.activity.pictures import Box, Column, Look, Picture
from services.activity.store_views import Under
from services.activity.views_courses import ActionLine, CourseDocument, SubCaseLine, course_document
from services.activity.views_drawings import course_picture, process_picture
from shared.contracts.asking import Actor, ActorKind
from tests.unit.activity.cases import CASE_CREATED, FLOW, Family, done

NAMESPACE = "{http://www.w3.org/2000/svg}"
AT = datetime(2026, 3, 2, 12, 4, tzinfo=UTC)
NOTHING = Under((), ())
RTL = "שלום עולם, זה שם ארוך של פעולה"
HOSTILE = (
    "<script>alert(1)</script>",
    "x" * 1000,
    "word " * 200,
    RTL,
    "\"'>&]]>&#0;",
    "\u202egnp.exe",
    "\x00\x08\ufffe\ud800",
    "e" + "\u0301" * 1000,
    "",
)


def read(svg: str) -> ElementTree.Element:
    """The document, as strict as XML is; nothing in it may run or fetch."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        name = element.tag.removeprefix(NAMESPACE)
        assert name in {"svg", "g", "rect", "circle", "path", "text", "title"}, name
        assert not any(each.startswith("on") or "href" in each for each in element.attrib)
    return root


def texts(svg: str) -> list[str]:
    """What can be read in it."""
    return [each.text or "" for each in read(svg).iter(f"{NAMESPACE}text")]


def strokes(svg: str) -> list[ElementTree.Element]:
    """The outlines of boxes and columns, in their order."""
    return [each for each in read(svg).iter(f"{NAMESPACE}rect") if each.get("rx") in ("7", "10")]


def boxes(picture: Picture) -> dict[str, Box]:
    """Those of a course by their references, those of a process by their titles."""
    lanes = (lane for column in picture.columns for lane in column.lanes)
    return {box.reference or box.title: box for lane in lanes for box in lane}


def name(called: str) -> str:
    return called.title()


def line(reference: str, action: str, **known: Any) -> ActionLine:
    given: dict[str, Any] = {
        "title": f"Title of {action}",
        "by_hand": False,
        "status": "to_do",
        "launched": AT,
        **dict.fromkeys(("assignee", "owner", "queue", "due_at", "method", "ended_by", "ended_at")),
    }
    return ActionLine(reference=reference, action=action, **{**given, **known})


@pytest.fixture
def family() -> Family:
    family = Family()
    done(family.do(CASE_CREATED))
    return family


def course(family: Family, *lines: ActionLine, state: str = "current", **said: Any) -> Picture:
    """The Case with these Actions in its first step."""
    document: CourseDocument = course_document(family.case, NOTHING)
    first, *others = document.steps
    steps = [first.model_copy(update={"actions": list(lines), "state": state}), *others]
    document = document.model_copy(update={"steps": steps, **said})
    return course_picture(family.case, document, name, name)


def test_a_process_without_steps_is_drawn_from_start_to_end() -> None:
    svg = drawn(process_picture("Nothing", Flow(actions=(), steps=()), name))
    assert texts(svg) == ["Nothing", "Start", "End"]


def test_a_process_shows_its_steps_with_conditions_and_what_people_may_launch() -> None:
    """CA-6."""
    svg = drawn(process_picture("Hiring", FLOW, name))
    said = texts(svg)
    assert [each for each in said if each in ("1", "2", "3")] == ["1", "2", "3"]
    assert {"Prepare", "Look at the papers", "in Papers", "if (salary ?? 0) > 0", "Sign"} <= set(said)
    assert {"if foreign ?? false", "PEER REVIEW"} <= set(said)
    beside = said[said.index("People may launch as well") + 1 :]
    assert {"Show the house", "EXTERNAL CALL", "Order a laptop", "APPROVAL", "Agree"} == set(beside)


def test_columns_stand_from_left_to_right_and_boxes_within_the_drawing() -> None:
    root = read(drawn(process_picture("Hiring", FLOW, name)))
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    nested = [each for each in root.iter(f"{NAMESPACE}svg") if each is not root]
    columns = [float(each.get("x", "")) for each in nested if each.get("width") == "244"]
    assert columns == sorted(columns)
    assert len(columns) == len(FLOW.steps)
    for each in nested:
        assert float(each.get("x", "")) + float(each.get("width", "")) < width
        assert float(each.get("y", "")) + float(each.get("height", "")) < height


def test_an_action_shows_who_has_it_or_did_it_when_and_how_it_ended(family: Family) -> None:
    """C17, CA-5."""
    robot = Actor(kind=ActorKind.ROBOT, id="packer")
    found = boxes(
        course(
            family,
            line("A1.1", "papers", status="closed", method="complete", ended_by=robot, ended_at=AT),
            line("A1.2", "call", status="in_progress", assignee="amelie", due_at=AT),
        )
    )
    papers, call = found["A1.1"], found["A1.2"]
    assert (papers.look, papers.outcome) == (Look.DONE, "Complete")
    assert papers.lines == ("by Packer", "2026-03-02 12:04")
    assert (call.look, call.outcome) == (Look.RUNS, "In Progress")
    assert call.lines == ("with Amelie", "due 2026-03-02 12:04")


@pytest.mark.parametrize(
    ("status", "method", "look"),
    [
        ("to_do", None, Look.LAUNCHED),
        ("wait", None, Look.WAITS),
        ("closed", None, Look.UNDONE),
        ("closed", "unable_to_complete", Look.FAILED),
    ],
)
def test_each_way_that_an_action_stands_looks_otherwise(
    family: Family, status: str, method: str | None, look: Look
) -> None:
    found = boxes(course(family, line("A1.1", "papers", status=status, method=method, queue="papers")))
    assert found["A1.1"].look is look


def test_what_was_done_again_stands_below_what_it_was_before(family: Family) -> None:
    """C17: the former one is faint."""
    picture = course(
        family, line("A1.1", "call", status="closed", method="unable_to_complete"), line("A1.2", "call")
    )
    (lane,) = (lane for lane in picture.columns[0].lanes if len(lane) > 1)
    assert [box.reference for box in lane] == ["A1.1", "A1.2"]
    svg = drawn(picture)
    assert "done again" in texts(svg)
    faint = [each for each in read(svg).iter(f"{NAMESPACE}svg") if each.get("opacity")]
    assert len(faint) == 1


def test_what_is_launched_by_hand_stands_for_itself(family: Family) -> None:
    """CA-6: copies are no repetition."""
    extra = [line(f"A1.{number}", "visit", by_hand=True) for number in (3, 4)]
    picture = course(family, *extra)
    lanes = [lane for lane in picture.columns[0].lanes if lane[0].tag == "launched by hand"]
    assert [len(lane) for lane in lanes] == [1, 1]


def test_what_was_passed_over_is_dashed_and_says_so(family: Family) -> None:
    picture = course(family, line("A1.1", "papers"))
    passed = boxes(picture)["Translate the papers"]
    assert (passed.look, passed.when) == (Look.PASSED_OVER, "foreign ?? false")
    svg = drawn(picture)
    assert "Passed over" in texts(svg)
    assert any(each.get("stroke-dasharray") for each in strokes(svg))


def test_what_is_to_come_again_is_planned_below_an_earlier_pass(family: Family) -> None:
    """C17."""
    picture = course(family, line("A1.1", "papers", status="closed"), state="to_come")
    looks = [[box.look for box in lane] for lane in picture.columns[0].lanes]
    assert looks == [[Look.UNDONE, Look.PLANNED], [Look.PLANNED], [Look.PLANNED]]


def test_a_case_that_needs_attention_says_which_action_could_not_be_done(family: Family) -> None:
    """CA-5, C6."""
    failed = line("A1.1", "call", status="closed", method="unable_to_complete")
    svg = drawn(course(family, failed, attention=True, because="A1.1"))
    assert "Needs attention: Title of call (A1.1) could not be done" in texts(svg)
    svg = drawn(course(family, failed, attention=True, because="salary has no value"))
    assert "Needs attention: salary has no value" in texts(svg)


@pytest.mark.parametrize(
    ("method", "look"),
    [("complete", Look.DONE), ("unable_to_complete", Look.FAILED), (None, Look.UNDONE)],
)
def test_a_step_is_done_only_if_its_actions_are(family: Family, method: str | None, look: Look) -> None:
    """C6: what failed and was not done again is seen from afar."""
    ended = line("A1.1", "papers", status="closed", method=method)
    assert course(family, ended, state="done").columns[0].look is look
    again = line("A1.2", "papers", status="closed", method="complete")
    assert course(family, ended, again, state="done").columns[0].look is Look.DONE


def test_the_end_is_filled_once_the_case_has_come_to_it(family: Family) -> None:
    assert not course(family).ended
    assert course(family, status="resolved").ended
    done(family.do(PickUp()))
    done(family.do(Abandon()))
    document = course_document(family.case, NOTHING)
    assert [step.state for step in document.steps] == ["passed_over"] * len(document.steps)
    picture = course_picture(family.case, document, name, name)
    assert (picture.ended, picture.subtitle) == (True, "Closed · abandoned")
    assert all(box.look is not Look.PLANNED for box in boxes(picture).values())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_people_write_is_text_that_fits(hostile: str) -> None:
    box = Box(title=hostile, reference=hostile, tag=hostile, when=hostile, lines=(hostile,), outcome=hostile)
    picture = Picture(
        title=hostile,
        subtitle=hostile,
        attention=hostile,
        columns=(Column(title=hostile, when=hostile, look=Look.RUNS, lanes=((box, box),)),),
        beside=(box,),
        foot=hostile,
    )
    svg = drawn(picture)
    assert max(map(len, texts(svg))) <= 121
    assert float(read(svg).get("height", "")) < 1200


def test_what_is_read_from_right_to_left_begins_at_the_right() -> None:
    root = read(drawn(Picture(title="T", columns=(Column(title=RTL),))))
    turned = [each for each in root.iter(f"{NAMESPACE}text") if each.get("direction") == "rtl"]
    assert " ".join(each.text or "" for each in turned) == RTL


def test_a_text_is_broken_between_words_and_cut_where_there_is_no_room() -> None:
    assert wrapped("Order further equipment", 100, 12, 3) == ["Order further", "equipment"]
    assert wrapped("Order further equipment", 100, 12) == ["Order further e…"]
    assert wrapped("", 100, 12) == []
    assert clean(" a\n\tb\u2028c ") == "a b c"


def test_sub_cases_stand_below_the_steps_and_say_how_they_ended(family: Family) -> None:
    """CA-7."""
    lines = [
        SubCaseLine(
            reference=f"{number}-C",
            process="equipping",
            title="A desk",
            status=status,
            owner=owner,
            started=AT,
            method=method,
            ended_at=None,
        )
        for number, status, owner, method in (
            (7, "to_do", None, None),
            (8, "closed", "bob", "complete"),
            (9, "closed", None, "cancelled"),
        )
    ]
    picture = course(family, sub_cases=lines)
    assert [each.look for each in picture.beside] == [Look.LAUNCHED, Look.DONE, Look.UNDONE]
    said = texts(drawn(picture))
    assert {"Sub-Cases", "7-C", "8-C", "9-C", "owned by Bob", "Abandoned", "EQUIPPING"} <= set(said)
