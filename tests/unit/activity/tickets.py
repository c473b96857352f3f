"""Tickets in every state, for tests: made by the rules themselves, never put together by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.activity.domain.activity import Activity
from services.activity.domain.contact_steps import EraseContact, ExchangeContact
from services.activity.domain.contacts import Tagged, all_four
from services.activity.domain.context import Context, ProcessRules
from services.activity.domain.decide import decide
from services.activity.domain.events import Event
from services.activity.domain.evolving import evolve
from services.activity.domain.family_steps import (
    CaseClosed,
    Convert,
    MergeInto,
    Part,
    PartsClosed,
    Split,
    SplitOff,
    TakeOver,
)
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.files import Brought, File
from services.activity.domain.link_steps import (
    LinkWith,
    MarkDeparture,
    ShareMail,
    StartNew,
    TakeSharedMail,
    Unlink,
)
from services.activity.domain.links import Departure, DepartureState, Link, LinkReason, Other
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State
from services.activity.domain.steps import (
    AddNote,
    Assign,
    CreatedByIntegration,
    Edit,
    MailArrived,
    MailReported,
    MailRouted,
    MarkInformation,
    PickUp,
    RejectAsSpam,
    Reopen,
    Resolve,
    Resume,
    SendMail,
    SetToDo,
    StartManually,
    Step,
    Submit,
    TimerDue,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import (
    SYSTEM,
    Actor,
    ActorKind,
    MatchedBy,
    Method,
    Outcome,
    Purpose,
    StartedBy,
    Tag,
)
from services.activity.domain.work_steps import (
    GiveFeedback,
    KeepWithMe,
    RejectWork,
    SendAndResolve,
    SetDueDate,
    TakeNext,
)
from shared.references import case, ticket

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALICE = Actor(ActorKind.USER, "alice")
BOB = Actor(ActorKind.USER, "bob")
ROBOT = Actor(ActorKind.ROBOT, "r2")
ERP = Actor(ActorKind.INTEGRATION, "erp")
CUSTOMER, COLLEAGUE = UUID(int=0xC1), UUID(int=0xC2)
ID = UUID(int=1)

WINDOW = ProcessRules(
    name="it-requests",
    queue="it",
    categories=frozenset({"hardware", "software"}),
    feedback_window=3 * DAY,
    templates=frozenset({Purpose.ACKNOWLEDGEMENT, Purpose.NO_RESPONSE, Purpose.SPLIT}),
    workers=frozenset({"alice", "bob", "carol", "r2"}),
    robots=frozenset({"r2"}),
    wait_reasons=frozenset({"supplier"}),
)
NO_WINDOW = replace(WINDOW, feedback_window=None)
GUARDED = replace(WINDOW, resolution_guard=True)


def context(
    actor: Actor = ALICE, process: ProcessRules = WINDOW, *, effect: int = 0xE, version: int | None = None
) -> Context:
    return Context(
        organisation="acme", actor=actor, process=process, effect=UUID(int=effect), expected_version=version
    )


def opening(**more: Any) -> dict[str, Any]:
    given = {
        "activity": ID,
        "family": ID,
        "reference": ticket(101203),
        "conversation": "00000000000000aa",
        "mailbox": "info",
        "title": "Printer is on fire",
        "description": "It burns.",
        "category": "hardware",
    }
    return given | more


MAIL_ROUTED = MailRouted(**opening(), mail=UUID(int=0xA1), sender=CUSTOMER, acknowledge=True, automatic=False)
CREATED = CreatedByIntegration(
    **opening(), started_by=StartedBy.BULK_UPLOAD, contacts=(Tagged(Tag.PRIMARY_CONTACT, CUSTOMER),)
)
STARTED = StartManually(**opening(), contacts=(Tagged(Tag.PRIMARY_CONTACT, CUSTOMER),))
OTHER = Link(UUID(int=2), ticket(101204), LinkReason.LINKED)
MAIL = MailArrived(mail=UUID(int=0xA2), matched_by=MatchedBy.SIGNED_ADDRESS)


OTHERS = tuple(Other(UUID(int=0xF0 + number), ticket(101300 + number)) for number in (1, 2, 3))
SPLIT = Split(
    (
        Part("The fire", "It burns.", "hardware", OTHERS[0]),
        Part("The printer", "It is gone.", "software", OTHERS[1]),
    )
)
FILE = File(UUID(int=0xF1), "acme/activity/ab", "ab", 3, "application/pdf", "plan.pdf")
SPLIT_OFF = SplitOff(
    **opening(),
    parent=OTHERS[0],
    counts_since=NOW - DAY,
    contacts=all_four(CUSTOMER),
    files=(Brought(FILE, OTHERS[0]),),
)
CONVERT = Convert(Other(UUID(int=0xCA), case(101203)), "hiring")
MERGE = MergeInto(OTHERS[2], running=True)


class Life:
    """One Ticket's life: steps go in, its history grows, refusals are handed back."""

    def __init__(self, process: ProcessRules = WINDOW) -> None:
        self.process = process
        self.now = NOW
        self.history: list[Event] = []
        self.ticket: Activity | None = None

    @property
    def it(self) -> Activity:
        assert self.ticket is not None
        return self.ticket

    def take(
        self, step: Step, actor: Actor = ALICE, *, effect: int = 0xE, version: int | None = None
    ) -> tuple[Event, ...] | Refusal:
        done = decide(
            self.ticket, step, context(actor, self.process, effect=effect, version=version), self.now
        )
        if not isinstance(done, Refusal):
            for event in done:
                self.ticket = evolve(self.ticket, event)
            self.history += done
        return done

    def ring(self) -> tuple[Event, ...] | Refusal:
        """Let the present timer ring at its own time."""
        timer = self.it.timer
        assert timer is not None
        self.now = max(self.now, timer.due_at)
        return self.take(TimerDue(timer.generation), SYSTEM)


def _in(*steps: Callable[[Life], Any]) -> Callable[[ProcessRules], Life]:
    def live(process: ProcessRules) -> Life:
        life = Life(process)
        for step in steps:
            refused = step(life)
            assert not isinstance(refused, Refusal), refused
        return life

    return live


def _take(step: Step, actor: Actor = ALICE) -> Callable[[Life], Any]:
    return lambda life: life.take(step, actor)


_OPENED = _take(MAIL_ROUTED, SYSTEM)
_TAKEN = _take(PickUp())
LIVES: dict[State, Callable[[ProcessRules], Life]] = {
    State.NEW: _in(),
    State.DRAFT: _in(_take(STARTED)),
    State.TO_DO: _in(_OPENED),
    State.IN_PROGRESS: _in(_OPENED, _TAKEN),
    State.WAIT_MORE_INFO: _in(_OPENED, _TAKEN, _take(WaitForMoreInformation(3))),
    State.WAIT_UNTIL: _in(_OPENED, _TAKEN, _take(WaitUntil(NOW + DAY))),
    State.WAIT_SPLIT: _in(_OPENED, _TAKEN, _take(SPLIT)),
    State.WAIT_CASE_LAUNCHED: _in(_OPENED, _TAKEN, _take(CONVERT)),
    State.RESOLVED: _in(_OPENED, _TAKEN, _take(Resolve(Method.WITH_CUSTOMER_RESPONSE))),
    State.CLOSED: _in(_OPENED, _TAKEN, _take(RejectAsSpam())),
}


# These steps want a Ticket that is in certain hands.
HANDS: dict[type[Step], str] = {KeepWithMe: "alice", RejectWork: "r2", TakeNext: "r2"}


def life_for(step: type[Step], state: State, process: ProcessRules = WINDOW) -> Life:
    """The same, in the hands that the step wants."""
    life = life_in(state, process)
    hands = HANDS.get(step)
    if hands and life.ticket and state is not State.CLOSED and life.it.holders.person != hands:
        taken = state is State.IN_PROGRESS
        actor = ROBOT if hands == ROBOT.id else ALICE
        refused = life.take(PickUp(take_over=True), actor) if taken else life.take(Assign(hands))
        assert not isinstance(refused, Refusal), refused
    return life


def life_in(state: State, process: ProcessRules = WINDOW) -> Life:
    """A Ticket that was led to `state`, with everything that made it so."""
    life = LIVES[state](process)
    assert (life.ticket.state if life.ticket else State.NEW) is state
    return life


def examples(life: Life) -> dict[type[Step], tuple[Step, Actor]]:
    """One well-formed step of each type, and who takes it."""
    timer = life.ticket.timer if life.ticket else None
    return {
        type(step): (step, actor)
        for step, actor in (
            (STARTED, ALICE),
            (MAIL_ROUTED, SYSTEM),
            (CREATED, ERP),
            (SPLIT_OFF, ALICE),
            (Edit(title="Printer is out"), ALICE),
            (Submit(), ALICE),
            (PickUp(), ALICE),
            (Assign("bob"), ALICE),
            (SetToDo(), ALICE),
            (WaitForMoreInformation(5), ALICE),
            (WaitUntil(life.now + 2 * DAY), ALICE),
            (Resume(), ALICE),
            (Resolve(Method.REJECTED), ALICE),
            (RejectAsSpam(), ALICE),
            (Reopen(), ALICE),
            (SetDueDate(life.now + 3 * DAY), ALICE),
            (SPLIT, ALICE),
            (PartsClosed(life.now - DAY), SYSTEM),
            (CONVERT, ALICE),
            (CaseClosed(), SYSTEM),
            (MERGE, ALICE),
            (TakeOver(OTHERS[0]), ALICE),
            (AddNote(), ALICE),
            (SendMail(), ALICE),
            (MarkInformation(new=True), ALICE),
            (LinkWith((OTHER,)), ALICE),
            (Unlink((OTHER,)), ALICE),
            (ShareMail(UUID(int=0xA1), (OTHER,)), ALICE),
            (TakeSharedMail(UUID(int=0xA3), OTHER), ALICE),
            (StartNew(UUID(int=0xA2)), ALICE),
            (MarkDeparture(Departure(UUID(int=0xA2), DepartureState.FAILED, why="no_route")), SYSTEM),
            (MAIL, SYSTEM),
            (TimerDue(timer.generation if timer else 0), SYSTEM),
            (MailReported(UUID(int=0xE), Outcome.SENT), SYSTEM),
            (KeepWithMe(), ALICE),
            (RejectWork(), ROBOT),
            (TakeNext(), ROBOT),
            (SendAndResolve(Method.WITH_CUSTOMER_RESPONSE), ALICE),
            (GiveFeedback(2), ERP),
            (ExchangeContact(CUSTOMER, COLLEAGUE), ALICE),
            (EraseContact(frozenset({CUSTOMER}), texts=True), ALICE),
            (AddFile(FILE), ALICE),
            (EditFile(FILE, "plan B.pdf", ("plan",)), ALICE),
            (RemoveFile(FILE), ALICE),
        )
    }


FOUR_OF_CUSTOMER = frozenset(all_four(CUSTOMER))


def only(kind: type[Any], events: tuple[Event, ...] | Refusal) -> Any:
    """The one event of this kind."""
    assert not isinstance(events, Refusal), events
    (event,) = (event for event in events if isinstance(event, kind))
    return event


def refused(done: tuple[Event, ...] | Refusal) -> Refusal:
    assert isinstance(done, Refusal), done
    return done
