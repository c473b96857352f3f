"""The seam to an IMAP server: what ingest asks of it, and the one way in which it fails.

Everything behind `ImapSession` can be changed or broken on purpose (a fault in front, another library)
without ingest noticing: `tests/contract/test_imap_seam.py` is what an implementation has to pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

PAGE_UIDS = 500
"""UIDs in one command: a page is a batch (design §3), and a line of 8 000 octets holds them (RFC 2683)."""


class ImapServer(BaseModel):
    """Where an IMAP server answers; the organisation's configuration names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: int = Field(default=993, ge=1, le=65535)
    tls: bool = True
    """TLS from the first byte (RFC 8314); False is for a server on the same machine or network."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""


class ImapError(Exception):
    """Anything that went wrong at an IMAP server. `reason` is a sentence for people, without secrets.

    `transient` says that the same may succeed later without anybody doing something; a wrong password or a
    missing folder is not. After one that is not `usable`, the session has to be closed.
    """

    def __init__(self, reason: str, *, transient: bool, usable: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.transient = transient
        self.usable = usable


@dataclass(frozen=True, slots=True)
class Listed:
    """What the server says of a mail before it is fetched. `size`, in bytes, can be a lie."""

    uid: int
    size: int
    arrived: datetime | None
    """INTERNALDATE, aware UTC."""


class ImapSession(Protocol):
    """One connection, logged in. One call at a time; each ends within bounded time, raising `ImapError`.

    A folder is named with `/` between its levels, whatever the server's own separator is. Sequences of UIDs
    hold at most `PAGE_UIDS`. UIDs that are gone meanwhile are passed over in silence.
    """

    @property
    def can_move(self) -> bool:
        """Whether `move` is there (RFC 6851); without it the way is `copy`, then `delete`."""
        ...

    async def select(self, folder: str) -> int:
        """Open a folder for all that follows; its UIDVALIDITY."""
        ...

    async def uids(self) -> list[int]:
        """All UIDs of the open folder as it is now, ascending."""
        ...

    async def sizes(self, uids: Sequence[int]) -> list[Listed]:
        """Size and arrival of mails, ascending by UID."""
        ...

    async def fetch(self, uids: Sequence[int], limit: int) -> dict[int, bytes]:
        """The first `limit` bytes of each mail as it came, without marking it seen."""
        ...

    async def fetch_part(self, uid: int, offset: int, length: int) -> bytes:
        """`length` bytes of a mail from `offset` on; fewer at its end, none behind it."""
        ...

    async def ensure_folder(self, folder: str) -> None:
        """Make the folder if it is not there."""
        ...

    async def move(self, uids: Sequence[int], folder: str) -> None:
        """Move mails in one step per mail (RFC 6851)."""
        ...

    async def copy(self, uids: Sequence[int], folder: str) -> None:
        """Copy mails, all or none."""
        ...

    async def delete(self, uids: Sequence[int]) -> None:
        """Delete exactly these mails for good (RFC 4315)."""
        ...

    async def wait(self, seconds: float) -> None:
        """Until the server tells of something new in the open folder, `seconds` at most (RFC 2177)."""
        ...

    async def close(self) -> None:
        """Say goodbye if that is possible; never raises, never hangs."""
        ...


class Connect(Protocol):
    """Opens sessions."""

    async def __call__(self, server: ImapServer, user: str, password: str) -> ImapSession:
        """Connect and log in. Raises `ImapError`."""
        ...
