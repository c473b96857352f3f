"""Lives of an office, made by chance: mails, requests of all kinds, and whatever else happens there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import CustomField, DueDateRule, FieldType, FieldUse, User
from shared.contracts.activity_requests import Person, SplitPart
from shared.contracts.activity_requests_contacts import ContactCreate
from shared.contracts.ingest_mails import MailReceived, PlusReference
from shared.contracts.mail import Mailbox
from shared.unit_of_work import Incoming
from tests.support.happenings import Happening, Heard, IngestTells, NotifyTells, OnFile, OnPerson, TimePasses
from tests.support.office import BILLING, DEFINITION, HELP, NOON, addressed, incoming, process, received, user

OFFICE = DEFINITION.model_copy(
    update={
        "fields": (CustomField(name="serial", title="Serial number", type=FieldType.SHORT_TEXT),),
        "due_dates": (DueDateRule(name="soon", adjust=48, allow_override=True, add_wait_time=True),),
        "processes": (
            process("request", fields=(FieldUse(field="serial"),), due_date="soon"),
            process("invoice", default_mailbox="billing", feedback_window_hours=0),
        ),
        "users": (
            *DEFINITION.users,
            User(name="lea", title="Lea", leads=("request", "invoice")),
            User(name="sorter", title="Sorter", processes=("request",), robot=True),
        ),
    }
)
"""Where such lives are lived: with custom fields, due dates, somebody who leads, and a robot."""

SORTER = asked.Actor(kind=asked.ActorKind.ROBOT, id="sorter")
ERP = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
LETTERS, FEW = st.integers(1, 6), st.integers(0, 3)
TICKETS = st.integers(100001, 100007).map(lambda number: f"{number}-T")
PEOPLE = st.sampled_from([f"sender{number}@harbour.test" for number in range(4)])
PARTS = tuple(SplitPart(title=each, description=f"About {each}", category="Other") for each in "ab")


def letter(number: int, answers: int | None = None, **more: Any) -> Incoming[MailReceived]:
    fields: dict[str, Any] = {
        "message_id": f"{number}@harbour.test",
        "in_reply_to": f"{answers}@harbour.test" if answers else None,
        "sender": f"sender{number % 3}@harbour.test",
        "conversation": f"{number:016x}",
        "at": NOON + timedelta(seconds=number),
    }
    return received(**fields | more)


def _letter(draw: st.DrawFn, number: int) -> Incoming[MailReceived]:
    """A new one, an answer, one that names a Ticket, one with no route, or a copy of an earlier one."""
    kind, earlier = draw(st.sampled_from(("new", "answer", "answer", "named", "lost", "both"))), number - 1
    if kind == "answer":
        return letter(
            number, draw(st.integers(1, earlier)), cc=draw(st.sampled_from(((), ("c@harbour.test",))))
        )
    if kind == "named":
        reference, signed = draw(TICKETS), draw(st.booleans())
        plus = PlusReference(
            address=f"help+{reference.lower()}@acme.test", mailbox="help", reference=reference, signed=signed
        )
        return letter(number, plus=(plus,), targets=[addressed(HELP, routed=draw(st.booleans()))])
    if kind == "lost":
        return letter(number, targets=[addressed(BILLING, routed=False)])
    targets = [addressed(HELP), addressed(BILLING, routed=draw(st.booleans()))]
    return letter(number, targets=targets if kind == "both" else None)


def _request(draw: st.DrawFn, number: int) -> Incoming[Any]:
    """Any that there is; few Tickets and people, so that they meet."""
    ticket, other, mail = draw(TICKETS), draw(TICKETS), letter(draw(LETTERS)).message.mail
    on: dict[str, Any] = {
        "reference": ticket,
        "actor": user(draw(st.sampled_from(("amelie", "bruno", "lea")))),
    }
    robot: dict[str, Any] = on | {"actor": SORTER}
    by = {"actor": draw(st.sampled_from((on["actor"], ERP)))}
    person, later = (
        Person(address=draw(PEOPLE), name="Some Body"),
        NOON + timedelta(days=draw(st.integers(1, 40))),
    )
    yes = draw(st.booleans())
    opened: dict[str, Any] = {
        "process": draw(st.sampled_from(("request", "invoice"))),
        "title": "By hand",
        "description": "It says so",
        "category": "Other",
        "primary_contact": person,
        "requester": person,
    }
    copies = tuple(draw(st.sets(st.sampled_from(("links", "fields", "communications")))))
    method = draw(st.sampled_from(("with_customer_response", "no_customer_response", "rejected")))
    spam = asked.ResolutionMethod.REJECTED_AS_SPAM
    made = (
        lambda: asked.ActivityOpen(**by, **opened, draft=yes, fields={"serial": "X-1"}),
        lambda: asked.ActivityOpen(**by, **opened, linked_to=other, copies=copies, copy_files=yes),
        lambda: asked.ActivitySubmit(**on, keep_with_me=yes),
        lambda: asked.ActivityEdit(
            **on, title=f"Other {number}", cc=(person,), fields={"serial": str(number)}
        ),
        lambda: asked.ActivityEdit(**on, category="Hardware", primary_contact=person),
        lambda: asked.ActivityEdit(**on, untag=(asked.Untag(tag="cc"),)),
        lambda: asked.ActivityPickUp(**on, take_over=yes),
        lambda: asked.ActivityAssign(**on, assignee=draw(st.sampled_from(("bruno", None))), note="For you"),
        lambda: asked.ActivityKeepWithMe(**on, keep=yes),
        lambda: asked.WorkTakeNext(actor=draw(st.sampled_from((SORTER, on["actor"])))),
        lambda: asked.ActivityNext(**robot),
        lambda: asked.ActivityRejectWork(**robot, reason="Too hard"),
        lambda: asked.ActivitySetToDo(**on),
        lambda: asked.TicketWait(**on, days=2, close_if_no_response=yes),
        lambda: asked.ActivityWaitUntil(**on, until=later),
        lambda: asked.ActivityResume(**on, to=draw(st.sampled_from(("to_do", "in_progress")))),
        lambda: asked.ActivitySetDueDate(**on, due=later if yes else None),
        lambda: asked.ActivityNote(**on, text=f"Note {number}"),
        lambda: asked.ActivityReply(**on, text="Hello"),
        lambda: asked.ActivityReply(
            **on, text="Hello", to=(Mailbox(address=person.address, name="Some Body"),)
        ),
        lambda: asked.TicketSendAndResolve(**on, text="Done"),
        lambda: asked.ActivityFeedback(**on, rating=4, comment="Fine" if yes else None),
        lambda: asked.ActivityMarkInformation(**on, new=yes),
        lambda: asked.TicketResolve(**on, method=method),
        lambda: asked.TicketResolve(**on, method=spam),
        lambda: asked.ActivityReopen(**on, keep_with_me=yes),
        lambda: asked.TicketSplit(**on, parts=PARTS),
        lambda: asked.TicketMergeInto(**on, into=other),
        lambda: asked.ActivityMerge(**on, sources=(other,)),
        lambda: asked.ActivityLink(**on, with_references=(other,)),
        lambda: asked.ActivityUnlink(**on, with_references=(other,)),
        lambda: asked.ActivityShareMail(**on, mail=mail, with_references=(other,)),
        lambda: asked.ActivityNewFromMail(**on, mail=mail),
        lambda: ContactCreate(**by, address=person.address, extra_tag="cc" if yes else None),
    )
    return incoming(draw(st.sampled_from(made))(), f"request-{number}", at=NOON + timedelta(minutes=number))


@st.composite
def lives(
    draw: st.DrawFn, most: int = 24, people: Sequence[str] = ("edit", "move", "merge")
) -> list[Happening]:
    """At first two mails, then whatever comes; `people` is what may be done to contacts."""
    letters = [letter(1), letter(2)]
    life: list[Happening] = [Heard(each) for each in letters]
    for number in range(3, draw(st.integers(6, most))):
        which, other = draw(FEW), draw(FEW)
        kind = draw(
            st.sampled_from(
                ("letter",) * 3 + ("request",) * 10 + ("notify", "ingest", "file", "person", "time")
            )
        )
        if kind == "letter":
            letters.append(_letter(draw, number))
            life.append(Heard(letters[-1]))
        elif kind == "request":
            life.append(Heard(_request(draw, number)))
        elif kind == "notify":
            word = draw(st.sampled_from(("composed", "sent", "deferred", "failed")))
            life.append(NotifyTells(number, which, word))
        elif kind == "ingest":
            life.append(IngestTells(number, which, letters, found=draw(st.booleans())))
        elif kind == "file":
            done = draw(st.sampled_from(("add", "add", "edit", "remove")))
            life.append(OnFile(number, draw(TICKETS), which, done))
        elif kind == "person":
            life.append(OnPerson(number, which, other, draw(st.sampled_from(people))))
        else:
            life.append(TimePasses(draw(st.integers(1, 4))))
    return life
