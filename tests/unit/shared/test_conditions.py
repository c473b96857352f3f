"""Conditions on custom fields: what they say, what is wrong with them, and that they do no harm."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conditions import ConditionFailed, check, holds, written
from shared.contracts.activity_organisation import Column, CustomField, FieldType

FIELDS = (
    CustomField(name="amount", title="Amount", type=FieldType.DECIMAL),
    CustomField(name="copies", title="Copies", type=FieldType.WHOLE_NUMBER),
    CustomField(name="remote", title="Works from home", type=FieldType.CHECK_BOX),
    CustomField(name="start-date", title="First day", type=FieldType.DATE),
    CustomField(name="seen.at", title="Seen at", type=FieldType.DATE_TIME),
    CustomField(name="site", title="Site", type=FieldType.LIST, options=("Antwerp", "Ghent")),
    CustomField(name="note", title="Note", type=FieldType.LONG_TEXT),
    CustomField(
        name="items",
        title="Items",
        type=FieldType.TABLE,
        columns=(Column(name="a", title="A", type=FieldType.SHORT_TEXT),),
    ),
)
FILLED: dict[str, bool | int | str] = {
    "amount": "1200.50",
    "copies": 3,
    "remote": True,
    "start-date": "2027-03-01",
    "seen.at": "2027-03-01T10:00:00Z",
    "site": "Antwerp",
    "note": "a laptop, and a bag",
}


@pytest.mark.parametrize(
    "text",
    [
        'site == "Antwerp"',
        "site != 'Ghent'",
        'site in ["Antwerp", "Ghent"]',
        'not site in ["Ghent"]',
        'site not in ["Ghent"]',
        "remote",
        "remote == true",
        "not (remote and copies == 4)",
        "(amount ?? 0) > 1000",
        "(amount ?? 0) <= 1200.5",
        "amount == 1200.50",
        "(copies ?? 0) > -1",
        '(start_date ?? d"2000-01-01") >= d"2027-03-01"',
        'start_date == d"2027-03-01"',
        '(seen_at ?? d"2000-01-01") > d"2027-03-01T10:30:00+01:00"',
        '"laptop" in (note ?? "")',
        "note != null",
        'site == "Ghent"\n  or remote',
        "(amount ?? copies ?? 0) > 1",
    ],
)
def test_a_condition_is_met_by_what_the_custom_fields_hold(text: str) -> None:
    assert check(text, FIELDS) is None
    assert holds(text, FIELDS, FILLED)
    assert not holds(f"not ({text})", FIELDS, FILLED)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("remote", False),
        ("not remote", True),
        ("remote == false", False),
        ("amount == null", True),
        ("(amount ?? 0) > 1000", False),
        ('site in ["Antwerp"]', False),
        ('site != "Antwerp"', True),
        ('"laptop" in (note ?? "")', False),
    ],
)
def test_what_is_not_filled_in_is_null(text: str, met: bool) -> None:
    assert holds(text, FIELDS, {}) is met


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'sit == "Ghent"',
            "the process has no custom field 'sit'; there are amount, copies, items, note, remote, seen_at, "
            "site, start_date (at character 1)",
        ),
        ('site = "Ghent"', "write '==' instead of '=' (at character 6)"),
        ('site == "Ghent" && remote', "write 'and' instead of '&&' (at character 17)"),
        ("remote == True", "write 'true' instead of 'True' (at character 11)"),
        ('site == "Ghent" or', "it ends where something should follow"),
        ('site == "Ghent" and and remote', "'and' is not expected here (at character 21)"),
        ('remote\nand and site == "Ghent"', "'and' is not expected here (line 2, character 5)"),
        ("(remote", "it ends where something should follow"),
        ("", "it ends where something should follow"),
        ('site == "Ghent', "a text has to end on its line, and to hold no backslash (at character 9)"),
        ("start-date == null", "write 'start_date' instead of 'start-date' (at character 1)"),
        (
            "note.length == 3",
            "nothing has attributes; the name of a custom field is written with '_' "
            "instead of '.' (at character 5)",
        ),
        ("amount == 1.", "a number is written as 12 or 12.5 (at character 11)"),
        ("amount == 1e5", "a number is written as 12 or 12.5 (at character 11)"),
        ("start_date == d'2027-02-30'", "'2027-02-30' is no date; they are written as d\"2027-01-31\""),
        ('site == "Bruges"', "site has no option \"Bruges\"; it has 'Antwerp', 'Ghent'"),
        ('site in ["Ghent", "Bruges"]', "site has no option \"Bruges\"; it has 'Antwerp', 'Ghent'"),
        ('amount == "5"', 'amount is a number, and "5" is a text: they are never the same'),
        ("note in [1]", "note is a text, and 1 is a number: they are never the same"),
        (
            "amount ?? 0 == 1",
            "amount is a number, and so has to be what counts instead, but false is true or false; "
            "parentheses go around the two, such as (amount ?? 0)",
        ),
        ("amount > 1000", "amount may not be filled in; say what counts then, such as (amount ?? 0)"),
        (
            'start_date < d"2027-01-01"',
            'start_date may not be filled in; say what counts then, such as (start_date ?? d"2000-01-01")',
        ),
        ('"bag" in note', 'note may not be filled in; say what counts then, such as (note ?? "")'),
        ("(note ?? '') > 'a'", 'only numbers and dates are less or more, and (note ?? "") is a text'),
        ('site == "Ghent" or "Antwerp"', "'or' stands with what is true or false, and \"Antwerp\" is a text"),
        ("not amount", "'not' stands with what is true or false, and amount is a number"),
        ("amount", "it has to be true or false, and amount is a number"),
        ("true", "it speaks of no custom field, so that it always comes to the same"),
        ("items == null", "'items' is of type table, which no condition can read"),
        ('remote and "a" > 5', "it compares two things of different types"),
    ],
)
def test_what_is_wrong_with_a_condition_is_said_in_a_sentence(text: str, sentence: str) -> None:
    assert check(text, FIELDS) == sentence
    with pytest.raises(ConditionFailed):
        holds(text, FIELDS, FILLED)


@pytest.mark.parametrize(
    "text",
    [
        "$now == null",
        "$range(1000000000) == null",
        "note =~ '(a+)+b'",
        "note =~~ 'a'",
        "[x for x in note] == null",
        "note[0] == 'a'",
        "note&['a'] == null",
        "note.as_upper == 'A'",
        "note&.length == 1",
        "note('a')",
        "(note)('a')",
        "2 ** 100 == amount",
        "amount << 1000000000 == 1",
        "1 << 1000000000 == amount",
        "copies -1 == 2",
        "copies - 1 == 2",
        "remote ? true : false",
        "{1, 2} == amount",
        "b'a' == note",
        "t'P1D' == note",
        "r'a' == note",
        "inf == amount",
        "remote # of course",
        "note == 'a\\x00'",
        "if remote",
        "remote; note",
        "remote\r",
    ],
)
def test_nothing_of_the_language_behind_is_let_through(text: str) -> None:
    assert check(text, FIELDS) is not None


def test_names_are_written_so_that_the_language_takes_them_as_one_word() -> None:
    assert written("start-date") == "start_date"
    assert written("2nd.site") == "_2nd_site"
    assert written("in") == "_in"
    fields = [CustomField(name=name, title="A", type=FieldType.CHECK_BOX) for name in ("2nd", "in", "a-b")]
    assert holds("_2nd and _in and a_b", fields, {"2nd": True, "in": True, "a-b": True})


def test_a_word_that_may_mean_two_fields_is_refused_only_where_it_is_used() -> None:
    fields = [CustomField(name=name, title="A", type=FieldType.CHECK_BOX) for name in ("a-b", "a_b", "c")]
    assert check("c", fields) is None
    assert check("a_b", fields) == (
        "'a_b' may be any of the custom fields 'a-b' and 'a_b': give one of them another name"
    )


def test_long_and_deep_conditions_are_refused() -> None:
    assert check("remote" + " " * 1000, FIELDS) == "it is longer than 1000 characters"
    assert check("not " * 101 + "remote", FIELDS) == "it has more than 100 operators"
    assert check("not " * 100 + "remote", FIELDS) is None
    assert holds("not " * 100 + "remote", FIELDS, FILLED)
    assert check("(" * 400 + "remote" + ")" * 400, FIELDS) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", "much"),
        ("amount", "nan"),
        ("copies", True),
        ("remote", "yes"),
        ("start-date", 5),
        ("note", 5),
    ],
)
def test_a_value_of_another_type_fails_without_being_told(name: str, value: bool | int | str) -> None:
    with pytest.raises(ConditionFailed) as failed:
        holds(f"{written(name)} == null", FIELDS, {name: value})
    assert f"What stands in {name!r} is not of its type" in str(failed.value)
    assert str(value) not in str(failed.value).removeprefix(f"What stands in {name!r}")


OPERANDS = st.sampled_from(
    [
        *("amount", "copies", "remote", "start_date", "seen_at", "site", "note", "items", "nothing"),
        *("(amount ?? copies ?? 0)", "(note ?? site)", '(start_date ?? d"2027-01-31")', "(remote ?? true)"),
        *("true", "null", "0", "-12.5", '"Ghent"', '""', '["Ghent", site]', "[1, amount, null]", "[]"),
        *('d"2027-01-31"', 'd"0001-01-01T00:00:00+14:00"', 'd"9999-12-31T23:59:59-12:00"'),
    ]
)
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "??", "=~", "**"])
COMPARISONS = st.tuples(OPERANDS, OPERATORS, OPERANDS).map(" ".join)
CONDITIONS = st.recursive(
    COMPARISONS | st.just("remote"),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or", "=="]), inner),
    max_leaves=4,
)
TEXTS = CONDITIONS | st.lists(OPERANDS | OPERATORS, max_size=8).map(" ".join) | st.text(max_size=80)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: format(number, "f")),
        "copies": st.integers(-(1 << 63), (1 << 63) - 1),
        "remote": st.booleans(),
        "start-date": st.dates().map(lambda day: day.isoformat()),
        "seen.at": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
        "site": st.sampled_from(["Antwerp", "Ghent"]),
        "note": st.text(max_size=20),
    },
)


@given(TEXTS, VALUES)
def test_a_condition_without_fault_can_be_worked_out_whatever_is_filled_in(
    text: str, values: dict[str, bool | int | str]
) -> None:
    if check(text, FIELDS) is None:
        assert holds(text, FIELDS, values) in (True, False)
    else:
        with pytest.raises(ConditionFailed):
            holds(text, FIELDS, values)


@given(
    TEXTS,
    st.dictionaries(
        st.sampled_from([each.name for each in FIELDS]), st.booleans() | st.integers() | st.text()
    ),
)
def test_nothing_but_a_failed_condition_comes_out_of_any_text_and_values(
    text: str, values: dict[str, bool | int | str]
) -> None:
    with suppress(ConditionFailed):
        assert holds(text, FIELDS, values) in (True, False)
