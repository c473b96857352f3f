"""Whatever becomes of Tickets that are split and merged, in whatever order: what always holds.

The use case itself, on what a batch knows; there are no tables, and all is one batch.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from services.activity import work_timers
from services.activity.domain.activity import Activity
from services.activity.domain.contacts import EXCLUSIVE
from services.activity.domain.events import Event, MailAppended, Opened
from services.activity.domain.evolving import evolve
from services.activity.domain.links import DepartureState
from services.activity.domain.states import State, Status
from services.activity.numbers import Block
from services.activity.store_numbers import FIRST_NUMBER
from services.activity.work import PERFORMERS
from services.activity.workspace import Workspace
from shared import organisation
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import SplitPart
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailNotReinjected, PlusReference
from shared.contracts.ingest_requests import MailReinject
from shared.organisation import Organisation
from tests.support.office import ACME, DEFINITION, HELP, NOON, addressed, incoming, received, user

ORGANISATION = Organisation.of(ACME, 1, organisation.sections_of(DEFINITION, 1))
UNCHANGED = ("version", "changed", "departures", "links")
"""What may be another on a closed Ticket: what became of mails that it had asked about (CE-7, NT-14), and
who is linked with it (docs/decisions/0012)."""


class Remembering(Workspace):
    """A workspace that is never read nor written, and remembers what happened to each activity."""

    def __init__(self) -> None:
        super().__init__(
            NOON, {ACME: ORGANISATION}, {ACME: Block(range(FIRST_NUMBER, FIRST_NUMBER + 10_000))}
        )
        self.histories: dict[UUID, list[Event]] = defaultdict(list)

    def happened(self, cause: Envelope, activity: Activity, event: Event) -> None:
        self.histories[activity.id].append(event)
        super().happened(cause, activity, event)


class FamilyMachine(RuleBasedStateMachine):
    """Mails, steps, timers and departures among a handful of Tickets."""

    workspace: Remembering
    now: datetime
    closed: dict[UUID, Activity]
    letters: int

    @initialize(number=st.integers(2, 3))
    def begin(self, number: int) -> None:
        self.workspace = Remembering()
        self.closed, self.letters, self.asked = {}, 0, 0
        for _ in range(number):
            self.write()

    # What happens

    def perform(self, record: Any) -> None:
        self.workspace.begin()
        PERFORMERS[type(record.message)].perform(self.workspace, record)

    def write(self, answers: int | None = None, to: Activity | None = None) -> UUID:
        self.letters += 1
        plus = f"help+{str(to.reference).lower()}@acme.test" if to else None
        names = [
            PlusReference(address=plus, mailbox="help", reference=str(to.reference), signed=True)
            for to, plus in ([(to, plus)] if to and plus else [])
        ]
        mail = received(
            message_id=f"{self.letters}@harbour.test",
            in_reply_to=f"{answers}@harbour.test" if answers else None,
            to=[HELP, plus] if plus else [HELP],
            plus=names,
            targets=[addressed(HELP)],
            sender=f"sender{self.letters % 3}@harbour.test",
            conversation=f"{self.letters:016x}",
            at=self.workspace.now,
        )
        self.perform(mail)
        id_: UUID = mail.message.mail
        return id_

    def ask(self, kind: type[asked.OnActivity], about: Activity, **fields: Any) -> None:
        self.asked += 1
        request = kind(actor=user("amelie"), reference=str(about.reference), **fields)
        self.perform(incoming(request, f"request-{self.asked}", at=self.workspace.now))

    @property
    def all(self) -> list[Activity]:
        return sorted(self.workspace.activities.values(), key=lambda each: each.reference.number)

    def one(self, data: Any, label: str = "which") -> Activity:
        return data.draw(st.sampled_from(range(len(self.all))).map(lambda at: self.all[at]), label)  # type: ignore[no-any-return]

    @precondition(lambda self: len(self.all) < 12)
    @rule()
    def somebody_writes(self) -> None:
        before = len(self.all)
        self.write()
        assert len(self.all) == before + 1

    @rule(data=st.data())
    def somebody_answers(self, data: Any) -> None:
        self.write(answers=data.draw(st.integers(1, self.letters)))

    @rule(data=st.data())
    def somebody_writes_to_one(self, data: Any) -> None:
        """IN-8, IN-9, T29: it reaches every part that is open, once, and the target of a merge."""
        to = self.one(data)
        expected = set(self.open_family(to))
        mail = self.write(to=to)
        for id_ in expected:
            assert self.times_on(mail, id_) == 1

    @precondition(lambda self: len(self.all) < 12)
    @rule(data=st.data(), number=st.integers(1, 3))
    def somebody_splits(self, data: Any, number: int) -> None:
        parts = tuple(
            SplitPart(title=f"Part {each}", description="x", category="Other") for each in range(number)
        )
        self.ask(asked.TicketSplit, self.one(data), parts=parts)

    @rule(data=st.data())
    def somebody_merges(self, data: Any) -> None:
        self.ask(asked.TicketMergeInto, self.one(data), into=str(self.one(data, "into").reference))

    @rule(data=st.data())
    def somebody_merges_several(self, data: Any) -> None:
        sources = tuple(str(self.one(data, f"source {number}").reference) for number in range(2))
        self.ask(asked.ActivityMerge, self.one(data), sources=sources)

    @rule(data=st.data(), spam=st.booleans())
    def somebody_resolves(self, data: Any, spam: bool) -> None:
        self.ask(asked.TicketResolve, self.one(data), method="rejected_as_spam" if spam else "rejected")

    @rule(data=st.data())
    def somebody_waits(self, data: Any) -> None:
        self.ask(asked.TicketWait, self.one(data), days=2, close_if_no_response=data.draw(st.booleans()))

    @rule(data=st.data())
    def somebody_links(self, data: Any) -> None:
        self.ask(asked.ActivityLink, self.one(data), with_references=[str(self.one(data, "with").reference)])

    @rule(data=st.data(), hours=st.integers(1, 100))
    def a_timer_rings(self, data: Any, hours: int) -> None:
        self.workspace.now += timedelta(hours=hours)
        due = [each for each in self.all if each.timer and each.timer.due_at <= self.workspace.now]
        for each in due:
            timer = each.timer
            assert timer is not None
            self.perform(
                work_timers.fired(ACME, each.id, timer.generation, timer.due_at, closes=timer.closes)
            )

    @rule(data=st.data())
    def somebody_sends_a_mail_away(self, data: Any) -> None:
        about = self.one(data)
        history = self.workspace.histories[about.id]
        appended = [each.mail for each in history if isinstance(each, MailAppended)]
        if appended:
            self.ask(asked.ActivityNewFromMail, about, mail=data.draw(st.sampled_from(appended)))

    @rule(data=st.data(), there_is_a_route=st.booleans())
    def ingest_tells_of_it_again(self, data: Any, there_is_a_route: bool) -> None:
        """CE-7: late and twice, or not at all."""
        asked_for = [each.record for each in self.workspace.said if isinstance(each.record, MailReinject)]
        if not asked_for:
            return
        request = data.draw(st.sampled_from(range(len(asked_for))).map(lambda at: asked_for[at]))
        if there_is_a_route:
            known = self.workspace.mails[ACME, request.mail]
            mail = received(message_id=known.message_id or "", sender=known.sender.address, at=known.at)  # type: ignore[union-attr]
            told: Any = mail.message.model_copy(update={"reinjected_for": request.activity})
        else:
            told = MailNotReinjected(mail=request.mail, activity=request.activity, why="no_route")
        self.perform(incoming(told, f"again/{request.mail}/{request.activity}", at=self.workspace.now))

    # What holds

    @invariant()
    def merges_have_no_cycle(self) -> None:
        """AMB-48, T33: and what was merged is closed."""
        for each in self.all:
            assert len(list(self.merges(each))) == len({one.id for one in self.merges(each)})
            assert each.merged_into is None or each.status is Status.CLOSED

    @invariant()
    def exclusive_tags_have_one_holder(self) -> None:
        """CT-3."""
        for each in self.all:
            held = Counter(tagged.tag for tagged in each.contacts)
            assert all(held[tag] <= 1 for tag in EXCLUSIVE)

    @invariant()
    def closed_never_changes(self) -> None:
        """T38."""
        for each in self.all:
            if each.id in self.closed:
                same = {name: getattr(self.closed[each.id], name) for name in UNCHANGED}
                assert structs.replace(each, **same) == self.closed[each.id]
            elif each.status is Status.CLOSED:
                self.closed[each.id] = each

    @invariant()
    def histories_replay_to_the_states(self) -> None:
        for each in self.all:
            none: Activity | None = None
            replayed = reduce(evolve, self.workspace.histories[each.id], none)
            assert replayed is not None
            if each.status is Status.CLOSED:
                replayed = structs.replace(replayed, links=each.links)
            assert replayed == each

    @invariant()
    def nothing_waits_for_nothing(self) -> None:
        """ST-9, ST-14, T28: a time, or a part that is open."""
        for each in self.all:
            parts = [self.workspace.activities[ACME, id_] for id_ in self.workspace.families.parts_of(each)]
            if each.state is State.WAIT_SPLIT:
                assert each.timer is None
                assert any(part.status is not Status.CLOSED for part in parts)
            else:
                assert (each.status in (Status.WAIT, Status.RESOLVED)) is (each.timer is not None)

    @invariant()
    def what_was_split_is_closed_with_its_last_part(self) -> None:
        """T28, AMB-16."""
        for each in self.all:
            parts = [self.workspace.activities[ACME, id_] for id_ in self.workspace.families.parts_of(each)]
            if parts:
                assert len(parts) > 1
                over = all(part.status is Status.CLOSED for part in parts)
                assert (each.status is Status.CLOSED) is over
                assert each.state in (State.CLOSED, State.WAIT_SPLIT)

    @invariant()
    def no_mail_comes_twice(self) -> None:
        """IN-7, IN-8."""
        for each in self.all:
            came = Counter(self.came(each.id))
            assert not came or max(came.values()) == 1

    @invariant()
    def what_has_left_takes_no_answers(self) -> None:
        """CE-4, AMB-33: wherever a split or a merge has carried it."""
        for each in self.all:
            for departure in each.departures:
                if departure.state is DepartureState.DONE:
                    assert ((ACME, departure.mail), each.id) in self.workspace.aside
                    assert (ACME, departure.activity) in self.workspace.activities

    # Reckoned apart from how it is done

    def merges(self, activity: Activity) -> Iterator[Activity]:
        yield activity
        for _ in range(len(self.all)):
            if activity.merged_into is None:
                return
            activity = self.workspace.activities[ACME, activity.merged_into]
            yield activity

    def open_family(self, activity: Activity) -> Iterator[UUID]:
        """Who gets a mail for an activity, as far as he is open."""
        *_, end = self.merges(activity)
        if end.status is not Status.CLOSED:
            yield end.id
        for each in self.merges(activity):
            parent: Activity | None = each
            while parent is not None:
                if parent.state is State.WAIT_SPLIT:
                    for id_ in self.workspace.families.parts_of(parent):
                        part = self.workspace.activities[ACME, id_]
                        if part.status is not Status.CLOSED and part.state is not State.WAIT_SPLIT:
                            yield id_
                        elif part.merged_into is not None:
                            *_, last = self.merges(part)
                            if last.status is not Status.CLOSED and last.state is not State.WAIT_SPLIT:
                                yield last.id
                parent = self.workspace.activities[ACME, parent.parent] if parent.parent else None

    def came(self, id_: UUID) -> Iterator[UUID]:
        for event in self.workspace.histories[id_]:
            if isinstance(event, Opened | MailAppended) and event.mail:
                yield event.mail

    def times_on(self, mail: UUID, id_: UUID) -> int:
        return sum(each == mail for each in self.came(id_))


FamilyMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    suppress_health_check=[HealthCheck.too_slow],
)
TestFamilyMachine = FamilyMachine.TestCase
