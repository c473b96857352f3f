"""Cases that run under others: how they begin, what they share, and who waits for whom (CA-4, CA-7, A22)."""

from dataclasses import replace

import pytest
from msgspec import structs

from services.activity.domain.action_steps import CompleteAction
from services.activity.domain.activity import Activity
from services.activity.domain.approval_events import ApprovalAsked
from services.activity.domain.case_steps import Abandon, Complete, Pause, Rework, WaitForAnswer
from services.activity.domain.context import ProcessRules
from services.activity.domain.events import CaseNotStarted, NoSubCase, StatusChanged
from services.activity.domain.flow import ActionType
from services.activity.domain.refusals import Missing, Refusal, StillOpen
from services.activity.domain.states import State, Status
from services.activity.domain.steps import Edit, PickUp
from services.activity.domain.vocabulary import Method, Reason, StartedBy
from services.activity.running_sub_cases import CannotStart
from shared.field_values import FieldValue
from tests.unit.activity.below import starting, stepwise, waiting
from tests.unit.activity.cases import CASE_CREATED, Family, done
from tests.unit.activity.tickets import BOB, ERP, NO_WINDOW, WINDOW

BUY = starting("buy", "equip")
WORK = ActionType(name="work", title="Work")
LATER = ActionType(name="later", title="Later", launched_by_hand=True)


def running(*steps: tuple[ActionType, ...], process: ProcessRules = NO_WINDOW) -> Family:
    """A Case of these steps that has begun."""
    family = Family(process)
    done(family.do(replace(CASE_CREATED, flow=stepwise(*steps)), ERP))
    return family


def finish(family: Family, sub_case: Activity) -> None:
    """Do whatever runs in a Sub-Case."""
    for action in [each for each in family.running if each.parent == sub_case.id]:
        done(family.take(action, CompleteAction(), BOB))


def last(family: Family, activity: Activity) -> StatusChanged:
    return [each for each in family.history[activity.id] if isinstance(each, StatusChanged)][-1]


def test_an_action_starts_a_case_and_is_done_with_that() -> None:
    """C2: the Case is called after the one above, and stands in the queue of its own process."""
    family = running((BUY,))

    (equip,) = family.sub_cases
    buy = family.action("buy")
    assert buy.status is Status.CLOSED
    assert buy.resolution is not None
    assert buy.resolution.method is Method.COMPLETE
    assert (equip.title, equip.process, equip.family) == (family.case.title, "equip", family.case.family)
    assert (equip.parent, equip.bearer, equip.started_by) == (
        family.case.id,
        family.case.id,
        StartedBy.WORKFLOW,
    )
    assert str(equip.reference).endswith("-C")
    assert family.names() == ["order"]
    assert [(each.process, each.by and each.by.activity) for each in family.course.sub_cases] == [
        ("equip", buy.id)
    ]


def test_a_case_does_not_end_before_its_sub_cases() -> None:
    """CA-4, C19."""
    family = running((BUY,), (WORK,))
    family.complete("work")
    assert family.case.status is not Status.CLOSED

    finish(family, family.sub_cases[0])

    assert family.sub_cases[0].status is Status.CLOSED
    assert last(family, family.case).reason is Reason.ALL_ACTIONS_COMPLETED


def test_nobody_resolves_a_case_while_a_sub_case_runs() -> None:
    """AMB-46, CA-4: what is open is listed."""
    family = running((BUY,), (WORK,))
    family.complete("work")

    refused = family.do(Complete())

    assert isinstance(refused, Refusal)
    assert refused.missing == (StillOpen(family.sub_cases[0].reference),)
    assert str(refused.missing[0]) == f"cases.{family.sub_cases[0].reference}"


def test_a_sub_case_that_may_come_back_is_waited_for_until_it_is_closed() -> None:
    """CA-4, C22: its feedback window is its own."""
    family = running((BUY,), process=WINDOW)
    finish(family, family.sub_cases[0])
    assert (family.sub_cases[0].status, family.case.status) == (Status.RESOLVED, Status.TO_DO)

    done(family.ring(family.sub_cases[0]))

    assert (family.sub_cases[0].status, family.case.status) == (Status.CLOSED, Status.RESOLVED)


def test_an_action_waits_for_the_sub_cases_that_run_and_is_done_with_the_last() -> None:
    """A22."""
    family = running((BUY, starting("again", "equip")), (waiting("hold"),), (WORK,))
    assert family.action("hold").state is State.WAIT_MORE_INFO

    for sub_case in family.sub_cases:
        assert family.action("hold").status is Status.WAIT
        finish(family, sub_case)

    assert last(family, family.action("hold")).reason is Reason.SUB_CASE_COMPLETED
    assert family.names() == ["work"]


def test_an_action_waits_for_those_of_its_process_alone() -> None:
    family = running((starting("badge", "badge"), BUY), (waiting("hold", "badge"),))
    badge = next(each for each in family.sub_cases if each.process == "badge")

    finish(family, badge)

    assert family.action("hold").status is Status.CLOSED
    assert [each.process for each in family.course.sub_cases] == ["equip"]


def test_where_none_has_begun_people_see_to_the_action_until_one_does() -> None:
    """A22: it goes on to wait once somebody has started one."""
    family = running((waiting("hold", "equip"),))
    hold = family.action("hold")
    assert (hold.state, hold.new_information) == (State.TO_DO, True)
    assert (
        NoSubCase(stamp=family.history[hold.id][1].stamp, reason=Reason.SUB_CASE_NOT_YET_STARTED)
        in family.history[hold.id]
    )

    done(family.start("equip"))
    assert family.action("hold").state is State.WAIT_MORE_INFO

    finish(family, family.sub_cases[0])
    assert family.action("hold").status is Status.CLOSED


def test_where_all_have_ended_people_see_to_the_action() -> None:
    """A22."""
    family = running((BUY, LATER), (WORK,), (waiting("hold"),))
    finish(family, family.sub_cases[0])
    family.complete("work")

    hold = family.action("hold")
    assert hold.state is State.TO_DO
    told = [each for each in family.history[hold.id] if isinstance(each, NoSubCase)]
    assert [each.reason for each in told] == [Reason.SUB_CASE_COMPLETED]


def test_who_works_on_the_action_learns_that_the_sub_cases_have_ended() -> None:
    """A22: it is not taken out of his hands."""
    family = running((waiting("hold", "equip"),))
    done(family.on("hold", PickUp(), BOB))
    done(family.start("equip"))
    assert family.action("hold").state is State.IN_PROGRESS

    finish(family, family.sub_cases[0])

    hold = family.action("hold")
    assert (hold.state, hold.holders.assignee, hold.new_information) == (State.IN_PROGRESS, "bob", True)


def test_to_wait_for_what_does_not_run_is_to_be_done() -> None:
    """A22: set to wait by hand, it is closed at once."""
    family = running((waiting("hold"),))

    done(family.on("hold", WaitForAnswer()))

    assert family.action("hold").status is Status.CLOSED
    assert family.case.status is Status.CLOSED


def test_a_sub_case_that_is_abandoned_counts_as_done_and_the_action_says_so() -> None:
    """A22, AMB-16."""
    family = running((BUY,), (waiting("hold"),))

    done(family.take(family.sub_cases[0], Abandon()))

    assert last(family, family.action("hold")).reason is Reason.SUB_CASE_CANCELLED
    assert family.case.status is Status.CLOSED


def test_who_abandons_a_case_abandons_all_under_it() -> None:
    """AMB-51, C23, A13: each with a history of its own."""
    family = running((starting("badge", "badge"), BUY, WORK))

    done(family.do(Abandon()))

    assert {each.status for each in family.activities.values()} == {Status.CLOSED}
    for sub_case in family.sub_cases:
        assert (last(family, sub_case).reason, last(family, sub_case).method) == (
            Reason.CANCELLED,
            Method.CANCELLED,
        )
    assert family.course.sub_cases == ()


@pytest.mark.parametrize("too", [True, False])
def test_a_rework_ends_sub_cases_only_where_that_is_wanted(too: bool) -> None:
    """C17: the Action that starts one starts another one."""
    family = running((BUY, WORK))

    done(family.do(Rework(1, sub_cases_too=too)))

    first, second = family.sub_cases
    assert (first.status is Status.CLOSED) is too
    assert second.status is Status.TO_DO
    assert len(family.course.sub_cases) == 2 - too
    if too:
        assert last(family, first).reason is Reason.REWORK


def test_an_action_whose_sub_cases_a_rework_ended_waits_no_more() -> None:
    """A22, C17: also one that was launched by hand, and goes on beside the rework."""
    hold = structs.replace(waiting("hold"), launched_by_hand=True)
    family = running((BUY, WORK), (hold,))
    family.launch("hold")
    assert family.action("hold").state is State.WAIT_MORE_INFO

    done(family.do(Rework(1, action="work", sub_cases_too=True)))

    assert last(family, family.action("hold")).reason is Reason.SUB_CASE_CANCELLED


def test_what_runs_under_a_sub_case_that_a_rework_ended_is_reworked() -> None:
    """A12, C17."""
    family = running((BUY, WORK))
    order = family.action("order")

    done(family.do(Rework(1, sub_cases_too=True)))

    assert last(family, order).reason is Reason.REWORK


def test_while_a_case_waits_nobody_starts_one_under_it() -> None:
    """CA-3."""
    family = running((WORK,))
    done(family.do(PickUp()))
    done(family.do(Pause()))

    assert isinstance(family.start("equip"), Refusal)


def test_a_case_under_a_sub_case_shares_with_the_one_at_the_top() -> None:
    """CA-7, CA-4: all of them wait for the lowest."""
    family = running((BUY,))
    equip = family.sub_cases[0]

    done(family.start("badge", under=equip))

    badge = family.sub_cases[1]
    assert (badge.parent, badge.bearer) == (equip.id, family.case.id)
    assert {each.bearer for each in family.running} == {family.case.id}
    family.complete("order")
    assert family.sub_cases[0].status is Status.TO_DO
    family.complete("print")
    assert {each.status for each in family.activities.values()} == {Status.CLOSED}


@pytest.mark.parametrize("go", [True, False])
def test_conditions_of_a_sub_case_see_what_the_case_at_the_top_has_now(go: bool) -> None:
    """CA-7: custom data are shared live."""
    family = running((starting("buy", "parcel"),))

    done(family.do(Edit(fields=(FieldValue("go", go),))))
    family.complete("pack")

    assert family.names() == (["send"] if go else [])
    assert family.sub_cases[0].fields == ()


@pytest.mark.parametrize(("go", "asked"), [(True, "alice"), (False, "bob")])
def test_levels_of_an_approval_in_a_sub_case_see_it_too(go: bool, asked: str) -> None:
    """CA-7, A25: by the flow of the Sub-Case, and the fields of the Case at the top."""
    flow = stepwise((starting("buy", "agreed"),))
    family = Family(NO_WINDOW)
    done(family.do(replace(CASE_CREATED, flow=flow, fields=(FieldValue("go", go),)), ERP))

    agree = family.action("agree")

    assert [each.approvers for each in family.history[agree.id] if isinstance(each, ApprovalAsked)] == [
        (asked,)
    ]


@pytest.mark.parametrize(
    ("process", "code"),
    [
        ("nothing", "unknown_name"),
        ("question", "other_kind"),
        ("drafted", "not_startable"),
        ("abroad", "other_company"),
        ("it-requests", "cycle_of_sub_cases"),
    ],
)
def test_what_cannot_begin_is_told_to_people_and_the_case_goes_on(process: str, code: str) -> None:
    """C2, CA-7, GL-5: the Action that should have started it is theirs; by hand it is refused."""
    family = running((starting("buy", process),))

    buy = family.action("buy")
    assert (buy.state, buy.new_information) == (State.TO_DO, True)
    (told,) = [each for each in family.history[buy.id] if isinstance(each, CaseNotStarted)]
    assert process in told.why
    with pytest.raises(CannotStart) as cannot:
        family.start(process)
    assert cannot.value.code == code
    family.complete("buy")
    assert family.case.status is Status.CLOSED


def test_a_case_that_lacks_what_its_process_wants_does_not_begin() -> None:
    """CA-2, C3: "Make Contacts Mandatory" asks for the contacts that both have."""
    family = Family(replace(NO_WINDOW, contacts_mandatory=False))
    done(family.do(replace(CASE_CREATED, flow=stepwise((starting("buy", "badge"),)), contacts=()), ERP))

    (told,) = [each for each in family.history[family.action("buy").id] if isinstance(each, CaseNotStarted)]
    assert told.why.endswith("does not begin without a primary contact, a requester.")
    refused = family.start("badge")
    assert isinstance(refused, Refusal)
    assert Missing.PRIMARY_CONTACT in refused.missing
