"""Where a mail goes in a family: to what was merged into, and to every part of a split (IN-8, IN-9)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.activity.domain.mail_facts import Known
from services.activity.domain.vocabulary import MatchedBy, Review


@dataclass(frozen=True, slots=True)
class Append:
    """The mail goes to this activity, as `MailArrived`."""

    activity: UUID
    matched_by: MatchedBy
    review: frozenset[Review] = frozenset()


def end_of_merges(activity: Known, known: Mapping[UUID, Known]) -> Known:
    """What an activity was merged into, and that again, up to the last one: itself without a merge (IN-9)."""
    *_, end = chain_of_merges(activity, known)
    return end


def chain_of_merges(activity: Known, known: Mapping[UUID, Known]) -> Iterator[Known]:
    """An activity, what it was merged into, and so on.

    Each may be a part of another split: a mail for the first is for the siblings of all (IN-8).
    """
    seen = {activity.id}
    yield activity
    while (into := activity.merged_into) and into in known and into not in seen:
        activity = known[into]
        seen.add(into)
        yield activity


def parents(activity: Known, known: Mapping[UUID, Known]) -> Iterator[Known]:
    """The one that it is a part of, and that one's, from below."""
    seen = {activity.id}
    while (parent := activity.parent) and parent in known and parent not in seen:
        activity = known[parent]
        seen.add(parent)
        yield activity


def split_copies(activity: Known, known: Mapping[UUID, Known], review: frozenset[Review]) -> Iterator[Append]:
    """A mail for a split Ticket or one of its parts goes to every part that is open (T29, IN-8).

    A part that was split again stands for its parts, one that was merged for what it was merged into.
    """
    waiting = [each for each in (activity, *parents(activity, known)) if each.split]
    if waiting:
        for part in _open_parts(waiting[-1], known):
            yield Append(part.id, MatchedBy.SPLIT, review)


def _open_parts(split: Known, known: Mapping[UUID, Known]) -> Iterable[Known]:
    found: dict[UUID, Known] = {}
    seen: set[UUID] = set()
    left = [split.id]
    while left:
        one = left.pop(0)
        for part in sorted(each.id for each in known.values() if each.parent == one):
            end = end_of_merges(known[part], known)
            if end.id in seen:
                continue
            seen.add(end.id)
            if end.split:
                left.append(end.id)
            elif not end.closed:
                found[end.id] = end
    return found.values()
