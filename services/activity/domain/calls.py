"""What an Action asks of an external system, and how far that has come (A23)."""

from datetime import datetime, timedelta

from msgspec import Struct


class Call(Struct, frozen=True, kw_only=True):
    """A call by its name: each try is waited for `answer_within_minutes`.

    `retry_after_minutes` are the pauses before further tries while the system cannot be reached. `attempt`
    counts all tries, `retry` those of them that followed such a pause since it was called anew. `until` is
    the end of the present wait: for the answer, or where it `pauses` for the next try.
    """

    name: str
    answer_within_minutes: int
    retry_after_minutes: tuple[int, ...] = ()
    attempt: int = 0
    retry: int = 0
    until: datetime | None = None
    pauses: bool = False

    @property
    def answer_within(self) -> timedelta:
        """How long the answer to a try is waited for."""
        return timedelta(minutes=self.answer_within_minutes)

    @property
    def pause(self) -> timedelta | None:
        """How long it pauses before the next try; None where no try is left."""
        if self.retry >= len(self.retry_after_minutes):
            return None
        return timedelta(minutes=self.retry_after_minutes[self.retry])
