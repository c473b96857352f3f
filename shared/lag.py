"""How old the oldest record is that a consumer has not worked on, without asking Kafka for it.

A record in hand bears its own time. Of one that was not fetched yet, it is known between which two looks at
the partition's end it came.
"""

from collections import deque
from collections.abc import Iterable

from shared.failure import RawRecord
from shared.offsets import Place

KEPT_LOOKS = 2000


class Lag:
    """Of one consumer, partition by partition. Times are in seconds since 1970."""

    def __init__(self) -> None:
        self._looks: dict[Place, deque[tuple[float, int]]] = {}
        self._in_hand: dict[Place, float] = {}

    def take(self, records: Iterable[RawRecord]) -> None:
        """These are being worked on from now on, in the order of their offsets."""
        for record in records:
            self._in_hand.setdefault(Place(record.topic, record.partition), record.timestamp / 1000)

    def put_down(self) -> None:
        """Nothing is in hand any more."""
        self._in_hand.clear()

    def keep(self, places: Iterable[Place]) -> None:
        """Forget all other partitions: somebody else has them."""
        kept = set(places)
        self._looks = {place: looks for place, looks in self._looks.items() if place in kept}

    def age(self, place: Place, position: int, end: int, now: float) -> float:
        """The age of the record at `position`, the next one, in a partition that ends at `end`; 0 at its end.

        Of a record that was there at the first look, the time since then.
        """
        looks = self._looks.setdefault(place, deque(maxlen=KEPT_LOOKS))
        if looks and looks[-1][1] == end and (end <= position or len(looks) > 1):
            looks[-1] = (now, end)
        elif not looks or looks[-1][1] != end:
            looks.append((now, end))
        while len(looks) > 1 and looks[1][1] <= position:
            looks.popleft()
        if end <= position:
            return 0.0
        return max(0.0, now - self._in_hand.get(place, looks[0][0]))
