"""Events of many activities in an order in which they can have happened (see `recover.py`).

A topic keeps the order of one activity. Between activities there is the time, which a batch has but one of;
so what one activity got from another says more: that the other one had it by then.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from services.activity.known_past import Event
from services.activity.store_rows import Key
from shared.contracts import activity_activities as events

Moment = tuple[str, Any]
"""What an event brings about, for others to follow: an organisation, and what it is."""


def in_order(happened: Iterable[Event]) -> list[Event]:
    """Each activity's events by version, none before what it follows from; else the earlier first."""
    return list(_Story(happened).told())


class _Story:
    """What is left to tell of each activity, the next at the end; and what follows from what."""

    def __init__(self, happened: Iterable[Event]) -> None:
        self._events = sorted(happened, key=lambda each: (each[0].message.at, each[0].message.version))
        self._left: dict[Key, list[Event]] = defaultdict(list)
        self._brought: dict[Moment, Event] = {}
        self._follows: dict[tuple[Key, int], list[Moment]] = {}
        for each in sorted(self._events, key=lambda each: each[0].message.version):
            self._left[_activity(each)].append(each)
        for key, chain in self._left.items():
            self._remember(key, chain)
            chain.reverse()

    def _remember(self, key: Key, chain: Sequence[Event]) -> None:
        turns: dict[UUID, int] = defaultdict(int)
        for event in chain:
            record, turn = event[0].message, 0
            if isinstance(record, events.ActivityLinked | events.ActivityUnlinked):
                turns[record.with_activity] += 1
                turn = turns[record.with_activity]
            for moment in _brings(record, turn):
                self._brought.setdefault((key[0], moment), event)
            self._follows[key, record.version] = [(key[0], each) for each in _follows(record, turn)]

    def told(self) -> Iterator[Event]:
        for each in self._events:
            yield from self._up_to(each)

    def _up_to(self, event: Event) -> Iterator[Event]:
        """What is left of its activity up to this event, each behind what it follows from."""
        key = _activity(event)
        chain = self._left[key]
        while chain and chain[-1][0].message.version <= event[0].message.version:
            earliest = chain.pop()
            for moment in self._follows[key, earliest[0].message.version]:
                if moment in self._brought:
                    yield from self._up_to(self._brought[moment])
            yield earliest


def _activity(event: Event) -> Key:
    return event[0].envelope.organisation, event[0].message.activity


def _brings(record: events.ActivityRecord, turn: int) -> Iterator[Any]:
    here = record.activity
    match record:
        case events.ActivityOpened(mail=UUID() as mail) | events.ActivityMailAppended(mail=mail):
            yield "mail", mail, here
        case events.ActivityOpened(parent=events.OtherActivity()):
            yield "opened", here
        case events.ActivityMailRequested(mail=mail) | events.ActivityMailContinued(mail=mail):
            yield "mail", mail, here
        case events.ActivityMailCopied(mail=mail) | events.ActivityMailShared(mail=mail, received=True):
            yield "mail", mail, here
        case events.TicketSplitInto(into=into):
            yield from (("split", part.activity) for part in into)
        case events.TicketConverted(into=into):
            yield "split", into.activity
        case events.CaseActionLaunched(launched=launched):
            yield "launched", launched.activity
        case events.CaseSubCaseStarted(started=started):
            yield "split", started.activity
        case events.TicketMerged():
            yield "merged", here
        case events.ActivityLinked(with_activity=other) | events.ActivityUnlinked(with_activity=other):
            yield "tie", here, other, turn


def _follows(record: events.ActivityRecord, turn: int) -> Iterator[Any]:
    here = record.activity
    match record:
        case events.ActivityOpened(task=events.Task()):
            yield "launched", here
        case events.ActivityOpened(parent=events.OtherActivity()):
            yield "split", here
        case events.CaseSubCaseStarted(by=events.OtherActivity() as by):
            yield "opened", by.activity
        case events.CaseSubCaseEnded(ended=ended):
            yield "opened", ended.activity
        case events.ActivityMailContinued() | events.ActivityMailCopied():
            yield "mail", record.mail, record.from_activity
        case events.ActivityMailShared(received=True):
            yield "mail", record.mail, record.with_activity
        case events.ActivityTookOver(source=source):
            yield "merged", source.activity
        case events.ActivityLinked(with_activity=other) | events.ActivityUnlinked(with_activity=other):
            # Both sides tell of the same, but for one that was closed meanwhile.
            yield "tie", other, here, turn - 1
