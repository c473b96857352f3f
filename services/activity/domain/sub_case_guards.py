"""Checks and choices of the rows about Sub-Cases."""

from collections.abc import Iterable

from services.activity.domain.context import Occasion
from services.activity.domain.mandatory import lacks_on_form
from services.activity.domain.refusals import Lack, Missing
from services.activity.domain.sub_case_steps import (
    AwaitSubCases,
    OpenSubCase,
    StartCase,
    SubCasesEnded,
)


def started_whole(occasion: Occasion[OpenSubCase]) -> Iterable[Lack]:
    """What a Sub-Case has to have: its contacts and fields are those that it shares (CA-2, CA-7, AMB-29)."""
    step = occasion.step
    if not step.title.strip():
        yield Missing.TITLE
    yield from lacks_on_form(frozenset(step.shared), step.values, occasion.process)


def started(occasion: Occasion[StartCase]) -> bool:
    """The Case is there."""
    return occasion.step.why is None


def there_are_some(occasion: Occasion[AwaitSubCases]) -> bool:
    """Sub-Cases run that it can wait for (A22)."""
    return occasion.step.reason is None


def cancelled(occasion: Occasion[SubCasesEnded]) -> bool:
    """The last one was not brought to its end (A22)."""
    return occasion.step.cancelled
