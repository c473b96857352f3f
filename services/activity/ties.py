"""The links that a batch makes and takes away, each in both directions (LK-4).

A closed activity never changes (T38): where one side is closed, only the other's history tells of the link.
"""

from uuid import UUID

from services.activity import store_links
from services.activity.domain.activity import Activity
from services.activity.domain.events import Event, Linked, Unlinked
from shared.postgres import Connection


class Ties:
    """What becomes of each link that something happens to: the last word counts, on whichever side."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, UUID, UUID], str | None] = {}

    def note(self, activity: Activity, event: Event) -> None:
        """Something happened to an activity; most of it is about no link."""
        if isinstance(event, Linked | Unlinked):
            reason = event.link.reason if isinstance(event, Linked) else None
            one, other = activity.id, event.link.activity
            for key in ((activity.organisation, one, other), (activity.organisation, other, one)):
                self._last[key] = reason

    async def save(self, connection: Connection) -> None:
        """Write the links; their activities are saved."""
        last = self._last.items()
        await store_links.unlink(connection, [key for key, reason in last if reason is None])
        await store_links.link(connection, [(*key, reason) for key, reason in last if reason is not None])
