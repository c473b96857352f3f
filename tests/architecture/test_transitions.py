"""`docs/transitions.md` says what the tables of Tickets, Cases and Actions do (design §5)."""

import pytest

from services.activity.domain.decide import TABLES
from tests.architecture.transitions import KINDS, PAGE, Kind, page, picture

EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def test_the_page_of_transitions_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `make transitions`"


def test_the_page_has_the_table_of_every_kind() -> None:
    assert [kind.table for kind in KINDS] == [*TABLES.values()]


@EACH
def test_the_drawing_of_transitions_is_up_to_date(kind: Kind) -> None:
    assert kind.drawing.read_text() == picture(kind), "run `make transitions`"


@EACH
def test_every_row_that_changes_the_state_is_drawn(kind: Kind) -> None:
    """A row that no curve shows would be one to a state without a place in the drawing."""
    drawn = picture(kind)
    ids = {row.id for row in kind.table if row.to}
    assert ids == {id_ for id_ in ids if f">{id_} " in drawn}
