"""`docs/transitions.md` says what the Ticket's table does (design §5)."""

from tests.architecture import transitions


def test_the_page_of_transitions_is_up_to_date() -> None:
    assert transitions.PAGE.read_text() == transitions.page(), "run `make transitions`"
