"""`docs/transitions.md` says what the Ticket's table does (design §5)."""

from services.activity.domain.tickets import TICKET
from tests.architecture import transition_diagram, transitions


def test_the_page_of_transitions_is_up_to_date() -> None:
    assert transitions.PAGE.read_text() == transitions.page(), "run `make transitions`"


def test_the_drawing_of_transitions_is_up_to_date() -> None:
    assert transition_diagram.DRAWING.read_text() == transitions.picture(), "run `make transitions`"


def test_every_row_that_changes_the_state_is_drawn() -> None:
    """A row that no curve shows would be one to a state without a place in the drawing."""
    drawn = transitions.picture()
    ids = {row.id for row in TICKET if row.to}
    assert ids == {id_ for id_ in ids if f">{id_} " in drawn}
