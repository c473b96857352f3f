"""`docs/requirements.md`, the code and the tests speak of the same requirements (design §9)."""

from tests.architecture import catalogue


def test_every_requirement_that_code_cites_has_a_row() -> None:
    assert sorted(catalogue.in_code().keys() - catalogue.on_page().keys()) == []


def test_every_row_is_cited_by_code() -> None:
    assert sorted(catalogue.on_page().keys() - catalogue.in_code().keys()) == []


def test_every_row_is_proved_by_a_test() -> None:
    assert sorted(catalogue.on_page().keys() - catalogue.in_tests().keys()) == []


def test_the_column_of_tests_is_up_to_date() -> None:
    assert catalogue.PAGE.read_text() == catalogue.rewritten(), "run `make requirements`"
