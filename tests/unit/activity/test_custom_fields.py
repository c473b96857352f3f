"""Custom fields: each type takes what it is for, and says of the rest what is wrong (BK-14, BK-15, BK-16)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activity.domain.custom_fields import after, changed
from shared.contracts.field_types import FieldType
from shared.field_values import FieldRule, FieldValue, Given, Value, empty, read

OPTIONS = ("Low", "High", "Hardware / Printer", "Hardware / Printer / Toner")
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=300),
    st.decimals().map(str),
    st.datetimes().map(str),
    st.dates().map(str),
    st.emails(),
    st.sampled_from(OPTIONS),
)
SUPPORTED = [type_ for type_ in FieldType if type_ not in (FieldType.TABLE, FieldType.ENTITY_RELATIONSHIP)]


def rule(type_: FieldType, *, mandatory: bool = False) -> FieldRule:
    return FieldRule("field", "Field", type_, OPTIONS, mandatory)


def kept(type_: FieldType, value: Given) -> Value | None:
    (found,), faults = read([rule(type_)], {"field": value})
    assert not faults
    return found.value


def wrong(type_: FieldType, value: Given) -> str:
    found, (fault,) = read([rule(type_)], {"field": value})
    assert not found
    assert (fault.field, fault.type) == ("field", type_.value)
    assert fault.sentence.startswith(f"field ({type_.value}): ")
    return fault.wrong


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        (FieldType.CHECK_BOX, True, True),
        (FieldType.CHECK_BOX, False, False),
        (FieldType.DATE, "2026-11-22", "2026-11-22"),
        (FieldType.DATE, "2026-11-22T14:30:00+02:00", "2026-11-22"),
        (FieldType.DATE_TIME, "2026-11-22T14:30:00+02:00", "2026-11-22T12:30:00Z"),
        (FieldType.DECIMAL, "12.50", "12.5"),
        (FieldType.DECIMAL, 0.1, "0.1"),
        (FieldType.DECIMAL, "-0.00", "0"),
        (FieldType.DECIMAL, 1200, "1200"),
        (FieldType.EMAIL, " jane@example.com ", "jane@example.com"),
        (FieldType.HYPERLINK, "https://example.com/a?b=c", "https://example.com/a?b=c"),
        (FieldType.LIST, "Low", "Low"),
        (FieldType.MULTI_LEVEL_LIST, "Hardware/Printer", "Hardware / Printer"),
        (FieldType.MULTI_LEVEL_LIST, "Hardware / Printer / Toner", "Hardware / Printer / Toner"),
        (FieldType.SHORT_TEXT, " one line ", "one line"),
        (FieldType.LONG_TEXT, "two\nlines", "two\nlines"),
        (FieldType.WHOLE_NUMBER, 42, 42),
        (FieldType.WHOLE_NUMBER, "-42", -42),
        (FieldType.SHORT_TEXT, "  ", None),
        (FieldType.CHECK_BOX, None, None),
    ],
)
def test_a_type_keeps_what_it_is_for_in_one_form(
    type_: FieldType, value: Given, expected: Value | None
) -> None:
    """BK-14, AMB-27."""
    found = kept(type_, value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("type_", "value", "said"),
    [
        (FieldType.CHECK_BOX, "yes", "true or false"),
        (FieldType.CHECK_BOX, 1, "true or false"),
        (FieldType.DATE, "22.11.2026", "a date"),
        (FieldType.DATE, 20261122, "a date"),
        (FieldType.DATE_TIME, "2026-11-22T14:30:00", "offset"),
        (FieldType.DATE_TIME, "0001-01-01T00:00:00+10:00", "calendar"),
        (FieldType.DECIMAL, "twelve", "a number"),
        (FieldType.DECIMAL, "1e999999", "digits"),
        (FieldType.DECIMAL, float("inf"), "a number"),
        (FieldType.DECIMAL, True, "a number"),
        (FieldType.EMAIL, "jane", "an address"),
        (FieldType.EMAIL, "a" * 250 + "@b.de", "254"),
        (FieldType.HYPERLINK, "javascript:alert(1)", "http"),
        (FieldType.HYPERLINK, "http://", "http"),
        (FieldType.LIST, "Middle", "options"),
        (FieldType.MULTI_LEVEL_LIST, "Hardware", "options"),
        (FieldType.SHORT_TEXT, "two\nlines", "one line"),
        (FieldType.SHORT_TEXT, "a" * 256, "255"),
        (FieldType.LONG_TEXT, "a" * 100_001, "100000"),
        (FieldType.LONG_TEXT, "a\x00b", "NUL"),
        (FieldType.WHOLE_NUMBER, 1.5, "whole number"),
        (FieldType.WHOLE_NUMBER, 1 << 63, "64 bits"),
        (FieldType.TABLE, "a", "not supported"),
        (FieldType.ENTITY_RELATIONSHIP, None, "not supported"),
    ],
)
def test_what_a_type_does_not_take_is_refused_with_field_type_and_reason(
    type_: FieldType, value: Given, said: str
) -> None:
    """BK-14, BK-15."""
    assert said in wrong(type_, value)


def test_every_fault_is_told_at_once_and_none_repeats_the_value() -> None:
    rules = [FieldRule("age", "Age", FieldType.WHOLE_NUMBER), FieldRule("due", "Due", FieldType.DATE)]
    _, faults = read(rules, {"age": "old secret", "due": "soon secret", "colour": "secret"})
    assert [(fault.field, fault.type) for fault in faults] == [
        ("age", "whole_number"),
        ("colour", None),
        ("due", "date"),
    ]
    assert not any("secret" in fault.sentence for fault in faults)


@given(st.sampled_from(SUPPORTED), ANYTHING)
def test_any_value_is_kept_or_refused_and_what_was_kept_is_kept_again(type_: FieldType, value: Given) -> None:
    found, faults = read([rule(type_)], {"field": value})
    assert len(found) + len(faults) == 1
    for each in found:
        assert kept(type_, each.value) == each.value


@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.booleans(), st.integers(0, 1)))))
def test_changes_that_change_nothing_are_none(given: list[tuple[str, Value | None]]) -> None:
    present: tuple[FieldValue, ...] = ()
    for name, value in given:
        changes = changed(present, [FieldValue(name, value)])
        present = after(present, changes)
        assert not changed(present, [FieldValue(name, value)])
        assert [each.name for each in present] == sorted({each.name for each in present})
        assert all(each.value is not None for each in present)


def test_a_mandatory_field_is_empty_until_something_stands_in_it() -> None:
    """BK-16. An unticked box is an answer, too."""
    box = rule(FieldType.CHECK_BOX, mandatory=True)
    assert empty([box], ()) == (box,)
    assert empty([box], [FieldValue("field", False)]) == ()
    assert empty([rule(FieldType.CHECK_BOX)], ()) == ()
