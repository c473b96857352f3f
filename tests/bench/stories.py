"""Lives of Tickets as the rules make them, to be stamped out a million times (see seed.py)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.activity import event_records
from services.activity.domain.activity import Activity
from services.activity.domain.context import Context, ProcessRules
from services.activity.domain.decide import decide
from services.activity.domain.evolving import evolve
from services.activity.domain.refusals import Refusal
from services.activity.domain.steps import (
    AddNote,
    Assign,
    MailArrived,
    MailRouted,
    PickUp,
    Resolve,
    Step,
    TimerDue,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import SYSTEM, Actor, ActorKind, MatchedBy, Method
from services.activity.store_history import HistoryRow
from shared.postgres import Json
from shared.references import ticket

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SOMEBODY = "somebody-of-the-seed"
ACTIVITY, MAIL, EFFECT, CONTACT = (UUID(int=(0xFACE << 112) | number) for number in range(1, 5))
REFERENCE = ticket(999_999_999_999)


@dataclass(frozen=True)
class Story:
    """A Ticket at the end of what happened, and the events with marks in place of what differs."""

    ticket: Activity
    rows: tuple[tuple[Any, ...], ...]
    """Those of `history`, each with its event as a text."""


class Life:
    """Takes steps and writes down what they led to."""

    def __init__(self, organisation: str, process: ProcessRules) -> None:
        self._organisation, self._process = organisation, process
        self._now = BEGAN
        self._ticket: Activity | None = None
        self._events: list[HistoryRow] = []

    def take(self, step: Step, actor: Actor | None = None) -> None:
        """A step some minutes later. Raises `ValueError` if the rules refuse it."""
        self._now += timedelta(minutes=7)
        if isinstance(step, TimerDue):
            assert self._ticket is not None
            if self._ticket.timer is None:
                return  # its process has no feedback window
            step, self._now = TimerDue(self._ticket.timer.generation), self._ticket.timer.due_at
        if isinstance(step, Resolve) and self._process.resolution_guard:
            self.take(AddNote(), actor)
        context = Context(
            organisation=self._organisation,
            actor=actor or Actor(ActorKind.USER, SOMEBODY),
            process=self._process,
            effect=EFFECT,
        )
        done = decide(self._ticket, step, context, self._now)
        if isinstance(done, Refusal):
            raise ValueError(done.sentence)
        for event in done:
            self._ticket = evolve(self._ticket, event)
            record = event_records.record_of(self._ticket, event, 1)
            self._events.append(HistoryRow.of(self._organisation, record, Json.of(record)))

    def story(self) -> Story:
        """All of it."""
        assert self._ticket is not None
        rows = (
            tuple(
                each.event.decode() if name == "event" else getattr(each, name) for name in HistoryRow._fields
            )
            for each in self._events
        )
        return Story(self._ticket, tuple(rows))


def _opened(life: Life) -> None:
    life.take(
        MailRouted(
            activity=ACTIVITY,
            family=ACTIVITY,
            reference=REFERENCE,
            conversation="0" * 16,
            mailbox=None,
            title="title",
            description="description",
            mail=MAIL,
            sender=CONTACT,
            acknowledge=True,
            automatic=False,
        ),
        SYSTEM,
    )


def _mail(life: Life) -> None:
    life.take(MailArrived(mail=MAIL, matched_by=MatchedBy.SIGNED_ADDRESS), SYSTEM)


def _steps(*steps: Step) -> Callable[[Life], None]:
    def lived(life: Life) -> None:
        _opened(life)
        for step in steps:
            life.take(step, SYSTEM if isinstance(step, TimerDue) else None)

    return lived


def _with_mail(life: Life) -> None:
    _opened(life)
    life.take(PickUp())
    _mail(life)


Lives = Mapping[Callable[[Life], None], int]
"""How Tickets live, and how many in a hundred."""

CLOSED: Lives = {
    _steps(PickUp(), Resolve(Method.WITH_CUSTOMER_RESPONSE), TimerDue(0)): 80,
    _steps(PickUp(), AddNote(), AddNote(), Resolve(Method.WITH_CUSTOMER_RESPONSE), TimerDue(0)): 20,
}
OPENED = _opened
OPEN: Lives = {
    _opened: 40,
    _steps(Assign(SOMEBODY)): 15,
    _steps(PickUp()): 10,
    _with_mail: 5,
    _steps(PickUp(), WaitForMoreInformation(3)): 15,
    _steps(PickUp(), WaitUntil(BEGAN + timedelta(days=365))): 10,
    _steps(PickUp(), Resolve(Method.WITH_CUSTOMER_RESPONSE)): 5,
}
AWAITING_ANSWERS = _steps(PickUp(), WaitForMoreInformation(3))
WAITING: Lives = {
    AWAITING_ANSWERS: 40,
    _steps(PickUp(), WaitForMoreInformation(3, close_if_no_response=True)): 10,
    _steps(PickUp(), WaitUntil(BEGAN + timedelta(days=365))): 20,
    _steps(PickUp(), Resolve(Method.WITH_CUSTOMER_RESPONSE)): 30,
}


def told(organisation: str, process: ProcessRules, lives: Lives) -> tuple[Sequence[Story], Sequence[int]]:
    """The stories of a process, and how often each is told."""
    stories = []
    for lived in lives:
        life = Life(organisation, process)
        lived(life)
        stories.append(life.story())
    return stories, list(lives.values())


def long(organisation: str, process: ProcessRules, mails: int) -> Story:
    """A Ticket that so many mails have come in on; the first one opened it."""
    life = Life(organisation, process)
    _opened(life)
    life.take(PickUp())
    for _ in range(mails - 1):
        _mail(life)
    return life.story()
