"""An IMAP server in memory, behind ingest's seam; passes the same contract suite as the real ones.

Faults are put in front with `FakeImap.fail`: the next calls of a method raise before, or after, they work.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.ingest.imap import PAGE_UIDS, ImapError, ImapServer, Listed


@dataclass
class FakeFolder:
    """Mails by UID, with the time of their arrival."""

    uidvalidity: int = 1
    next_uid: int = 1
    mails: dict[int, tuple[bytes, datetime]] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, raw: bytes, arrived: datetime | None = None) -> int:
        uid = self.next_uid
        self.next_uid += 1
        self.mails[uid] = (raw, arrived or datetime.now(UTC))
        self.changed.set()
        return uid

    def renumber(self) -> None:
        """What a server does that lost its index: another UIDVALIDITY, all UIDs from 1 again."""
        self.uidvalidity += 1
        self.mails = dict(enumerate(self.mails.values(), start=1))
        self.next_uid = len(self.mails) + 1
        self.changed.set()


@dataclass
class _Fault:
    error: ImapError
    after: bool


class FakeImap:
    """Accounts with folders. `connect` is the seam's `Connect`."""

    def __init__(self, *, can_move: bool = True, lies_about_size: bool = False) -> None:
        self.can_move = can_move
        self.lies_about_size = lies_about_size
        self.passwords: dict[str, str] = {}
        self.calls: list[str] = []
        self._accounts: dict[str, dict[str, FakeFolder]] = {}
        self._faults: defaultdict[str, list[_Fault]] = defaultdict(list)

    def folder(self, user: str, folder: str = "INBOX") -> FakeFolder:
        """A folder of an account; both come into being here."""
        return self._account(user).setdefault(folder, FakeFolder())

    def folders(self, user: str) -> list[str]:
        return list(self._account(user))

    def deliver(self, user: str, *raws: bytes) -> list[int]:
        return [self.folder(user).add(raw) for raw in raws]

    def fail(
        self, method: str, error: ImapError | None = None, *, times: int = 1, after: bool = False
    ) -> None:
        """Let the next `times` calls of `method` raise; with `after` only once their work is done."""
        error = error or ImapError(f"{method}: connection lost", transient=True)
        self._faults[method] += [_Fault(error, after)] * times

    async def connect(self, server: ImapServer, user: str, password: str) -> "FakeSession":
        self._before("connect")
        if self.passwords.get(user, password) != password:
            raise ImapError("login refused", transient=False)
        return FakeSession(self, self._account(user))

    def _account(self, user: str) -> dict[str, FakeFolder]:
        return self._accounts.setdefault(user, {"INBOX": FakeFolder()})

    def _before(self, method: str) -> _Fault | None:
        """Note the call; raise the next fault, or return it when it is to be raised afterwards."""
        self.calls.append(method)
        fault = self._faults[method].pop(0) if self._faults[method] else None
        if fault is not None and not fault.after:
            raise fault.error
        return fault


class FakeSession:
    """One connection to a `FakeImap`."""

    def __init__(self, server: FakeImap, folders: dict[str, FakeFolder]) -> None:
        self._server = server
        self._folders = folders
        self._open: FakeFolder | None = None
        self._closed = False

    @property
    def can_move(self) -> bool:
        return self._server.can_move

    async def select(self, folder: str) -> int:
        await self._called("select")
        self._open = self._named(folder)
        return self._open.uidvalidity

    async def uids(self) -> list[int]:
        await self._called("uids")
        return sorted(self._selected.mails)

    async def sizes(self, uids: Sequence[int]) -> list[Listed]:
        await self._called("sizes", uids)
        mails = self._selected.mails
        return [
            Listed(uid, 1 if self._server.lies_about_size else len(mails[uid][0]), mails[uid][1])
            for uid in sorted(uids)
            if uid in mails
        ]

    async def fetch(self, uids: Sequence[int], limit: int) -> dict[int, bytes]:
        await self._called("fetch", uids)
        mails = self._selected.mails
        return {uid: mails[uid][0][:limit] for uid in uids if uid in mails}

    async def fetch_part(self, uid: int, offset: int, length: int) -> bytes:
        await self._called("fetch_part")
        raw, _ = self._selected.mails.get(uid, (b"", None))
        return raw[offset : offset + length]

    async def ensure_folder(self, folder: str) -> None:
        await self._called("ensure_folder")
        self._folders.setdefault(folder, FakeFolder())

    async def move(self, uids: Sequence[int], folder: str) -> None:
        assert self.can_move
        fault = await self._called("move", uids)
        self._put(uids, folder, remove=True)
        self._after(fault)

    async def copy(self, uids: Sequence[int], folder: str) -> None:
        fault = await self._called("copy", uids)
        self._put(uids, folder, remove=False)
        self._after(fault)

    async def delete(self, uids: Sequence[int]) -> None:
        fault = await self._called("delete", uids)
        for uid in uids:
            self._selected.mails.pop(uid, None)
        self._after(fault)

    async def wait(self, seconds: float) -> None:
        await self._called("wait")
        changed = self._selected.changed
        changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        self._closed = True

    @property
    def _selected(self) -> FakeFolder:
        if self._open is None:
            raise ImapError("no folder is open", transient=False)
        return self._open

    def _named(self, folder: str) -> FakeFolder:
        if folder not in self._folders:
            raise ImapError(f"no folder {folder}", transient=True, usable=True)
        return self._folders[folder]

    def _put(self, uids: Sequence[int], folder: str, *, remove: bool) -> None:
        target = self._named(folder)
        for uid in uids:
            if uid in self._selected.mails:
                raw, arrived = self._selected.mails[uid]
                target.add(raw, arrived)
                if remove:
                    del self._selected.mails[uid]

    async def _called(self, method: str, uids: Sequence[int] = ()) -> _Fault | None:
        assert len(uids) <= PAGE_UIDS
        await asyncio.sleep(0)
        if self._closed:
            raise ImapError(f"{method}: the connection is closed", transient=True)
        try:
            return self._server._before(method)
        except ImapError as error:
            self._closed = not error.usable
            raise

    def _after(self, fault: _Fault | None) -> None:
        if fault is not None:
            self._closed = not fault.error.usable
            raise fault.error
