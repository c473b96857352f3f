"""Whatever happens to a Ticket, in whatever order: what always holds."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from services.activity.domain.activity import Activity, Holders
from services.activity.domain.contact_steps import EraseContact, ExchangeContact
from services.activity.domain.contacts import EXCLUSIVE, Tagged
from services.activity.domain.decide import allowed, decide
from services.activity.domain.events import DeliveryReported, Event, FeedbackGiven, StatusChanged
from services.activity.domain.evolving import evolve
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.holders import Standing, holder_rule
from services.activity.domain.refusals import Refusal, RefusalCode
from services.activity.domain.states import State, Status
from services.activity.domain.steps import (
    AddNote,
    Assign,
    Edit,
    MailReported,
    MarkInformation,
    Opening,
    PickUp,
    RejectAsSpam,
    Reopen,
    Resolve,
    Resume,
    ResumeTo,
    SendMail,
    SetToDo,
    Step,
    Submit,
    TimerDue,
    WaitForMoreInformation,
    WaitUntil,
)
from services.activity.domain.vocabulary import SYSTEM, Actor, Method, Outcome, Tag
from services.activity.domain.work_steps import (
    GiveFeedback,
    KeepWithMe,
    RejectWork,
    SendAndResolve,
    TakeNext,
)
from tests.unit.activity.tickets import (
    ALICE,
    BOB,
    COLLEAGUE,
    CREATED,
    CUSTOMER,
    ERP,
    FILE,
    GUARDED,
    MAIL,
    MAIL_ROUTED,
    NO_WINDOW,
    NOW,
    ROBOT,
    STARTED,
    WINDOW,
    Life,
    context,
)

TAGGED = st.builds(Tagged, st.sampled_from(Tag), st.sampled_from([CUSTOMER, COLLEAGUE]))
TAGS = st.lists(TAGGED, max_size=3).map(tuple)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        Edit,
        title=st.sampled_from([None, "", "Fire"]),
        category=st.sampled_from([None, "hardware", "plumbing"]),
        tag=TAGS,
        untag=TAGS,
    ),
    st.builds(KeepWithMe, st.booleans()),
    st.just(RejectWork()),
    st.just(TakeNext()),
    st.builds(SendAndResolve, st.sampled_from(Method), st.sampled_from([None, "software"])),
    st.builds(GiveFeedback, st.integers(0, 6), st.booleans()),
    st.builds(Submit, st.booleans()),
    st.builds(PickUp, st.booleans()),
    st.builds(Assign, st.sampled_from([None, "alice", "bob", "r2"]), st.booleans()),
    st.just(SetToDo()),
    st.builds(
        WaitForMoreInformation,
        st.integers(0, 5),
        st.booleans(),
        st.sampled_from([None, "supplier", "weather"]),
        st.sampled_from([None, "software"]),
    ),
    st.builds(WaitUntil, st.integers(-2, 200).map(lambda hours: NOW + timedelta(hours=hours))),
    st.builds(Resume, st.sampled_from(ResumeTo)),
    st.builds(Resolve, st.sampled_from(Method)),
    st.just(RejectAsSpam()),
    st.builds(Reopen, st.booleans()),
    st.just(AddNote()),
    st.builds(SendMail, st.sampled_from(["", "Smoke"]), st.sampled_from(["", "It smells."])),
    st.builds(MarkInformation, st.booleans()),
    st.just(AddFile(FILE)),
    st.builds(
        EditFile,
        st.just(FILE),
        st.sampled_from([None, FILE.name, "plan B.pdf"]),
        st.sampled_from([None, (), ("plan", "plan")]),
    ),
    st.just(RemoveFile(FILE)),
)
UNSEEN = DeliveryReported | FeedbackGiven
OPENINGS: tuple[tuple[Opening, Actor], ...] = ((STARTED, ALICE), (MAIL_ROUTED, SYSTEM), (CREATED, ERP))


class TicketMachine(RuleBasedStateMachine):
    """Steps by anybody, mails, time and timers, in any order."""

    life: Life
    armed: set[int]
    closed: Activity | None = None

    @initialize(opening=st.sampled_from(OPENINGS), process=st.sampled_from([WINDOW, NO_WINDOW, GUARDED]))
    def begin(self, opening: tuple[Opening, Actor], process: Any) -> None:
        self.life = Life(process)
        assert not isinstance(self.life.take(*opening), Refusal)
        self.armed = {0}

    def do(self, step: Step, actor: Actor) -> tuple[Event, ...] | Refusal:
        before = self.life.it
        done = self.life.take(step, actor)
        if isinstance(done, Refusal):
            assert (done.state, done.step) == (before.state, step.name)
            assert self.life.it == before
            assert done.missing or done.code in (RefusalCode.CLOSED, RefusalCode.NOT_ALLOWED)
        else:
            assert self.life.it.version == before.version + len(done)
        timer = self.life.it.timer
        if timer and timer != before.timer:
            assert timer.generation > max(self.armed)
            self.armed.add(timer.generation)
        return done

    @rule(step=STEPS, actor=st.sampled_from([ALICE, BOB, ROBOT, ERP]))
    def somebody_does_something(self, step: Step, actor: Actor) -> None:
        self.do(step, actor)

    @rule(automatic=st.booleans())
    def a_mail_arrives(self, automatic: bool) -> None:
        """IN-16: no mail is lost but by a refusal of what is closed (T38)."""
        closed = self.life.it.state is State.CLOSED
        done = self.do(replace(MAIL, automatic=automatic), SYSTEM)
        assert isinstance(done, Refusal) is closed
        assert closed or self.life.it.new_information

    @rule(outcome=st.sampled_from(Outcome))
    def notify_reports(self, outcome: Outcome) -> None:
        assert not isinstance(self.do(MailReported(CUSTOMER, outcome), SYSTEM), Refusal)

    @rule(data=st.data())
    def somebody_acts_on_what_he_saw(self, data: Any) -> None:
        """ST-23: he is late where more than word of deliveries or a rating has come since, and only there."""
        life = self.life
        seen = data.draw(st.integers(max(0, life.it.version - 4), life.it.version + 1))
        since = life.history[seen:]
        late = seen > life.it.version or any(
            not isinstance(each, DeliveryReported | FeedbackGiven) for each in since
        )
        done = decide(life.it, AddNote(), context(BOB, life.process, version=seen), life.now)
        assert (isinstance(done, Refusal) and done.code is RefusalCode.CONFLICT) is late

    @rule(people=st.permutations([CUSTOMER, COLLEAGUE]), by=st.sampled_from([ALICE, ERP]))
    def two_contacts_become_one(self, people: list[UUID], by: Actor) -> None:
        """CT-20, T38: the one holds what both held, and nobody has a claim on the Ticket for it (ST-20)."""
        before, (contact, into) = self.life.it, people
        done = self.do(ExchangeContact(contact, into), by)
        after = self.life.it
        assert isinstance(done, Refusal) is (before.status is Status.CLOSED)
        if not isinstance(done, Refusal):
            moved = {
                Tagged(each.tag, into if each.contact == contact else each.contact)
                for each in before.contacts
            }
            assert after == structs.replace(
                before, contacts=frozenset(moved), version=after.version, changed=after.changed
            )

    @rule(contact=st.sampled_from([CUSTOMER, COLLEAGUE]), texts=st.booleans())
    def a_person_is_erased(self, contact: UUID, texts: bool) -> None:
        """CT-21, T38: nothing else of the Ticket changes; asked again, nothing is left to do."""
        before, step = self.life.it, EraseContact(frozenset({contact}), texts)
        done = self.do(step, ALICE)
        after = self.life.it
        assert isinstance(done, Refusal) is (before.status is Status.CLOSED)
        if not isinstance(done, Refusal):
            others = frozenset(each for each in before.contacts if each.contact != contact)
            gone: dict[str, Any] = {"title": "", "description": "", "fields": ()} if texts else {}
            versions = {"version": after.version, "changed": after.changed}
            assert after == structs.replace(before, contacts=others, **gone, **versions)
            assert self.do(step, ALICE) == ()

    @rule(hours=st.integers(1, 100))
    def time_passes(self, hours: int) -> None:
        self.life.now += timedelta(hours=hours)

    @precondition(lambda self: self.life.it.timer is not None)
    @rule()
    def the_timer_rings(self) -> None:
        """Nothing waits for ever: a timer in its time always ends what it was armed for."""
        assert self.life.ring()
        assert self.life.it.timer is None

    @rule(data=st.data())
    def a_stale_timer_rings(self, data: Any) -> None:
        """AMB-44."""
        generation = data.draw(st.sampled_from(sorted(self.armed)))
        timer = self.life.it.timer
        if timer is None or timer.generation != generation:
            self.life.now += timedelta(days=1)
            assert self.do(TimerDue(generation), SYSTEM) == ()

    @invariant()
    def history_replays_to_the_state(self) -> None:
        replayed: Activity | None = None
        replayed = reduce(evolve, self.life.history, replayed)
        assert replayed == self.life.ticket

    @invariant()
    def history_survives_json(self) -> None:
        event = self.life.history[-1]
        assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event

    @invariant()
    def closed_never_changes(self) -> None:
        """T38: but for what became of its own mails, which only the history tells."""
        if self.closed:
            assert structs.replace(self.life.it, version=self.closed.version) == self.closed
        elif self.life.it.status is Status.CLOSED:
            self.closed = self.life.it

    @invariant()
    def exclusive_tags_have_one_holder(self) -> None:
        """CT-3."""
        held = Counter(tagged.tag for tagged in self.life.it.contacts)
        assert all(held[tag] <= 1 for tag in EXCLUSIVE)

    @invariant()
    def nothing_waits_without_a_timer(self) -> None:
        """ST-9, ST-14: and nothing else has one."""
        ticket = self.life.it
        assert (ticket.status in (Status.WAIT, Status.RESOLVED)) is (ticket.timer is not None)
        assert (ticket.status is Status.WAIT) is (ticket.wait is not None)
        if ticket.timer:
            assert ticket.timer.generation == ticket.generation
        if ticket.wait and ticket.timer:
            assert ticket.timer.due_at == ticket.wait.until

    @invariant()
    def holders_are_as_the_table_says(self) -> None:
        """ST-19."""
        ticket = self.life.it
        rule = holder_rule(Standing(ticket.state, ticket.new_information))
        person, queue = ticket.holders.person, self.life.process.queue
        assert ticket.holders == Holders(
            assignee=person if rule.assignee else None,
            owner=person if rule.owner else None,
            queue=queue if rule.queue else None,
        )

    @invariant()
    def what_is_in_progress_is_in_somebodys_hands(self) -> None:
        """ST-5; only an integration that ends a wait leaves it with whom it was, who may be nobody."""
        if self.life.it.state is State.IN_PROGRESS and not self.life.it.holders.assignee:
            changed = [event for event in self.life.history if isinstance(event, StatusChanged)][-1]
            assert changed.stamp.by == ERP

    @invariant()
    def the_first_resolution_stays(self) -> None:
        """ST-15."""
        resolved = [event for event in self.life.history if isinstance(event, StatusChanged) and event.method]
        first = self.life.it.first_resolution
        assert bool(resolved) is (first is not None)
        if first:
            assert (first.method, first.at) == (resolved[0].method, resolved[0].stamp.at)

    @invariant()
    def something_can_be_done_until_it_is_closed(self) -> None:
        offers = allowed(self.life.it, context(ALICE, self.life.process), self.life.now)
        assert any(offer.allowed for offer in offers) is (self.life.it.status is not Status.CLOSED)


TicketMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestTicketMachine = TicketMachine.TestCase
