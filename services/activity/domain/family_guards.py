"""What a split or a merge may lack (T27, T33, AMB-48)."""

from collections.abc import Iterable

from services.activity.domain.context import Occasion
from services.activity.domain.family_steps import MergeInto, Split
from services.activity.domain.refusals import Lack, Missing, MissingOfPart


def whole(occasion: Occasion[Split]) -> Iterable[Lack]:
    """A split has at least two parts, and each has what a Ticket begins with (T27)."""
    if len(occasion.step.parts) < 2:
        yield Missing.PARTS
    known = occasion.process.categories
    for number, part in enumerate(occasion.step.parts, 1):
        if not part.title.strip():
            yield MissingOfPart(number, Missing.TITLE)
        if not part.description.strip():
            yield MissingOfPart(number, Missing.DESCRIPTION)
        if known and not part.category:
            yield MissingOfPart(number, Missing.CATEGORY)
        elif part.category and part.category not in known:
            yield MissingOfPart(number, Missing.KNOWN_CATEGORY)


def into_another_that_runs(occasion: Occasion[MergeInto]) -> Iterable[Lack]:
    """What it is merged into is another activity and runs (AMB-48): so merges have no cycle."""
    if occasion.step.target.activity == occasion.activity.id:
        yield Missing.OTHER_TICKET
    elif not occasion.step.running:
        yield Missing.RUNNING_TICKET
