"""What an organisation's configuration answers."""

import pytest

from shared.contracts.activity_organisation import (
    Category,
    Company,
    DueDateRule,
    Process,
    Rules,
)
from shared.organisation import Organisation, Unknown

IT = Process(
    name="it",
    title="IT",
    company="harbour",
    contract="support",
    service="it",
    queue="desk",
    due_date="slow",
    categories=(Category(path="Access / Password", due_date="fast"), Category(path="Other")),
)


def organisation(process: Process = IT, *, test_mode: bool = False) -> Organisation:
    return Organisation(
        "acme",
        1,
        companies=(
            Company(name="harbour", title="Harbour", parent="group"),
            Company(name="group", title="Group"),
        ),
        processes=(process,),
        due_dates=(DueDateRule(name="slow"), DueDateRule(name="fast")),
        rules=Rules(test_mode=test_mode),
    )


@pytest.mark.parametrize(
    ("category", "rule"),
    [
        ("Access / Password", "fast"),
        ("access / password", "fast"),
        ("Other", "slow"),
        (None, "slow"),
        ("gone", "slow"),
    ],
)
def test_the_due_date_rule_of_a_category_wins_over_that_of_its_process(
    category: str | None, rule: str
) -> None:
    """SL-1."""
    found = organisation().due_date("it", category)
    assert found is not None
    assert found.name == rule


def test_a_process_without_a_rule_has_no_due_date() -> None:
    assert organisation(IT.model_copy(update={"due_date": None})).due_date("it", "Other") is None


@pytest.mark.parametrize(
    ("live", "test", "test_mode", "by_people", "by_a_route", "by_a_test_route"),
    [
        (True, False, False, True, True, True),
        (True, False, True, True, True, True),
        (False, True, False, False, False, False),
        (False, True, True, True, False, True),
        (False, False, True, False, False, False),
    ],
)
def test_work_begins_in_a_live_process_and_for_tests_in_one_that_is_in_test(
    live: bool, test: bool, test_mode: bool, by_people: bool, by_a_route: bool, by_a_test_route: bool
) -> None:
    """GL-5, RT-2."""
    found = organisation(IT.model_copy(update={"live": live, "test": test}), test_mode=test_mode)
    assert found.is_startable("it") is by_people
    assert found.takes_work("it", in_test=False) is by_a_route
    assert found.takes_work("it", in_test=True) is by_a_test_route
    assert found.is_in_test("it") is (by_a_test_route and not live)
    assert not found.is_in_test("nothing")


def test_people_start_nothing_in_a_live_process_that_is_not_startable() -> None:
    """GL-5: mail does, though."""
    found = organisation(IT.model_copy(update={"startable": False}))
    assert not found.is_startable("it")
    assert found.takes_work("it", in_test=False)


def test_a_company_is_followed_by_those_that_it_stands_under() -> None:
    """CT-10."""
    assert organisation().company_and_parents("harbour") == ("harbour", "group")
    assert organisation().company_and_parents("group") == ("group",)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(Unknown, match="no calendar named 'office'"):
        organisation().calendar("office")
