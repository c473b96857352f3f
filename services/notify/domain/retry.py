"""When a mail is tried again, and when no more (NT-14). Pauses are data; the sender acts on them."""

from datetime import timedelta
from hashlib import sha256
from uuid import UUID

ATTEMPTS = 10
FIRST_PAUSE = timedelta(minutes=1)
GROWTH = 3.0
SPREAD = 0.2
"""Each pause is up to a fifth shorter or longer, so that mails deferred together do not come back together.

Nine pauses from a minute, each three times the one before, are 6.8 days; with the spread at least 5.4.
RFC 5321 4.5.4.1 wants a mail to be tried for four to five days before it is given up.
"""

FIRST_SERVER_PAUSE = timedelta(seconds=2)
LONGEST_SERVER_PAUSE = timedelta(minutes=5)


def pause_after(attempt: int, spread: float) -> timedelta | None:
    """How long to wait after failed attempt number `attempt` (from 1); None when it was the last.

    `spread` in [-1, 1] moves the pause within its spread.
    """
    if attempt >= ATTEMPTS:
        return None
    return FIRST_PAUSE * pow(GROWTH, attempt - 1) * (1 + SPREAD * spread)


def spread_of(mail: UUID, attempt: int) -> float:
    """A number in [-1, 1) that is another one for each mail and attempt, and always the same for these."""
    digest = sha256(mail.bytes + attempt.to_bytes(4)).digest()
    return int.from_bytes(digest[:4]) / (1 << 31) - 1


def server_pause(failures: int, spread: float) -> timedelta:
    """How long to leave a server alone after so many failures in a row (from 1).

    No attempt of any mail is counted meanwhile: that a server is away is no mail's fault, so an outage of
    any length loses none.
    """
    doubled = FIRST_SERVER_PAUSE * pow(2.0, min(failures - 1, 16))
    return min(doubled, LONGEST_SERVER_PAUSE) * (1 + SPREAD * spread)
