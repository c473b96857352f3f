"""How many automatic mails one address gets, so that loops starve (AMB-37)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta

from services.notify.domain.addresses import compared
from services.notify.domain.mail import Refusal

WINDOW = timedelta(hours=1)


class Allowance:
    """What is left for each address, within one organisation and the last hour.

    `used` counts by compared address what the last hour has seen already. What is admitted here counts too,
    so it makes no difference how a stream of mails is cut into batches.
    """

    def __init__(self, limit: int, used: Mapping[str, int]) -> None:
        self._limit = limit
        self._used = Counter(used)

    def admit(self, recipients: Iterable[str]) -> Refusal | None:
        """Take one mail to all of them, or none: then nothing is used up, and the refusal says why."""
        wanted = {compared(address) for address in recipients}
        if any(self._used[address] >= self._limit for address in wanted):
            return Refusal(
                "rate_exceeded",
                f"One of its recipients had {self._limit} automatic mails within an hour already (AMB-37).",
            )
        self._used.update(wanted)
        return None
