"""`docs/requirements.md`, the code and the tests speak of the same requirements (design §9)."""

from itertools import groupby

from tests.architecture import catalogue
from tests.architecture.catalogue import natural


def test_every_requirement_that_code_cites_has_a_row() -> None:
    assert sorted(catalogue.in_code().keys() - catalogue.on_page().keys()) == []


def test_every_row_is_cited_by_code() -> None:
    assert sorted(catalogue.on_page().keys() - catalogue.in_code().keys()) == []


def test_every_row_is_proved_by_a_test() -> None:
    assert sorted(catalogue.on_page().keys() - catalogue.in_tests().keys()) == []


def test_the_column_of_tests_is_up_to_date() -> None:
    assert catalogue.PAGE.read_text() == catalogue.rewritten(), "run `make requirements`"


def test_every_requirement_has_one_row_in_its_place() -> None:
    tables = catalogue.tables()
    names = [name for table in tables for name in table]
    assert len(names) == len(set(names))
    for table in tables:
        kinds = [kind for kind, _ in groupby(natural(name)[0] for name in table)]
        assert table == sorted(table, key=lambda name: (kinds.index(natural(name)[0]), natural(name)))
