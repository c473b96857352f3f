"""What may happen to a Case and all under it: steps by anybody, mails, time and timers, in any order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from services.activity.approval_links import ApprovalLink
from services.activity.domain.action_steps import CompleteAction
from services.activity.domain.activity import Activity
from services.activity.domain.approval_events import ApprovalAsked
from services.activity.domain.approval_steps import Approve, Decline, Question
from services.activity.domain.call_steps import AnswerCall
from services.activity.domain.context import ProcessRules
from services.activity.domain.events import (
    Event,
    MailRequested,
)
from services.activity.domain.evolving import task_of
from services.activity.domain.flow import Flow
from services.activity.domain.reactions import RUNS
from services.activity.domain.refusals import Refusal, RefusalCode
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Edit, MailReported, Opening, PickUp, Step
from services.activity.domain.sub_case_steps import EditShared
from services.activity.domain.vocabulary import SYSTEM, Actor, ActorKind, CallOutcome, Outcome
from services.activity.running_sub_cases import CannotStart
from services.activity.views_approvals import unusable
from shared.field_values import FieldValue
from tests.unit.activity.below import ORGANISATION
from tests.unit.activity.cases import Family, answering, done
from tests.unit.activity.cases_by_chance import (
    ACTORS,
    FLOWS,
    ON_ACTIONS,
    ON_CASES,
    OPENINGS,
    PROGRAMS,
    VALUES,
)
from tests.unit.activity.tickets import ALICE, BOB, MAIL, NO_WINDOW, WINDOW

WITHOUT_MISSING = (RefusalCode.CLOSED, RefusalCode.NOT_ALLOWED, RefusalCode.LATE_ANSWER)


class CaseLife(RuleBasedStateMachine):
    """Steps by anybody, mails, time and timers, in any order, on a Case, its Sub-Cases and their Actions."""

    family: Family
    closed: dict[UUID, Activity]
    seen: dict[UUID, int]

    @initialize(
        opening=st.sampled_from(OPENINGS),
        flow=FLOWS,
        fields=VALUES,
        process=st.sampled_from([WINDOW, WINDOW, NO_WINDOW]),
    )
    def begin(
        self,
        opening: tuple[Opening, Actor],
        flow: Flow,
        fields: tuple[FieldValue, ...],
        process: ProcessRules,
    ) -> None:
        step, actor = opening
        self.family, self.closed, self.seen = Family(process), {}, {}
        done(self.family.do(replace(step, flow=flow, fields=fields), actor))

    def take(self, activity: Activity, step: Step, actor: Actor) -> tuple[Event, ...] | Refusal:
        before = dict(self.family.activities)
        outcome = self.family.take(activity, step, actor)
        if isinstance(outcome, Refusal):
            assert (outcome.state, outcome.step) == (activity.state, step.name)
            assert outcome.missing or outcome.code in WITHOUT_MISSING
            assert self.family.activities == before
        return outcome

    def any_action(self, data: Any) -> Activity:
        found: Activity = data.draw(st.sampled_from(self.family.actions))
        return found

    @rule(data=st.data(), step=ON_CASES, actor=ACTORS)
    def somebody_does_something_to_a_case(self, data: Any, step: Step, actor: Actor) -> None:
        """The one at the top more often than each of the others."""
        case = data.draw(st.one_of(st.just(self.family.case), st.sampled_from(self.family.cases)))
        if case.is_sub_case and isinstance(step, Edit):
            # What both share is changed where it stands (`work_sub_cases.py`).
            shared, step = EditShared(fields=step.fields), replace(step, fields=())
            self.take(self.family.case, shared, actor)
        self.take(case, step, actor)

    @rule(data=st.data(), process=st.sampled_from(["equip", "parcel", "badge"]), actor=ACTORS)
    def somebody_starts_a_sub_case(self, data: Any, process: str, actor: Actor) -> None:
        """CA-3, CA-7: under a Case that runs, unless one above it is of the same process."""
        case = data.draw(st.sampled_from(self.family.cases))
        if process in {each.process for each in self.with_all_above(case)}:
            with pytest.raises(CannotStart, match="again and again"):
                self.family.start(process, actor, under=case)
        else:
            outcome = self.family.start(process, actor, under=case)
            assert isinstance(outcome, Refusal) is not (case.state in RUNS)

    def with_all_above(self, case: Activity) -> list[Activity]:
        found = [case]
        while found[-1].is_sub_case and (parent := found[-1].parent):
            found.append(self.family.activities["acme", parent])
        return found

    @precondition(lambda self: self.family.actions)
    @rule(data=st.data(), step=ON_ACTIONS, actor=ACTORS)
    def somebody_does_something_to_an_action(self, data: Any, step: Step, actor: Actor) -> None:
        self.take(self.any_action(data), step, actor)

    @precondition(lambda self: self.family.running)
    @rule(data=st.data())
    def an_action_is_done(self, data: Any) -> None:
        """However it stands, somebody can do it, and it is closed or to be looked at by another one."""
        action = data.draw(st.sampled_from(self.family.running))
        task = task_of(action)
        actor = BOB if task.done_by == ALICE.id else ALICE
        if action.state is State.IN_PROGRESS:
            done(self.take(action, PickUp(take_over=True), actor))
        for point in task.unanswered:
            done(self.take(self.current(action), answering(point), actor))
        done(self.take(self.current(action), CompleteAction(), actor))
        after = self.current(action)
        assert task_of(after).done_by == actor.id if task.to_be_reviewed else after.status is Status.CLOSED

    @precondition(lambda self: any(_awaits_answer(each) for each in self.family.actions))
    @rule(
        data=st.data(), outcome=st.sampled_from(CallOutcome), fields=VALUES, actor=st.sampled_from(PROGRAMS)
    )
    def an_external_system_answers(
        self, data: Any, outcome: CallOutcome, fields: tuple[FieldValue, ...], actor: Actor
    ) -> None:
        """A23: it is done, goes to people, is tried again or could not be done; a second answer is late."""
        action = data.draw(st.sampled_from([each for each in self.family.actions if _awaits_answer(each)]))
        call = task_of(action).call
        assert call is not None
        answer = AnswerCall(call.attempt, outcome, fields=fields)
        done(self.take(action, answer, actor))
        after = self.current(action)
        again = call.retry < len(call.retry_after_minutes)
        assert (
            after.status
            is {
                CallOutcome.SUCCEEDED: Status.CLOSED,
                CallOutcome.FAILED: Status.TO_DO,
                CallOutcome.UNREACHABLE: Status.WAIT if again else Status.CLOSED,
            }[outcome]
        )
        assert (after.timer is not None) is (after.status is Status.WAIT)
        late = self.take(after, answer, actor)
        assert isinstance(late, Refusal)
        assert late.code is RefusalCode.LATE_ANSWER
        if self.family.case.status is not Status.CLOSED:
            written = {each.name: each.value for each in self.family.case.fields}
            assert [written.get(each.name) for each in fields] == [each.value for each in fields]

    def current(self, activity: Activity) -> Activity:
        return self.family.activities[activity.organisation, activity.id]

    @rule(copies=st.integers(1, 2), actor=ACTORS)
    def somebody_launches_by_hand(self, copies: int, actor: Actor) -> None:
        """CA-3, CA-6: while the Case runs, whoever does."""
        runs = self.family.case.state in RUNS
        assert isinstance(self.family.launch("extra", actor, copies=copies), Refusal) is not runs

    @rule(data=st.data(), automatic=st.booleans())
    def a_mail_arrives(self, data: Any, automatic: bool) -> None:
        """IN-16: no mail is lost but by a refusal of what is closed (A14, C25)."""
        activity = data.draw(st.sampled_from([*self.family.activities.values()]))
        outcome = self.take(activity, replace(MAIL, automatic=automatic), SYSTEM)
        assert isinstance(outcome, Refusal) is (activity.status is Status.CLOSED)
        assert isinstance(outcome, Refusal) or self.current(activity).new_information

    def asked(self) -> list[tuple[Activity, ApprovalAsked]]:
        """Which levels were asked, by which Action."""
        return [
            (action, event)
            for action in self.family.actions
            for event in self.family.history[action.id]
            if isinstance(event, ApprovalAsked)
        ]

    def links(self) -> list[tuple[Activity, ApprovalLink]]:
        """All that were ever sent, with the Action that each is about."""
        return [
            (action, ApprovalLink("acme", action.id, event.round, event.level, name))
            for action, event in self.asked()
            for name in event.approvers
        ]

    @precondition(lambda self: self.links())
    @rule(data=st.data(), approves=st.booleans())
    def somebody_follows_a_link(self, data: Any, approves: bool) -> None:
        """A25: a link decides once, and not at all once it is void."""
        action, link = data.draw(st.sampled_from(self.links()))
        if unusable(ORGANISATION, action, link) is None:
            question = Question(link.round, link.level)
            step = Approve(question=question) if approves else Decline(comment=True, question=question)
            done(self.take(action, step, Actor(ActorKind.USER, link.approver)))
            after = unusable(ORGANISATION, self.current(action), link)
            assert after is not None
            assert after.verdict is not None
            assert after.verdict.approved is approves
            assert approves or self.current(action).state is State.TO_DO

    @precondition(lambda self: self.links())
    @rule(data=st.data(), outcome=st.sampled_from([Outcome.SENT, Outcome.FAILED, Outcome.REFUSED]))
    def a_mail_that_asks_is_reported(self, data: Any, outcome: Outcome) -> None:
        """A25: one that is lost brings the Action to people, if it is still waited for."""
        action = data.draw(st.sampled_from([action for action, _ in self.links()]))
        mails = [event.mail for event in self.family.history[action.id] if isinstance(event, MailRequested)]
        mail, task = data.draw(st.sampled_from(mails)), task_of(action)
        waited_for = task.round is not None and task.round.written_to(mail) in task.yet_to_answer
        lost = outcome is not Outcome.SENT and waited_for and action.state is State.WAIT_MORE_INFO
        done(self.take(action, MailReported(mail, outcome), SYSTEM))
        assert self.current(action).state is (State.TO_DO if lost else action.state)

    @rule(hours=st.integers(1, 100))
    def time_passes(self, hours: int) -> None:
        self.family.now += timedelta(hours=hours)

    @precondition(lambda self: any(each.timer for each in self.family.activities.values()))
    @rule(data=st.data())
    def a_timer_rings(self, data: Any) -> None:
        """A timer in its time always ends what it was armed for; a Case that goes on may get another one."""
        armed = [each for each in self.family.activities.values() if each.timer]
        activity = data.draw(st.sampled_from(armed))
        assert done(self.family.ring(activity))
        assert self.current(activity).timer != activity.timer


def _awaits_answer(action: Activity) -> bool:
    call = task_of(action).call
    return call is not None and action.state is State.WAIT_MORE_INFO and not call.pauses
