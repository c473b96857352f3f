"""Lives of an office that hires, made by chance: Cases of all fortunes, their Actions, mails to both."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from services.activity.store_schedules import Planned, ScheduleKey
from services.activity.work_schedules import came
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests_approvals import ActionApprove, ActionDecline
from shared.contracts.ingest_mails import PlusReference, Routed, Target
from shared.unit_of_work import Incoming
from tests.support.happenings import Happening, Heard, TimePasses
from tests.support.lives import letter
from tests.support.office import ACME, HELP, NOON, addressed, incoming, type_for, user

ERP = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
ROBOT = asked.Actor(kind=asked.ActorKind.ROBOT, id="r2")
CASES = st.integers(100001, 100004).map(lambda number: f"{number}-C")
ACTIONS = st.tuples(CASES, st.sampled_from(("1.1", "1.2", "1.3", "3.1", "3.2"))).map("-A".join)
TO_A_CASE = Target(
    mailbox="help",
    address=HELP,
    routed=Routed(route="hiring", process="hiring", send_automated_emails=True),
)


def _request(draw: st.DrawFn, number: int) -> Incoming[Any]:
    """Any that there is for Cases and Actions; few of them, so that they meet."""
    case, action = draw(CASES), draw(ACTIONS)
    either = draw(st.sampled_from((case, action)))
    by = user(draw(st.sampled_from(("amelie", "bruno"))))
    yes, later = draw(st.booleans()), NOON + timedelta(days=draw(st.integers(1, 40)))
    point = asked.PointAnswered(point="Encrypted", answer="yes" if yes else "no")
    device = draw(st.sampled_from(("laptop", "ship", None)))
    to = draw(st.sampled_from(("to_do", "in_progress")))

    def on(kind: type[asked.OnActivity], reference: str, **fields: Any) -> asked.Request:
        return kind(type=type_for(kind, reference), actor=by, reference=reference, **fields)

    made = (
        lambda: asked.ActivityOpen(
            type="case.open",
            actor=draw(st.sampled_from((by, ERP))),
            process="hiring",
            title="Nora",
            fields={"device": device},
        ),
        lambda: asked.TicketConvert(
            actor=by,
            reference=f"{case.removesuffix('C')}T",
            process="hiring",
            title="Nora" if yes else None,
            fields={"device": device} if device else {},
        ),
        lambda: on(asked.ActivitySubmit, case, keep_with_me=yes),
        lambda: on(asked.ActivityEdit, case, fields={"device": device}),
        lambda: on(asked.ActivityPickUp, either, take_over=yes),
        lambda: on(asked.ActivityAssign, either, assignee=draw(st.sampled_from(("bruno", None))), note="Hi"),
        lambda: on(asked.ActivityKeepWithMe, either, keep=yes),
        lambda: on(asked.ActivitySetToDo, either),
        lambda: on(asked.CaseWait, either, reason="papers" if yes else None),
        lambda: on(asked.ActivityWaitUntil, either, until=later),
        lambda: on(asked.CasePause, case),
        lambda: on(asked.ActivityResume, either, to=to),
        lambda: on(asked.CaseResolve, case),
        lambda: on(asked.ActivityReopen, case, keep_with_me=yes),
        lambda: on(asked.CaseAbandon, case),
        lambda: on(asked.CaseLaunch, case, action="extra", copies=2 if yes else 1, instructions="A screen"),
        lambda: on(asked.CaseLaunch, case, action=draw(st.sampled_from(("equip", "equipped")))),
        lambda: on(asked.CaseStartSubCase, case, process="equipping", title="A desk" if yes else None),
        lambda: on(asked.CaseRework, case, step=1, by_hand_too=yes, sub_cases_too=draw(st.booleans())),
        lambda: on(asked.CaseLaunch, case, action="order", copies=2 if yes else 1),
        lambda: asked.ActionAnswerCall(
            actor=draw(st.sampled_from((ERP, ROBOT, by))),
            reference=action,
            attempt=2 if yes else 1,
            outcome=draw(st.sampled_from(("succeeded", "failed", "unreachable", "unreachable"))),
            detail=draw(st.sampled_from(("Order 4711", None))),
            fields=draw(st.sampled_from(({}, {"device": device}))),
        ),
        lambda: on(asked.CaseLaunch, case, action="consent"),
        lambda: on(ActionApprove, action, comment="Good" if yes else None),
        lambda: on(ActionApprove, action),
        lambda: on(ActionApprove, action),
        lambda: on(ActionDecline, action, comment="Too much"),
        lambda: on(asked.CaseRework, case, step=1, by_hand_too=yes),
        lambda: on(asked.CaseRework, case, step=1, action="account", keep_with_me=yes),
        lambda: on(asked.ActionAnswerChecklist, action, answers=(point,)),
        lambda: on(asked.ActionComplete, action),
        lambda: on(asked.ActionComplete, action),
        lambda: on(asked.ActionGiveUp, action, reason="No licence left"),
        lambda: on(asked.ActivityNote, either, text=f"Note {number}"),
        lambda: on(asked.ActivityMarkInformation, either, new=yes),
        lambda: on(asked.ActivitySetDueDate, either, due=later if yes else None),
        lambda: asked.WorkTakeNext(actor=draw(st.sampled_from((ROBOT, by)))),
        lambda: asked.WorkTakeNext(type="action.take_next", actor=draw(st.sampled_from((ROBOT, by)))),
    )
    return incoming(draw(st.sampled_from(made))(), f"request-{number}", at=NOON + timedelta(minutes=number))


def _mail(draw: st.DrawFn, number: int) -> Incoming[Any]:
    """One that names a Case or an Action, or one that opens a Case."""
    what = draw(st.sampled_from(("case", "ticket", "answer", "answer")))
    if what != "answer":
        return letter(number, targets=[TO_A_CASE if what == "case" else addressed(HELP)])
    reference = draw(st.one_of(CASES, CASES.map(lambda each: f"{each.removesuffix('C')}T"), ACTIONS))
    plus = PlusReference(
        address=f"help+{reference.lower()}@acme.test", mailbox="help", reference=reference, signed=True
    )
    return letter(number, plus=(plus,), targets=[addressed(HELP, routed=draw(st.booleans()))])


def _schedule(draw: st.DrawFn) -> Incoming[Any]:
    """A time of the schedule of a process of Cases, perhaps one that came before."""
    at = NOON + timedelta(hours=draw(st.integers(1, 4)))
    planned = Planned(ScheduleKey(ACME, "hiring", "hourly"), "0 * * * *", "UTC", at)
    return came(planned, at, at + timedelta(hours=1))


@st.composite
def case_lives(draw: st.DrawFn) -> list[Happening]:
    """A life of an office with a Case from its beginning, in half of them with a Sub-Case or two."""
    begun = asked.ActivityOpen(
        type="case.open", actor=ERP, process="hiring", title="Nora", fields={"device": "laptop"}
    )
    life: list[Happening] = [Heard(incoming(begun, "request-0", at=NOON))]
    for number in range(draw(st.sampled_from((0, 0, 1, 2)))):
        equip = asked.CaseLaunch(actor=user("amelie"), reference="100001-C", action="equip")
        life.append(Heard(incoming(equip, f"equip-{number}", at=NOON)))
    for number in range(1, draw(st.integers(8, 40))):
        what = draw(st.sampled_from((*["request"] * 8, "mail", "mail", "time", "time", "schedule")))
        if what == "time":
            life.append(TimePasses(draw(st.integers(1, 60))))
        elif what == "schedule":
            life.append(Heard(_schedule(draw)))
        else:
            life.append(Heard(_request(draw, number) if what == "request" else _mail(draw, number)))
    return life
