"""The Ticket's table as a whole: every state meets every step (section 3 of the catalogue, design §5)."""

import pytest

from services.activity.domain.decide import allowed, decide, offered_to
from services.activity.domain.evolving import evolve
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State, Status
from services.activity.domain.step_list import STEPS as ALL_STEPS
from services.activity.domain.steps import Step
from services.activity.domain.tickets import TICKET
from shared.references import ReferenceKind
from tests.unit.activity.tables import (
    assert_only_rows_with_a_choice_share_a_cell,
    assert_row_or_refusal,
    matrix,
)
from tests.unit.activity.tickets import DAY, NO_WINDOW, WINDOW, context, examples, life_for

CATALOGUE = {
    *(f"T{number}" for number in (*range(1, 32), 33, 34, 36, 37)),
    *("T17b", "ST-20", "ST-21", "ST-22", "ST-23", "ST-24", "ST-25"),
    *("AMB-18", "AMB-39", "FB-1", "CE-3", "CE-7", "LK-3", "NT-14", "NT-15", "NT-16", "NT-20", "SH-1"),
    *("SL-1", "CT-20", "CT-21"),
}
"""Every row of the catalogue that the table holds; T32 and T35 are matching's, T38 is the lack of a row."""

STATES = tuple(state for state in State if state is not State.WAIT_PAUSE)
"""A Ticket is never paused (ST-9)."""
OFFERED = offered_to(ReferenceKind.TICKET)
STEPS = tuple(step for step in ALL_STEPS if any(row.step is step for row in TICKET))
# One line per step, one column per state (a wait by what for): the row that answers, or - for a refusal.
CELLS = """
                  NEW  DRAFT  TO_DO  IN_PROGRESS  MORE_INFO  UNTIL   SPLIT   CASE_LAUNCHED  RESOLVED  CLOSED
open              T1   -      -      -            -          -       -       -              -         -
open_from_mail    T2   -      -      -            -          -       -       -              -         -
create            T3   -      -      -            -          -       -       -              -         -
open_from_split   T27  -      -      -            -          -       -       -              -         -
keep_with_me      -    ST-20  ST-20  ST-20        ST-20      ST-20   ST-20   ST-20          ST-20     -
reject_work       -    -      -      T10          -          -       -       -              -         -
next              -    -      T7     ST-24        -          -       -       -              -         -
send_and_resolve  -    -      T20    T20          T20        T20     -       -              -         -
feedback          -    -      FB-1   FB-1         FB-1       FB-1    -       -              T24       FB-1
edit              -    T37    T7     T37          T37        T37     T37     T37            -         -
submit            -    T5     -      -            -          -       -       -              -         -
pick_up           -    -      T7     ST-23        -          -       -       -              -         -
assign            -    ST-21  ST-21  T8           AMB-18     AMB-18  AMB-18  AMB-18         AMB-18    -
set_to_do         -    -      -      T9           -          -       -       -              -         -
wait              -    -      T11    T11          ST-20      ST-20   -       -              -         -
wait_until        -    -      T12    T12          ST-20      ST-20   -       -              -         -
resume            -    -      -      -            T17b       T17b    -       -              -         -
resolve           -    T6     T18    T18          T18        T18     -       -              -         -
reject_as_spam    -    -      T21    T21          -          -       -       -              -         -
reopen            -    -      -      -            -          -       -       -              T25       -
convert           -    -      T30    T30          -          -       -       -              -         -
case_closed       -    -      -      -            -          -       -       T31            -         -
split             -    -      T27    T27          -          -       -       -              -         -
parts_closed      -    -      -      -            -          -       T28     -              -         -
merge_into        -    -      T33    T33          T33        T33     -       -              -         -
merge             -    -      T34    T34          T34        T34     -       -              -         -
set_due_date      -    SL-1   SL-1   SL-1         SL-1       SL-1    -       -              -         -
note              -    ST-22  ST-22  ST-22        ST-22      ST-22   ST-22   ST-22          ST-22     -
reply             -    ST-22  ST-22  ST-22        ST-22      ST-22   ST-22   ST-22          ST-22     -
mark_information  -    ST-25  ST-25  ST-25        ST-25      ST-25   ST-25   ST-25          ST-25     -
link              -    LK-3   LK-3   LK-3         LK-3       LK-3    LK-3    LK-3           LK-3      -
unlink            -    LK-3   LK-3   LK-3         LK-3       LK-3    LK-3    LK-3           LK-3      -
share_mail        -    SH-1   SH-1   SH-1         SH-1       SH-1    SH-1    SH-1           SH-1      -
shared_mail       -    SH-1   SH-1   SH-1         SH-1       SH-1    SH-1    SH-1           SH-1      -
new_from_mail     -    CE-3   CE-3   CE-3         CE-3       CE-3    CE-3    CE-3           CE-3      -
departure         -    CE-7   CE-7   CE-7         CE-7       CE-7    CE-7    CE-7           CE-7      CE-7
exchange_contact  -    CT-20  CT-20  CT-20        CT-20      CT-20   CT-20   CT-20          CT-20     -
erase_contact     -    CT-21  CT-21  CT-21        CT-21      CT-21   CT-21   CT-21          CT-21     -
mail              -    T36    T36    T36          T13        T17     T29     -              T23       -
timer             -    -      -      -            T14        T16     -       -              T26       -
add_file          -    NT-15  NT-15  NT-15        NT-15      NT-15   NT-15   NT-15          NT-15     -
edit_file         -    NT-16  NT-16  NT-16        NT-16      NT-16   NT-16   NT-16          NT-16     -
remove_file       -    NT-20  NT-20  NT-20        NT-20      NT-20   NT-20   NT-20          NT-20     -
mail_report       -    NT-14  NT-14  NT-14        NT-14      NT-14   NT-14   NT-14          NT-14     NT-14
"""
COLUMNS = {state.name.removeprefix("WAIT_"): state for state in STATES}
EXPECTED = {(COLUMNS[column], step): rule for (column, step), rule in matrix(CELLS).items()}


def test_the_table_holds_every_row_of_the_catalogue_and_no_other() -> None:
    assert {row.id for row in TICKET} == CATALOGUE


def test_people_see_six_statuses() -> None:
    """ST-1; a wait says what for (ST-9)."""
    states = [state for state in State if state is not State.NEW]
    assert {state.status for state in states} == set(Status)
    assert len(Status) == 6
    assert all((state.wait_type is not None) is (state.status is Status.WAIT) for state in states)


def test_the_matrix_is_complete() -> None:
    assert EXPECTED.keys() == {(state, step.name) for state in STATES for step in STEPS}
    assert len({step.name for step in STEPS}) == len(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
@pytest.mark.parametrize("state", STATES)
def test_every_state_and_step_is_a_row_or_a_refusal(state: State, step: type[Step]) -> None:
    """ST-1, T38: what is refused names the state and the step; the timer alone is dropped (AMB-44)."""
    life = life_for(step, state)
    if life.ticket and life.ticket.timer:
        life.now = life.ticket.timer.due_at
    wanted, actor = examples(life)[step]
    rule = EXPECTED[state, step.name]

    done = life.take(wanted, actor)

    assert_row_or_refusal(done, rule, TICKET, state, step, "101203-T")


def test_only_rows_with_a_choice_share_a_state_and_a_step() -> None:
    """The first row that holds decides: all but the last of a cell have to choose."""
    assert_only_rows_with_a_choice_share_a_cell(TICKET, STATES)


def test_every_row_leads_where_it_says() -> None:
    """Each row is run from each of its states, whatever its choice wants."""
    reached = set()
    for process in (WINDOW, NO_WINDOW):
        for state in STATES:
            for step in STEPS:
                if (state, process) == (State.RESOLVED, NO_WINDOW):
                    continue
                life = life_for(step, state, process)
                life.now += 10 * DAY
                wanted, actor = examples(life)[step]
                done = decide(life.ticket, wanted, context(actor, process), life.now)
                if isinstance(done, Refusal) or not done:
                    continue
                after = life.ticket
                for event in done:
                    after = evolve(after, event)
                assert after is not None
                rule = done[0].stamp.rule
                rows = [row for row in TICKET if row.id == rule and row.starts(state, step)]
                assert after.state in {row.to or state for row in rows}
                reached.add(rule)
    # They have tests of their own.
    assert CATALOGUE - reached == {"T4", "T15", "T22", "AMB-39", "ST-23", "CE-7"}


@pytest.mark.parametrize("state", [state for state in STATES if state is not State.NEW])
def test_what_is_offered_is_what_would_be_done(state: State) -> None:
    """The steps allowed now, and why others are not, come from the same table."""
    for step in OFFERED:
        life = life_for(step, state)
        wanted, actor = examples(life)[step]
        offers = {offer.step: offer for offer in allowed(life.it, context(actor), life.now)}
        assert offers.keys() == {step.name for step in OFFERED}
        done = decide(life.it, wanted, context(actor), life.now)
        offer = offers[step.name]
        assert offer.allowed is not isinstance(done, Refusal), (state, step)
        if offer.refusal:
            assert isinstance(done, Refusal)
            assert (offer.refusal.code, offer.refusal.sentence) == (done.code, done.sentence)
