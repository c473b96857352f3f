"""`docs/operating.md` lists every setting and every metric that there is."""

from tests.architecture import operating


def test_the_tables_are_those_of_the_code() -> None:
    assert operating.PAGE.read_text() == operating.rewritten(), "run `make tables`"
