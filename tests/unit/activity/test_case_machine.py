"""Whatever happens to a Case and all under it, in whatever order, along whatever steps: what always holds."""

from functools import reduce
from typing import cast
from uuid import UUID

import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import invariant
from msgspec import structs

from services.activity.domain.activity import Activity, Holders
from services.activity.domain.decide import allowed
from services.activity.domain.events import (
    ActionLaunched,
    Event,
    Reworked,
    StepEntered,
    SubCaseStarted,
)
from services.activity.domain.evolving import course_of, evolve, task_of
from services.activity.domain.flow import ActionKind
from services.activity.domain.holders import Standing, holder_rule
from services.activity.domain.reactions import RUNS, running_in
from services.activity.domain.states import ENDED, State, Status
from services.activity.domain.vocabulary import Actor, ActorKind
from services.activity.views_approvals import unusable
from tests.unit.activity.below import ORGANISATION
from tests.unit.activity.case_life import CaseLife
from tests.unit.activity.tickets import ALICE, ROBOT, context


class CaseMachine(CaseLife):
    """What always holds, after each of the things that may happen."""

    @invariant()
    def what_a_case_knows_to_run_is_what_is_not_closed(self) -> None:
        for case in self.family.cases:
            under = [each for each in self.family.activities.values() if each.parent == case.id]
            assert sorted((each.activity, each.reference) for each in running_in(course_of(case))) == sorted(
                (each.id, each.reference) for each in under if each.status is not Status.CLOSED
            )

    @invariant()
    def no_case_ends_before_its_sub_cases(self) -> None:
        """CA-4."""
        for case in self.family.cases:
            assert case.status not in ENDED or not course_of(case).sub_cases

    @invariant()
    def what_waits_for_sub_cases_has_some_to_wait_for(self) -> None:
        """A22: unless somebody lets it wait until a date."""
        for action in self.family.running:
            task = task_of(action)
            if task.kind is ActionKind.WAIT_FOR_SUB_CASES and action.state is State.WAIT_MORE_INFO:
                parent = self.family.activities["acme", cast(UUID, action.parent)]
                assert any(task.process in (None, each.process) for each in course_of(parent).sub_cases)

    @invariant()
    def all_share_what_the_case_at_the_top_has(self) -> None:
        """CA-7: and nothing else has contacts or fields of its own."""
        for activity in self.family.activities.values():
            assert activity.bearer == self.family.case.id
            assert activity is self.family.case or not (activity.contacts or activity.fields)

    @invariant()
    def an_approval_waits_for_information_while_somebody_is_asked(self) -> None:
        """A25: whoever its last links name, and nobody by an older one."""
        levels = [(action.id, each.round, each.level) for action, each in self.asked()]
        assert len({*levels}) == len(levels), "who asks a level again begins another round"
        usable: dict[UUID, set[str]] = {}
        for action, link in self.links():
            if unusable(ORGANISATION, action, link) is None:
                assert link.approver not in usable.setdefault(action.id, set())
                usable[action.id].add(link.approver)
        for action in self.family.actions:
            task = task_of(action)
            if task.asks:
                waits = action.state is State.WAIT_MORE_INFO
                assert usable.get(action.id, set()) == ({*task.yet_to_answer} if waits else set())
                assert waits is bool(usable.get(action.id))

    @invariant()
    def no_number_is_given_twice(self) -> None:
        """GL-6."""
        references = [each.reference for each in self.family.activities.values()]
        assert len({*references}) == len(references)

    @invariant()
    def histories_replay_to_the_states(self) -> None:
        nothing: Activity | None = None
        for (_, id_), activity in self.family.activities.items():
            assert reduce(evolve, self.family.history[id_], nothing) == activity

    @invariant()
    def histories_survive_json(self) -> None:
        for id_, history in self.family.history.items():
            for event in history[self.seen.get(id_, 0) :]:
                assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
            self.seen[id_] = len(history)

    @invariant()
    def nothing_is_launched_but_while_the_case_runs_and_no_step_is_entered_twice(self) -> None:
        """CA-3, A1, C17: but in a pass of their own, which a rework begins."""
        for each in self.family.cases:
            self.runs_in_order(self.family.history[each.id])

    def runs_in_order(self, history: list[Event]) -> None:
        case: Activity | None = None
        entered = 0
        for event in history:
            if isinstance(event, ActionLaunched | SubCaseStarted | StepEntered):
                assert case is not None
                assert case.state in RUNS
            if isinstance(event, StepEntered):
                assert event.step > entered
            if isinstance(event, StepEntered | Reworked):
                entered = event.step - isinstance(event, Reworked)
            case = evolve(case, event)

    @invariant()
    def what_is_closed_never_changes(self) -> None:
        """C25, A14: but for a customer's late word, which only the history tells (FB-1)."""
        for activity in self.family.activities.values():
            closed = self.closed.get(activity.id)
            if closed:
                assert structs.replace(activity, version=closed.version) == closed
            elif activity.status is Status.CLOSED:
                self.closed[activity.id] = activity

    @invariant()
    def holders_are_as_the_table_says(self) -> None:
        """ST-19."""
        for activity in self.family.activities.values():
            kind, course = activity.reference.kind, activity.course
            attention = course is not None and course.attention
            standing = Standing(activity.state, activity.new_information, kind, attention)
            found, person = holder_rule(standing), activity.holders.person
            queue = (activity.task and activity.task.queue) or self.family.process.queue
            assert activity.holders == Holders(
                assignee=person if found.assignee else None,
                owner=person if found.owner else None,
                queue=queue if found.queue else None,
            )

    @invariant()
    def robots_have_neither_cases_nor_reviews(self) -> None:
        """ST-24, A24: and nobody has a review of what he did."""
        assert ROBOT.id not in {each.holders.person for each in self.family.cases}
        for action in self.family.actions:
            done_by = task_of(action).done_by
            if done_by is not None:
                assert action.holders.person not in (done_by, ROBOT.id)

    @invariant()
    def a_case_never_stops_without_a_word(self) -> None:
        """C6, C18, C21: where nothing runs, somebody is asked for or has news to read, and can act."""
        for case in self.family.cases:
            course = course_of(case)
            if case.state in RUNS and not running_in(course):
                assert course.attention or course.over or case.new_information
                person = case.holders.person
                actor = Actor(ActorKind.USER, person) if person else ALICE
                offers = allowed(case, context(actor, self.family.process), self.family.now)
                assert {"launch", "resolve", "abandon"} <= {each.step for each in offers if each.allowed}

    @invariant()
    def a_call_never_waits_without_an_end(self) -> None:
        """A23: whoever keeps silent, people or the next try have their turn."""
        for action in self.family.actions:
            call = task_of(action).call
            if call and action.state is State.WAIT_MORE_INFO:
                assert action.timer is not None
                assert action.timer.due_at == call.until

    @invariant()
    def attention_is_asked_for_in_to_do_alone(self) -> None:
        """C6, AMB-15: every way on from there sees to it."""
        for case in self.family.cases:
            course = course_of(case)
            assert not course.attention or case.state is State.TO_DO
            assert course.attention is (course.because is not None)


CaseMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, report_multiple_bugs=False)
# Once something fails, the shortest way there is looked for, which takes minutes.
TestCaseMachine = pytest.mark.timeout(600)(CaseMachine.TestCase)
