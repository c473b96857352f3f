"""The one use case: records of whatever kind, in order, become what they lead to (design §3).

Kafka's batches, HTTP requests, due timers and schedules all come through `Work.perform`, in a transaction
that somebody else commits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.activity import (
    store_configuration,
    work_approvers,
    work_departures,
    work_mails,
    work_next,
    work_reports,
    work_requests,
    work_schedules,
    work_timers,
)
from services.activity.approval_links import ApprovalLinks
from services.activity.asked_steps import WITH_BYTES
from services.activity.needs import Needs
from services.activity.numbers import Numbers, NumbersRanOut
from services.activity.store_requests import Answered, RequestKey
from services.activity.work_approvers import ApproversLeft
from services.activity.work_people import WHOLE
from services.activity.work_reports import UnknownMail
from services.activity.work_schedules import ScheduleCame
from services.activity.work_timers import TimerFired
from services.activity.workspace import Workspace
from shared import tracing_records
from shared.contracts.activity_requests import Request
from shared.contracts.ingest_mails import MailNotReinjected, MailReceived
from shared.contracts.notify_mails import OutgoingMail
from shared.contracts.record import Record
from shared.organisation import Organisation, Organisations
from shared.organisation_copy import NeverAnnounced
from shared.topics import ACTIVITY_REQUESTS, NOTIFY_MAILS, Topic
from shared.unit_of_work import Batch, Incoming

FEW = 4
"""So many numbers more are taken at first, and then twice as many each time."""


@dataclass(frozen=True, slots=True)
class Performer:
    """How records of a kind are worked on: what they need to be read, then what they lead to."""

    gather: Callable[[Any, Needs], None]
    perform: Callable[[Workspace, Any], None]


def _models(topic: Topic) -> tuple[type[Record], ...]:
    return tuple(topic.models.values())


_REQUESTS = Performer(work_requests.gather, work_requests.perform)
_REPORTS = Performer(work_reports.gather, work_reports.perform)

PERFORMERS: Mapping[type[Record], Performer] = {
    MailReceived: Performer(work_mails.gather, work_mails.perform),
    MailNotReinjected: Performer(work_departures.gather, work_departures.not_reinjected),
    ApproversLeft: Performer(work_approvers.gather, work_approvers.perform),
    TimerFired: Performer(work_timers.gather, work_timers.perform),
    ScheduleCame: Performer(work_schedules.gather, work_schedules.perform),
    **dict.fromkeys((*_models(ACTIVITY_REQUESTS), *WITH_BYTES), _REQUESTS),
    **dict.fromkeys((each for each in _models(NOTIFY_MAILS) if issubclass(each, OutgoingMail)), _REPORTS),
}


class Work:
    """Works on batches. Keeps nothing between them but the configurations it has read."""

    def __init__(
        self,
        organisations: Organisations,
        numbers: Numbers,
        *,
        answers_kept: timedelta | None = None,
        links: ApprovalLinks | None = None,
    ) -> None:
        """`answers_kept` is how long a repeated request can be told from a new one; None is for ever.

        Without `links` nobody can be asked for an approval.
        """
        self._organisations = organisations
        self._numbers = numbers
        self._answers_kept = answers_kept
        self.links = links

    async def perform(
        self,
        batch: Batch[Any],
        records: Sequence[Incoming[Any]],
        *,
        by: Mapping[str, Organisation] | None = None,
    ) -> Mapping[RequestKey, Answered]:
        """Work on records of a batch in order; returns the answers to the requests among them.

        `by` are configurations of theirs which only this transaction knows, and which it has locked.
        Raises `FamilyMoved` when the batch has to be begun again. A report about an unknown mail is
        rejected by itself, and so is what comes from an organisation that does not exist.
        """
        organisations = by or await self._configurations(batch, records)
        answers: dict[RequestKey, Answered] = {}
        for part in _parts(_without_strays(batch, records, organisations)):
            answers |= (await self._perform(batch, organisations, part)).answers
        return answers

    async def _perform(
        self,
        batch: Batch[Any],
        organisations: Mapping[str, Organisation],
        records: Sequence[Incoming[Any]],
    ) -> Workspace:
        needs = Needs()
        for incoming in records:
            PERFORMERS[type(incoming.message)].gather(incoming, needs)
        while True:
            try:
                return await self._attempt(batch, organisations, records, needs)
            except NumbersRanOut as out:
                # Cases start Sub-Cases by themselves, and nobody can say before how many.
                needs.opening[out.organisation] += max(needs.opening[out.organisation], FEW)

    async def _attempt(
        self,
        batch: Batch[Any],
        organisations: Mapping[str, Organisation],
        records: Sequence[Incoming[Any]],
        needs: Needs,
    ) -> Workspace:
        """What was done, and is written. Raises `NumbersRanOut` while nothing is."""
        opening = {name: needs.opening[name] for name in organisations if needs.opening[name]}
        blamed: list[tuple[Incoming[Any], UnknownMail]] = []
        async with self._numbers.taken(opening) as numbers:
            workspace = Workspace(batch.now, organisations, numbers, self.links)
            if self._answers_kept is not None:
                workspace.answers_since = batch.now - self._answers_kept
            await workspace.load(batch.connection, needs)
            await work_next.find(workspace, batch.connection, needs)
            for incoming in tracing_records.each(records):
                workspace.begin()
                try:
                    PERFORMERS[type(incoming.message)].perform(workspace, incoming)
                except UnknownMail as error:
                    blamed.append((incoming, error))
            await workspace.save(batch.connection)
        for incoming, unknown in blamed:
            batch.reject(incoming, unknown)
        batch.publish(*workspace.said)
        batch.count(*workspace.counts)
        return workspace

    async def _configurations(
        self, batch: Batch[Any], records: Sequence[Incoming[Any]]
    ) -> dict[str, Organisation]:
        """The configuration of each organisation in the batch.

        This service owns them. A request for an organisation without one is refused, and answered at once;
        anything else waits until it is certain that none was lost with a restored backup.
        """
        names = sorted({incoming.envelope.organisation for incoming in records})
        alone = {each.envelope.organisation for each in records if isinstance(each.message, WHOLE)}
        await store_configuration.hold(batch.connection, names, alone)
        asked = all(isinstance(each.message, Request) for each in records)
        look = self._organisations.applied if asked else self._organisations.find
        found = await look(batch.connection, {(name, 0) for name in names})
        return {each.name: each for each in found.values()}


def _parts(records: Sequence[Incoming[Any]]) -> Iterator[Sequence[Incoming[Any]]]:
    """The records in order, each that is about a whole person by itself.

    It reaches what earlier records of the batch have written, and later ones see what it has left.
    """
    begin = 0
    for place, incoming in enumerate(records):
        if isinstance(incoming.message, WHOLE):
            if begin < place:
                yield records[begin:place]
            yield records[place : place + 1]
            begin = place + 1
    if begin < len(records):
        yield records[begin:]


def _without_strays(
    batch: Batch[Any], records: Sequence[Incoming[Any]], organisations: Mapping[str, Organisation]
) -> list[Incoming[Any]]:
    """The records that can be worked on; what else comes from an organisation that is none is rejected."""
    kept: list[Incoming[Any]] = []
    for incoming in records:
        name = incoming.envelope.organisation
        if name in organisations or isinstance(incoming.message, Request):
            kept.append(incoming)
        else:
            batch.reject(incoming, NeverAnnounced(name))
    return kept
