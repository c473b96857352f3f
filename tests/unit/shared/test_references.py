"""References: GL-6, PA-7, AMB-52."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import references
from shared.references import Reference, ReferenceKind

NUMBERS = st.integers(0, 10**18 - 1)
SMALL = st.integers(0, 10**6 - 1)


@given(
    st.one_of(
        st.builds(references.ticket, NUMBERS),
        st.builds(references.case, NUMBERS),
        st.builds(references.action, NUMBERS, SMALL, SMALL),
    )
)
def test_what_is_written_reads_the_same_in_either_case(reference: Reference) -> None:
    assert references.parse(str(reference)) == reference
    assert references.parse(str(reference).lower()) == reference


@pytest.mark.parametrize(
    ("text", "kind", "case"),
    [
        ("101203-T", ReferenceKind.TICKET, None),
        ("10040-C", ReferenceKind.CASE, None),
        ("10040-C-A1.1", ReferenceKind.ACTION, "10040-C"),
    ],
)
def test_a_reference_tells_its_kind_and_its_case(text: str, kind: ReferenceKind, case: str | None) -> None:
    reference = references.parse(text)
    assert reference is not None
    assert reference.kind is kind
    assert str(reference) == text
    assert (str(reference.case) if reference.case else None) == case


def test_a_ticket_has_no_actions() -> None:
    assert references.parse("1-T-A1.1") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "T",
        "-T",
        "1",
        "1-X",
        "1-T-A1.1",
        "1-C-A1",
        "1-C-A.1",
        "1-C-A1.",
        " 1-T",
        "1-T\n",
        "１-T",
        f"{10**18}-T",
    ],
)
def test_anything_else_is_no_reference(text: str) -> None:
    assert references.parse(text) is None


def test_leading_zeros_are_another_spelling_of_the_same() -> None:
    assert str(references.parse("00101203-t")) == "101203-T"
