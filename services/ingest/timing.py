"""How often a mailbox is looked at."""

from dataclasses import dataclass

BRISK_SECONDS = 0.1
BRISK_FOR_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How often a mailbox is looked at, and its done folder swept. Seconds."""

    poll: float
    sweep: float

    def pause(self, since_mail: float) -> float:
        """How long to wait for the server's word, `since_mail` seconds after mail was last found.

        Where mail has just come, more is likely to, and servers take their time to tell of it: Dovecot half a
        second. So a busy mailbox is looked at again and again, and a quiet one when there is news.
        """
        return min(BRISK_SECONDS, self.poll) if since_mail < BRISK_FOR_SECONDS else self.poll
