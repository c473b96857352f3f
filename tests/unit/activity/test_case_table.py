"""The Case's table as a whole: every state meets every step (section 4 of the catalogue, design §5)."""

from functools import reduce

import pytest

from services.activity.domain.activity import Activity
from services.activity.domain.cases import CASE
from services.activity.domain.decide import allowed, decide, offered_to
from services.activity.domain.evolving import evolve
from services.activity.domain.refusals import Missing, Refusal
from services.activity.domain.states import State
from services.activity.domain.step_list import STEPS as ALL_STEPS
from services.activity.domain.steps import Step
from services.activity.domain.work_steps import TakeNext
from shared.references import ReferenceKind
from tests.unit.activity.case_states import CASE_STATES, case_examples, case_for
from tests.unit.activity.cases import Family
from tests.unit.activity.tables import (
    assert_only_rows_with_a_choice_share_a_cell,
    assert_row_or_refusal,
    matrix,
)
from tests.unit.activity.tickets import DAY, NO_WINDOW, ROBOT, WINDOW, context

CATALOGUE = {
    *(f"C{number}" for number in range(1, 25)),
    *("C14b", "C16b", "CA-4", "CA-6", "CA-7", "A1", "A6", "A10", "A23", "AMB-51"),
    *("T34", "ST-20", "ST-21", "ST-22", "ST-23", "ST-25", "AMB-18", "AMB-39", "FB-1", "SL-1"),
    *("CE-3", "CE-7", "LK-3", "NT-14", "NT-15", "NT-16", "NT-20", "SH-1", "CT-20", "CT-21"),
}
"""Every row of the catalogue that the table holds.

C25, a mail for what is closed, is matching's. A1, A6, A10 and A23 are what Actions make of their Case.
"""

STEPS = tuple(step for step in ALL_STEPS if any(row.step is step for row in CASE))
OFFERED = offered_to(ReferenceKind.CASE)
# One line per step, one column per state (To Do with attention beside it): the row that answers, or - for a
# refusal.
CELLS = """
                  NEW  DRAFT  TO_DO  ATTENTION  IN_PROGRESS  MORE_INFO  UNTIL   PAUSE   RESOLVED  CLOSED
open              C1   -      -      -          -            -          -       -       -         -
open_from_mail    C2   -      -      -          -            -          -       -       -         -
create            C2   -      -      -          -            -          -       -       -         -
open_from_ticket  C2   -      -      -          -            -          -       -       -         -
open_sub_case     C2   -      -      -          -            -          -       -       -         -
start_sub_case    -    -      CA-4   CA-4       CA-4         -          -       -       -         -
sub_case_ended    -    -      CA-4   CA-4       CA-4         CA-4       CA-4    CA-4    CA-4      -
edit_shared       -    -      CA-7   CA-7       CA-7         CA-7       CA-7    CA-7    -         -
close_with_case   -    AMB-51 AMB-51 AMB-51     AMB-51       AMB-51     AMB-51  AMB-51  AMB-51    -
edit              -    C4     C4     C4         C4           C4         C4      C4      -         -
submit            -    C3     -      -          -            -          -       -       -         -
pick_up           -    -      C4     C9         ST-23        -          -       -       -         -
next              -    -      C4     C4         -            -          -       -       -         -
assign            -    ST-21  ST-21  ST-21      C5           AMB-18     AMB-18  AMB-18  AMB-18    -
set_to_do         -    -      -      -          C5           -          -       -       -         -
keep_with_me      -    ST-20  ST-20  ST-20      ST-20        ST-20      ST-20   ST-20   ST-20     -
set_due_date      -    SL-1   SL-1   SL-1       SL-1         SL-1       SL-1    SL-1    -         -
wait              -    -      C11    C11        C11          ST-20      ST-20   ST-20   -         -
wait_until        -    -      C12    C12        C12          ST-20      ST-20   ST-20   -         -
pause             -    -      C13    C8         C13          ST-20      ST-20   -       -         -
resume            -    -      -      -          -            C16        C16     C16     -         -
launch            -    -      CA-6   C10        CA-6         -          -       -       -         -
rework            -    -      C17    C7         C17          C17        C17     C17     -         -
resolve           -    C20    C18    C18        C18          -          -       -       -         -
reopen            -    -      -      -          -            -          -       -       C21       -
abandon           -    C23    C23    C23        C23          C23        C23     C23     C23       -
feedback          -    -      FB-1   FB-1       FB-1         FB-1       FB-1    FB-1    C21       FB-1
enter_step        -    -      A1     A1         A1           -          -       -       -         -
action_ended      -    -      A10    A10        A10          A10        A10     A10     A10       -
action_answered   -    -      A6     A6         A6           C14b       A6      A6      A6        -
take_fields       -    -      A23    A23        A23          A23        A23     A23     A23       -
way_lost          -    -      C6     C6         C6           -          -       -       -         -
finish            -    -      C18    C18        C18          -          -       -       -         -
mail              -    C24    C24    C24        C24          C14        C16b    C16b    C21       -
timer             -    -      -      -          -            -          C15     -       C22       -
merge             -    -      T34    T34        T34          T34        T34     T34     -         -
note              -    ST-22  ST-22  ST-22      ST-22        ST-22      ST-22   ST-22   ST-22     -
reply             -    ST-22  ST-22  ST-22      ST-22        ST-22      ST-22   ST-22   ST-22     -
mark_information  -    ST-25  ST-25  ST-25      ST-25        ST-25      ST-25   ST-25   ST-25     -
link              -    LK-3   LK-3   LK-3       LK-3         LK-3       LK-3    LK-3    LK-3      -
unlink            -    LK-3   LK-3   LK-3       LK-3         LK-3       LK-3    LK-3    LK-3      -
share_mail        -    SH-1   SH-1   SH-1       SH-1         SH-1       SH-1    SH-1    SH-1      -
shared_mail       -    SH-1   SH-1   SH-1       SH-1         SH-1       SH-1    SH-1    SH-1      -
new_from_mail     -    CE-3   CE-3   CE-3       CE-3         CE-3       CE-3    CE-3    CE-3      -
departure         -    CE-7   CE-7   CE-7       CE-7         CE-7       CE-7    CE-7    CE-7      CE-7
exchange_contact  -    CT-20  CT-20  CT-20      CT-20        CT-20      CT-20   CT-20   CT-20     -
erase_contact     -    CT-21  CT-21  CT-21      CT-21        CT-21      CT-21   CT-21   CT-21     -
add_file          -    NT-15  NT-15  NT-15      NT-15        NT-15      NT-15   NT-15   NT-15     -
edit_file         -    NT-16  NT-16  NT-16      NT-16        NT-16      NT-16   NT-16   NT-16     -
remove_file       -    NT-20  NT-20  NT-20      NT-20        NT-20      NT-20   NT-20   NT-20     -
mail_report       -    NT-14  NT-14  NT-14      NT-14        NT-14      NT-14   NT-14   NT-14     NT-14
"""
EXPECTED = matrix(CELLS)


def present(family: Family) -> Activity | None:
    return family.case if family.activities else None


def test_the_table_holds_every_row_of_the_catalogue_and_no_other() -> None:
    assert {row.id for row in CASE} == CATALOGUE


def test_the_matrix_is_complete() -> None:
    """A Case is never split nor converted; what a step is called is clear where its kind is."""
    assert {*CASE_STATES.values()} == {*State} - {State.WAIT_SPLIT, State.WAIT_CASE_LAUNCHED}
    assert EXPECTED.keys() == {(state, step.name) for state in CASE_STATES for step in STEPS}
    assert len({step.name for step in STEPS}) == len(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_state_and_step_is_a_row_or_a_refusal(step: type[Step]) -> None:
    """What is refused names the state and the step (C25); the timer alone is dropped (AMB-44)."""
    for state in CASE_STATES:
        family = case_for(step, state)
        wanted, actor = case_examples(family)[step]
        rule, stands = EXPECTED[state, step.name], CASE_STATES[state]

        done = decide(present(family), wanted, context(actor), family.now)

        assert_row_or_refusal(done, rule, CASE, stands, step, "10040-C")


def test_only_rows_with_a_choice_share_a_state_and_a_step() -> None:
    """The first row that holds decides: all but the last of a cell have to choose."""
    assert_only_rows_with_a_choice_share_a_cell(CASE)


def test_every_row_leads_where_it_says() -> None:
    """Each row is run from each of its states, whatever its choice wants."""
    reached = set()
    for process in (WINDOW, NO_WINDOW):
        for state, stands in CASE_STATES.items():
            if process is NO_WINDOW and state not in ("DRAFT", "TO_DO", "ATTENTION", "IN_PROGRESS"):
                continue
            for step in STEPS:
                family = case_for(step, state)
                family.now += 10 * DAY
                wanted, actor = case_examples(family)[step]
                before = present(family)
                done = decide(before, wanted, context(actor, process), family.now)
                if isinstance(done, Refusal) or not done:
                    continue
                after = reduce(evolve, done, before)
                assert after is not None
                rule = done[0].stamp.rule
                rows = [row for row in CASE if row.id == rule and row.starts(stands, step)]
                assert after.state in {row.to or stands for row in rows}
                reached.add(rule)
    # They have tests of their own, and A6 does nothing.
    assert CATALOGUE - reached == {"A6", "AMB-39", "CE-7", "ST-23"}


@pytest.mark.parametrize("state", [state for state in CASE_STATES if state != "NEW"])
def test_what_is_offered_is_what_would_be_done(state: str) -> None:
    """The steps allowed now, and why others are not, come from the same table."""
    for step in OFFERED:
        family = case_for(step, state)
        wanted, actor = case_examples(family)[step]
        offers = {offer.step: offer for offer in allowed(family.case, context(actor), family.now)}
        assert offers.keys() == {step.name for step in OFFERED}
        done = decide(family.case, wanted, context(actor), family.now)
        offer = offers[step.name]
        assert offer.allowed is not isinstance(done, Refusal), (state, step)
        if offer.refusal:
            assert isinstance(done, Refusal)
            assert (offer.refusal.code, offer.refusal.sentence) == (done.code, done.sentence)


@pytest.mark.parametrize("state", ["TO_DO", "ATTENTION"])
def test_no_robot_is_given_a_case_as_its_next_work(state: str) -> None:
    """ST-24."""
    family = case_for(TakeNext, state)
    done = decide(family.case, TakeNext(), context(ROBOT), family.now)
    assert isinstance(done, Refusal)
    assert done.missing == (Missing.PERSON,)
