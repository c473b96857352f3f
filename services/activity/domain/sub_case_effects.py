"""Effects of the rows about Sub-Cases."""

from collections.abc import Iterable

from services.activity.domain.context import Occasion
from services.activity.domain.events import CaseNotStarted, Event, NoSubCase, SubCaseEnded, SubCaseStarted
from services.activity.domain.sub_case_steps import (
    AwaitSubCases,
    EndSubCase,
    StartCase,
    StartSubCase,
    SubCasesEnded,
)
from services.activity.domain.vocabulary import Reason


def know_sub_case(occasion: Occasion[StartSubCase]) -> Iterable[Event]:
    """The Case knows the Sub-Case that it started."""
    yield SubCaseStarted(stamp=occasion.stamp, started=occasion.step.started)


def end_sub_case(occasion: Occasion[EndSubCase]) -> Iterable[Event]:
    """The Case waits for the Sub-Case no more (CA-4)."""
    yield SubCaseEnded(stamp=occasion.stamp, sub_case=occasion.step.sub_case)


def tell_not_started(occasion: Occasion[StartCase]) -> Iterable[Event]:
    """The timeline says why no Case was started, and somebody has to look."""
    yield CaseNotStarted(stamp=occasion.stamp, why=occasion.step.why or "")


def tell_none_to_await(occasion: Occasion[AwaitSubCases]) -> Iterable[Event]:
    """The timeline says that there is nothing to wait for, and somebody has to look (A22)."""
    if occasion.step.reason is not None:
        yield NoSubCase(stamp=occasion.stamp, reason=occasion.step.reason)


def tell_ended(occasion: Occasion[SubCasesEnded]) -> Iterable[Event]:
    """Who works on what would have waited learns that the Sub-Cases have ended (A22)."""
    ended = Reason.SUB_CASE_CANCELLED if occasion.step.cancelled else Reason.SUB_CASE_COMPLETED
    yield NoSubCase(stamp=occasion.stamp, reason=ended)
