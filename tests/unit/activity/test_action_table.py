"""The Action's table as a whole: every state meets every step (section 5 of the catalogue, design §5)."""

from functools import reduce

import pytest

from services.activity.domain.actions import ACTION
from services.activity.domain.decide import allowed, decide, offered_to
from services.activity.domain.evolving import evolve
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State
from services.activity.domain.step_list import STEPS as ALL_STEPS
from services.activity.domain.steps import Step
from shared.references import ReferenceKind
from tests.unit.activity.case_states import ACTIONS, action_examples, action_for
from tests.unit.activity.tables import (
    assert_only_rows_with_a_choice_share_a_cell,
    assert_row_or_refusal,
    matrix,
)
from tests.unit.activity.tickets import context

CATALOGUE = {
    *(f"A{number}" for number in (*range(1, 14), 15, *range(20, 26))),
    *("T34", "ST-20", "ST-21", "ST-22", "ST-23", "ST-24", "ST-25", "AMB-18", "AMB-39", "SL-1", "CA-1"),
    *("CE-3", "CE-7", "CT-21", "NT-14"),
}
"""Every row of the catalogue that the table holds.

A14, a mail for what is closed, is matching's. Links,
shared mails, contacts and files are the Case's (LK-1).
"""

STATES = tuple(ACTIONS)
STEPS = tuple(step for step in ALL_STEPS if any(row.step is step for row in ACTION))
OFFERED = offered_to(ReferenceKind.ACTION)
# One line per step, one column per state (a wait by what for): the row that answers, or - for a refusal.
CELLS = """
                  NEW  TO_DO  IN_PROGRESS  MORE_INFO  UNTIL   CLOSED
launch_action     A1   -      -            -          -       -
send_itself       -    A20    -            -          -       -
start_case        -    CA-1   -            -          -       -
await_sub_cases   -    A22    -            -          -       -
sub_cases_ended   -    A22    A22          A22        A22     -
call_out          -    A23    -            -          -       -
answer_call       -    -      -            A23        -       -
ask_approvers     -    A25    -            A25        -       -
approve           -    -      -            A25        -       -
decline           -    -      -            A25        -       -
end_approved      -    -      -            A25        -       -
pick_up           -    A2     ST-23        -          -       -
next              -    A2     ST-24        -          -       -
answer_checklist  -    A2     A10          A10        A10     -
assign            -    ST-21  A3           AMB-18     AMB-18  -
set_to_do         -    -      A3           -          -       -
reject_work       -    -      A3           -          -       -
keep_with_me      -    ST-20  ST-20        ST-20      ST-20   -
set_due_date      -    SL-1   SL-1         SL-1       SL-1    -
wait              -    A4     A4           ST-20      ST-20   -
wait_until        -    A5     A5           ST-20      ST-20   -
resume            -    -      -            A9         A9      -
complete          -    A10    A10          A10        A10     -
give_up           -    A11    A11          A11        A11     -
close_with_case   -    A12    A12          A12        A12     -
mail              -    A15    A15          A6         A8      -
timer             -    -      -            A23        A7      -
merge             -    T34    T34          T34        T34     -
note              -    ST-22  ST-22        ST-22      ST-22   -
reply             -    ST-22  ST-22        ST-22      ST-22   -
mark_information  -    ST-25  ST-25        ST-25      ST-25   -
new_from_mail     -    CE-3   CE-3         CE-3       CE-3    -
departure         -    CE-7   CE-7         CE-7       CE-7    CE-7
erase_contact     -    CT-21  CT-21        CT-21      CT-21   -
mail_report       -    NT-14  NT-14        NT-14      NT-14   NT-14
"""
COLUMNS = {state.name.removeprefix("WAIT_"): state for state in STATES}
EXPECTED = {(COLUMNS[column], step): rule for (column, step), rule in matrix(CELLS).items()}


def test_the_table_holds_every_row_of_the_catalogue_and_no_other() -> None:
    assert {row.id for row in ACTION} == CATALOGUE


def test_the_matrix_is_complete() -> None:
    """ST-13: an Action is no Draft, is never paused, and does not rest in Resolved."""
    never = {State.DRAFT, State.WAIT_PAUSE, State.WAIT_SPLIT, State.WAIT_CASE_LAUNCHED, State.RESOLVED}
    assert {*STATES} == {*State} - never
    assert EXPECTED.keys() == {(state, step.name) for state in STATES for step in STEPS}
    assert len({step.name for step in STEPS}) == len(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_state_and_step_is_a_row_or_a_refusal(step: type[Step]) -> None:
    """What is refused names the state and the step (A14); the timer alone is dropped (AMB-44)."""
    for state in STATES:
        family, found = action_for(step, state)
        wanted, actor = action_examples(family, found)[step]
        rule = EXPECTED[state, step.name]

        done = decide(found, wanted, context(actor, family.rules(found, wanted)), family.now)

        reference = str(found.reference) if found else ""
        assert_row_or_refusal(done, rule, ACTION, state, step, reference)


def test_only_rows_with_a_choice_share_a_state_and_a_step() -> None:
    """The first row that holds decides: all but the last of a cell have to choose."""
    assert_only_rows_with_a_choice_share_a_cell(ACTION)


def test_every_row_leads_where_it_says() -> None:
    """Each row is run from each of its states, whatever its choice wants."""
    reached = set()
    for state in STATES:
        for step in STEPS:
            family, found = action_for(step, state)
            wanted, actor = action_examples(family, found)[step]
            done = decide(found, wanted, context(actor, family.rules(found, wanted)), family.now)
            if isinstance(done, Refusal) or not done:
                continue
            after = reduce(evolve, done, found)
            assert after is not None
            rule = done[0].stamp.rule
            rows = [row for row in ACTION if row.id == rule and row.starts(state, step)]
            assert after.state in {row.to or state for row in rows}
            reached.add(rule)
    # They have tests of their own.
    assert CATALOGUE - reached == {"A13", "A21", "A24", "AMB-39", "CE-7", "ST-23"}


@pytest.mark.parametrize("state", [state for state in STATES if state is not State.NEW])
def test_what_is_offered_is_what_would_be_done(state: State) -> None:
    """The steps allowed now, and why others are not, come from the same table."""
    for step in OFFERED:
        family, found = action_for(step, state)
        assert found is not None
        wanted, actor = action_examples(family, found)[step]
        offers = {
            offer.step: offer
            for offer in allowed(found, context(actor, family.rules(found, wanted)), family.now)
        }
        assert offers.keys() == {step.name for step in OFFERED}
        done = decide(found, wanted, context(actor, family.rules(found, wanted)), family.now)
        offer = offers[step.name]
        assert offer.allowed is not isinstance(done, Refusal), (state, step)
        if offer.refusal:
            assert isinstance(done, Refusal)
            assert (offer.refusal.code, offer.refusal.sentence) == (done.code, done.sentence)
