"""The second act: work in several steps, done by people and a robot, which fails once and is done again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.demo.scene import HELP, Scene
from deploy.demo.waiting import eventually

NEW_COLLEAGUE = """Hello,

Nora Lind joins our warehouse next week. Could you prepare what she needs?

Best regards
Anna
"""

WHEN = """Hello Anna,

all is ready. At what time may we call Nora on her first day?

Amélie
"""

AT_NINE = """At nine, please.

Anna
"""

NO_LAPTOP = "There is no laptop left on the shelf."
FIRST_DAY = "Nora Lind's first day"
LAPTOP, ACCOUNT, CALL = "prepare-laptop", "create-account", "welcome-call"


def a_mail_comes_in(scene: Scene) -> None:
    """The customer writes again; this time the subject leads to a process of several steps"""
    mail = scene.customer.write(HELP, "New employee: Nora Lind", NEW_COLLEAGUE)
    scene.customer.send(mail)
    scene.stage.mail(mail, ("From", "To", "Subject"))


def it_is_a_case(scene: Scene) -> None:
    """It has become a Case, which is acknowledged, and the Actions of its first step are launched"""
    opened = eventually(lambda: next(iter(scene.agent.cases()), None), "the Case")
    scene.reference = opened["reference"]
    scene.seen_when(status="to_do")
    _see(scene, LAPTOP, ACCOUNT)
    scene.received(scene.reference, scene.reference)


def a_robot_does_one(scene: Scene) -> None:
    """A robot asks for work, gets the Action that is due first, and does it"""
    taken = scene.robot.take_next()
    scene.seen_when(taken, status="in_progress", assignee=scene.robot.name)
    scene.robot.take_step(taken, "complete")
    scene.seen_when(taken, status="closed", title="Create the account")


def an_agent_takes_the_case(scene: Scene) -> None:
    """An agent picks the Case up, and notes the first day: on that the second step depends"""
    scene.agent.take_step(scene.reference, "pick_up")
    first_day = datetime.now(UTC).date() + timedelta(days=7)
    scene.agent.take_step(scene.reference, "edit", fields={"first-day": first_day.isoformat()})
    scene.seen_when(status="in_progress", owner=scene.agent.name)


def one_cannot_be_done(scene: Scene) -> None:
    """The other Action cannot be done, so the Case needs attention"""
    laptop = _running(scene, LAPTOP)
    scene.agent.take_step(laptop, "pick_up")
    scene.agent.take_step(laptop, "give_up", reason=NO_LAPTOP)
    scene.stage.quote(NO_LAPTOP)
    scene.seen_when(laptop, status="closed")
    case = scene.seen_when(status="to_do")
    if case["course"]["because"] != laptop:
        raise AssertionError(f"{scene.reference} does not say that it needs attention because of {laptop}.")


def it_is_done_again(scene: Scene) -> None:
    """A laptop was found: the Action is launched again, comes to who had it, and is done"""
    scene.agent.take_step(scene.reference, "rework", step=1, action=LAPTOP)
    laptop = _running(scene, LAPTOP)
    scene.seen_when(laptop, status="to_do", assignee=scene.agent.name)
    points = scene.agent.activity(laptop)["task"]["checklist"]
    answers = [{"point": each["point"], "answer": "yes"} for each in points]
    scene.agent.take_step(laptop, "answer_checklist", answers=answers)
    scene.agent.take_step(laptop, "complete")
    scene.seen_when(laptop, status="closed")


def the_next_step_begins(scene: Scene) -> None:
    """That was the first step: the second is entered, and what nobody needs is passed over"""
    scene.seen_when(status="in_progress")
    _see(scene, CALL)


def the_agent_asks(scene: Scene) -> None:
    """The agent writes from the Action, which waits for the answer"""
    call = _running(scene, CALL)
    scene.agent.take_step(call, "pick_up")
    scene.agent.take_step(call, "reply", subject=FIRST_DAY, text=WHEN)
    scene.reply = scene.received(FIRST_DAY, "At what time")
    scene.stage.mail(scene.reply, ("From", "To", "Subject", "In-Reply-To"))
    scene.agent.take_step(call, "wait")
    scene.seen_when(call, status="wait")


def the_answer_comes_home(scene: Scene) -> None:
    """The customer answers the signed address, and it is the Action that wakes"""
    mail = scene.customer.answer(scene.reply, AT_NINE)
    scene.customer.send(mail)
    scene.stage.mail(mail, ("To", "Subject", "In-Reply-To"))
    scene.seen_when(_running(scene, CALL), status="to_do", new_information=True)


def all_is_done(scene: Scene) -> None:
    """The call is made, and with its last Action the Case is resolved"""
    call = _running(scene, CALL)
    scene.agent.take_step(call, "complete")
    scene.seen_when(status="resolved")


def it_closes(scene: Scene) -> None:
    """The feedback window passes, and it closes"""
    scene.seen_when(status="closed")


def its_course_is_drawn(scene: Scene) -> None:
    """Its course, as a list and as a drawing"""
    scene.stage.course(scene.agent.course(scene.reference))
    scene.drawing.parent.mkdir(parents=True, exist_ok=True)
    scene.drawing.write_text(scene.agent.drawing(scene.reference), encoding="utf-8")
    scene.stage.file("The drawing lies in", scene.drawing)


FROM_MAIL_TO_CASE: tuple[Callable[[Scene], None], ...] = (
    a_mail_comes_in,
    it_is_a_case,
    a_robot_does_one,
    an_agent_takes_the_case,
    one_cannot_be_done,
    it_is_done_again,
    the_next_step_begins,
    the_agent_asks,
    the_answer_comes_home,
    all_is_done,
    it_closes,
    its_course_is_drawn,
)


def _actions(course: dict[str, Any]) -> list[dict[str, Any]]:
    return [action for step in course["steps"] for action in step["actions"]]


def _running(scene: Scene, action: str) -> str:
    """The reference of the Action of this type that is not closed."""
    found = [each for each in _actions(scene.agent.course(scene.reference)) if each["status"] != "closed"]
    return str(next(each["reference"] for each in found if each["action"] == action))


def _see(scene: Scene, *actions: str) -> None:
    """Look that these Actions run, and no others, and show them."""
    running = {
        each["action"]: each["reference"]
        for each in _actions(scene.agent.course(scene.reference))
        if each["status"] != "closed"
    }
    if set(running) != set(actions):
        raise AssertionError(f"{', '.join(sorted(running)) or 'nothing'} runs, not {', '.join(actions)}.")
    for action in actions:
        scene.stage.activity(scene.agent.activity(running[action]))
