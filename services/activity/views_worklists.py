"""Work lists as HTTP shows them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from services.activity.views import ActivitySummary, Shown
from shared.contracts.activity_organisation import ProcessKind
from shared.organisation import Organisation, Unknown


class WorkItem(ActivitySummary):
    """A line of a work list.

    `highlighted` says that there is new information, or that it is back from a wait or a resolution and
    nobody has looked yet (ST-10). `wait` and `wait_until` are set while it waits (ST-11).
    """

    highlighted: bool
    wait: str | None
    wait_until: datetime | None


class StateCount(BaseModel):
    """How many open Tickets stand in one state; `unassigned` and `new_information` are parts of `number`."""

    status: str
    wait: str | None
    number: int
    unassigned: int
    new_information: int


class QueueCounts(BaseModel):
    """A queue and what there is of it: what stands in it, and what rests and comes from it.

    What waits or is resolved stands in no queue (ST-19), so it is counted with the queue of its process: who
    works from that one may list it (`/v1/owned-work?of=queues`). The queue without a name is about Drafts.
    """

    queue: str | None
    title: str | None
    mine: bool
    states: list[StateCount]


def work_item(shown: Shown, row: Any) -> WorkItem:
    """A row of `activities` that the caller may see."""
    summary = shown.row(row)
    assert isinstance(summary, ActivitySummary), "work lists hold what the caller may read"
    return WorkItem(
        **summary.model_dump(),
        highlighted=row["new_information"] or row["returned"],
        wait=row["wait"],
        wait_until=row["wait_until"],
    )


def queue_counts(organisation: Organisation, mine: Iterable[str], rows: Iterable[Any]) -> list[QueueCounts]:
    """Counts by process, queue and state as those of queues; queues without a Ticket are there, too."""
    sums: dict[str | None, dict[tuple[str, str | None], list[int]]] = {each: {} for each in mine}
    for row in rows:
        states = sums.setdefault(row["queue"] or _rests_beside(organisation, row), {})
        found = states.setdefault((row["status"], row["wait"]), [0, 0, 0])
        for place, name in enumerate(("number", "unassigned", "new_information")):
            found[place] += row[name]
    own = frozenset(mine)
    return [
        QueueCounts(
            queue=queue,
            title=_title(organisation, queue),
            mine=queue in own,
            states=[
                StateCount(
                    status=status, wait=wait, number=number, unassigned=unassigned, new_information=new
                )
                for (status, wait), (number, unassigned, new) in sorted(
                    states.items(), key=lambda item: (item[0][0], item[0][1] or "")
                )
            ],
        )
        for queue, states in sorted(sums.items(), key=lambda item: item[0] or "")
    ]


def _rests_beside(organisation: Organisation, row: Any) -> str | None:
    """The queue that somebody looks for what rests in, or for a Case that runs: that of its process."""
    process = organisation.process(row["process"])
    runs = process.kind is ProcessKind.CASE and row["status"] in ("to_do", "in_progress")
    return process.queue if runs or row["status"] in ("wait", "resolved") else None


def _title(organisation: Organisation, queue: str | None) -> str | None:
    try:
        return organisation.queue(queue).title if queue else None
    except Unknown:
        return queue
