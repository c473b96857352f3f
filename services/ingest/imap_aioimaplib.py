"""`ImapSession` over aioimaplib; nothing but this and its client knows aioimaplib.

The library leaves some ends loose, which are tied up here: a command whose connection dies never ends
(every one races against the loss), BYE during IDLE goes unnoticed (idem), LOGIN does not quote the user, a
literal has no limit, capabilities after the login are read wrongly, SEARCH names a charset that Exchange
refuses, the bytes that come in are read anew for every line.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Self, TypeVar

from aioimaplib import aioimaplib as library  # type: ignore[import-untyped]

from services.ingest.imap import ImapError, ImapServer, Listed
from services.ingest.imap_client import ROOM, Client
from services.ingest.imap_text import FetchItem, folder_name, quoted, uid_set

T = TypeVar("T")

CONNECT_SECONDS = 30.0
COMMAND_SECONDS = 60.0
FETCH_SECONDS = 300.0
CLOSE_SECONDS = 5.0
IDLE_SECONDS = 300.0
"""Longer waits are cut: a half-open connection looks like a quiet one."""

_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
_SEPARATOR = re.compile(rb'\([^)]*\) (?:NIL|"\\?(.)")')


class AioimaplibSession:
    """One connection (see `ImapSession` for what its methods promise)."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._separator = "/"

    @classmethod
    async def connect(cls, server: ImapServer, user: str, password: str) -> Self:
        """Connect, log in, learn what the server can do. Raises `ImapError`."""
        place = f"{server.host}:{server.port}"
        try:
            context = ssl.create_default_context(cafile=server.ca_file) if server.tls else None
        except OSError as error:
            raise ImapError(f"{place}: certificates cannot be read: {error}", transient=False) from error
        client = Client(server.host, server.port, timeout=COMMAND_SECONDS, ssl_context=context)
        session = cls(client)
        try:
            await session._ended_by(
                f"connecting to {place}", client.wait_hello_from_server(), CONNECT_SECONDS
            )
            if client.get_state() != library.AUTH:  # PREAUTH needs no login
                await session._login(user, password)
            await session._ended_by("CAPABILITY", client.protocol.capability())
            listed = await session._ask("LIST", client.list('""', '""'))
        except BaseException:
            await session.close()
            raise
        if listed and (found := _SEPARATOR.match(listed[0])) and found[1]:
            session._separator = found[1].decode("ascii", "replace")
        return session

    @property
    def can_move(self) -> bool:
        return bool(self._client.has_capability("MOVE"))

    async def select(self, folder: str) -> int:
        lines = await self._ask(f"SELECT {folder}", self._client.select(self._spelled(folder)))
        for line in lines:
            if found := _UIDVALIDITY.search(line):
                return int(found[1])
        raise ImapError(f"SELECT {folder}: the server gives no UIDVALIDITY", transient=False)

    async def uids(self) -> list[int]:
        # Without NOOP a server need not tell what came in since the last command.
        await self._ask("NOOP", self._client.noop())
        lines = await self._ask("SEARCH", self._client.uid_search("ALL", charset=None))
        return sorted({int(word) for line in lines for word in line.split() if word.isdigit()})

    async def sizes(self, uids: Sequence[int]) -> list[Listed]:
        found = {item.uid: item for item in await self._fetch(uids, "(UID RFC822.SIZE INTERNALDATE)", 0)}
        return [Listed(uid, found[uid].size or 0, found[uid].arrived) for uid in sorted(uids) if uid in found]

    async def fetch(self, uids: Sequence[int], limit: int) -> dict[int, bytes]:
        items = await self._fetch(uids, f"(UID BODY.PEEK[]<0.{limit}>)", limit * len(uids))
        wanted = set(uids)
        return {item.uid: item.body for item in items if item.body is not None and item.uid in wanted}

    async def fetch_part(self, uid: int, offset: int, length: int) -> bytes:
        # From one byte earlier: a part that begins right behind the end is an error to some (GreenMail).
        start = max(offset - 1, 0)
        items = await self._fetch((uid,), f"(UID BODY.PEEK[]<{start}.{length + offset - start}>)", length)
        parts = [item.body for item in items if item.uid == uid and item.body is not None]
        return parts[0][offset - start :] if parts else b""

    async def ensure_folder(self, folder: str) -> None:
        name = self._spelled(folder)
        lines = await self._ask("LIST", self._client.list('""', name))
        if not any(_SEPARATOR.match(line) for line in lines):
            await self._ask(f"CREATE {folder}", self._client.create(name))

    async def move(self, uids: Sequence[int], folder: str) -> None:
        await self._ask(f"MOVE to {folder}", self._client.uid("MOVE", uid_set(uids), self._spelled(folder)))

    async def copy(self, uids: Sequence[int], folder: str) -> None:
        await self._ask(f"COPY to {folder}", self._client.uid("COPY", uid_set(uids), self._spelled(folder)))

    async def delete(self, uids: Sequence[int]) -> None:
        if not self._client.has_capability("UIDPLUS"):
            # A plain EXPUNGE would also remove what others marked.
            raise ImapError("the server cannot delete single mails (UIDPLUS)", transient=False, usable=True)
        chosen = uid_set(uids)
        await self._ask("STORE", self._client.uid("STORE", chosen, "+FLAGS.SILENT", r"(\Deleted)"))
        await self._ask("EXPUNGE", self._client.uid("EXPUNGE", chosen))

    async def wait(self, seconds: float) -> None:
        protocol = self._client.protocol
        seconds = min(seconds, IDLE_SECONDS)
        if not self._client.has_capability("IDLE"):
            await asyncio.wait({protocol.ended}, timeout=seconds)
        else:
            while not protocol.idle_queue.empty():  # news of an earlier IDLE
                protocol.idle_queue.get_nowait()
            done = await self._ended_by("IDLE", self._client.idle_start(timeout=seconds + COMMAND_SECONDS))
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._raced(protocol.idle_queue.get())
                self._client.idle_done()
            except ConnectionError as error:
                raise self._over("IDLE", str(error)) from error
            await self._ended_by("DONE", done)
        if protocol.ended.done():
            raise self._over("IDLE", protocol.ended.result())

    async def close(self) -> None:
        client = self._client
        if not client.protocol.ended.done() and client.protocol.transport is not None:
            with contextlib.suppress(Exception):
                if client.has_pending_idle():  # cancelled while it waited: LOGOUT would wait behind it
                    client.idle_done()
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._raced(client.logout())
        client.protocol.end("closed")
        left = {client._client_task, *client.tasks, *client.protocol.tasks}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _login(self, user: str, password: str) -> None:
        if self._client.has_capability("LOGINDISABLED"):
            raise ImapError("the server allows no LOGIN on this connection (TLS?)", transient=False)
        response = await self._ended_by("LOGIN", self._client.login(quoted(user), password))
        if response.result != "OK":
            raise ImapError(f"login refused: {_last(response.lines)}", transient=False)

    async def _fetch(self, uids: Sequence[int], items: str, body_bytes: int) -> list[FetchItem]:
        protocol = self._client.protocol
        protocol.allowance = ROOM + body_bytes
        fetched: list[FetchItem] = []
        protocol.fetched = fetched
        command = protocol.fetch(uid_set(uids), items, by_uid=True, timeout=COMMAND_SECONDS)
        try:
            await self._ask("FETCH", command, FETCH_SECONDS)
        finally:
            protocol.fetched = None
        return fetched

    def _spelled(self, folder: str) -> str:
        return quoted(folder_name(folder, self._separator))

    async def _ask(self, what: str, command: Awaitable[Any], seconds: float = COMMAND_SECONDS) -> list[bytes]:
        """The lines of a command's answer but for the last, which only says that it is one."""
        response = await self._ended_by(what, command, seconds)
        if response.result == "OK":
            return list(response.lines[:-1])
        # NO is the server's word about this command; BAD says that we and the server do not get along.
        raise ImapError(
            f"{what}: server says {response.result} {_last(response.lines)}",
            transient=response.result == "NO",
            usable=response.result == "NO",
        )

    async def _ended_by(self, what: str, command: Awaitable[T], seconds: float = COMMAND_SECONDS) -> T:
        """The command's result, or `ImapError` after `seconds`, or when the connection is lost."""
        protocol = self._client.protocol
        try:
            async with asyncio.timeout(seconds):
                result = await self._raced(command)
        except TimeoutError:
            raise self._over(what, f"no answer within {seconds:.0f} s") from None
        except (library.AioImapException, OSError, ValueError, LookupError) as error:
            raise self._over(what, str(error) or type(error).__name__) from error
        protocol.allowance = ROOM
        return result

    async def _raced(self, command: Awaitable[T]) -> T:
        ended = self._client.protocol.ended
        task: asyncio.Future[T] = asyncio.ensure_future(_awaited(command))
        either: set[asyncio.Future[Any]] = {task, ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(lambda late: late.cancelled() or late.exception())
        if task.done() and not task.cancelled():
            return task.result()
        raise ConnectionError(ended.result())

    def _over(self, what: str, reason: str) -> ImapError:
        self._client.protocol.end(reason)
        return ImapError(f"{what}: {reason}", transient=True)


async def connect(server: ImapServer, user: str, password: str) -> AioimaplibSession:
    """`Connect` over aioimaplib."""
    return await AioimaplibSession.connect(server, user, password)


def _awaited(command: Awaitable[T]) -> Coroutine[Any, Any, T]:
    async def run() -> T:
        return await command

    return run()


def _last(lines: Sequence[bytes]) -> str:
    return lines[-1].decode("utf-8", "replace")[:200] if lines else ""
