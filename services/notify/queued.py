"""What the queue of outgoing mail holds, for those who send, settle and announce it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notify.domain.delivery import Recipient, State
from shared.contracts.blob import Blob
from shared.contracts.envelope import Envelope

MailKey = tuple[str, UUID]
"""An organisation and a mail's id."""


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail of the queue. `attempts` counts this claim's attempt too; `recipients` are in their order."""

    organisation: str
    id: UUID
    activity: UUID
    reference: str
    conversation: str
    cause: Envelope
    message_id: str
    automatic: bool
    home: str
    needs_smtputf8: bool
    mime: bytes | None
    mime_blob: Blob | None
    state: State
    claim: int
    claimed_at: datetime | None
    attempts: int
    forgiven: int
    recipients: tuple[Recipient, ...]
    lost: bool = False

    @property
    def key(self) -> MailKey:
        return self.organisation, self.id

    @property
    def tries(self) -> int:
        """Attempts since a person last asked for more."""
        return self.attempts - self.forgiven


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt left behind. `outcome` is one of the attempts table's, or "cancelled"."""

    mail: QueuedMail
    state: State
    recipients: tuple[Recipient, ...]
    outcome: str
    reason: str
    due: datetime | None
    ended: datetime
