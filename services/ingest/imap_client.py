"""aioimaplib's client and protocol with their loose ends tied up: reading, limits, a connection's end."""

import asyncio
import logging
import ssl
from typing import Any

import aioimaplib  # type: ignore[import-untyped]
from aioimaplib import aioimaplib as library

from services.ingest.imap_responses import Responses
from services.ingest.imap_text import FetchItem, fetch_item

ROOM = 16 * 1024 * 1024
"""Bytes that a server may send for one command beyond the bodies that were asked for."""

# On lower levels it logs what is sent and received: mails.
logging.getLogger("aioimaplib").setLevel(logging.ERROR)


class Protocol(library.IMAP4ClientProtocol):  # type: ignore[misc]
    """The library's protocol, with an end that can be awaited and a limit to what is taken in."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop, self._lost)
        self.ended: asyncio.Future[str] = loop.create_future()
        self.allowance = ROOM
        self.fetched: list[FetchItem] | None = None
        """What the server has answered to the FETCH that is under way."""
        self._responses = Responses()

    def data_received(self, data: bytes) -> None:
        # Not the library's own way: it takes quadratic time and a level of recursion for each line.
        self.allowance -= len(data)
        if self.allowance < 0:
            self.end("the server sends more than was asked for")
        if self.ended.done():
            return
        for command in self.pending_async_commands.values():
            command._reset_timer()  # its time runs from the last sign of life
        for response in self._responses.feed(data):
            if self.fetched is not None and (item := fetch_item(response)) is not None:
                self.fetched.append(item)
            else:
                self._handle_line(response.text, None)
        if self.pending_sync_command is not None:
            self.pending_sync_command.flush()

    def send(self, line: str, scrub: str | None = None) -> None:
        try:
            super().send(line, scrub)
        except RuntimeError as closed:  # uvloop's word for a connection that has just ended
            raise ConnectionError(str(closed)) from closed

    async def welcome(self, line: bytes) -> None:
        try:
            await super().welcome(line)
        except Exception as error:  # in a task that nobody awaits
            self.end(str(error))

    def end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)
        if self.transport is not None:
            self.transport.abort()

    def _lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(
                f"connection lost: {error}" if error else "the server closed the connection"
            )


class Client(aioimaplib.IMAP4):  # type: ignore[misc]
    """The library's client, TLS or not, speaking our protocol."""

    protocol: Protocol

    def create_client(
        self,
        host: str,
        port: int,
        loop: asyncio.AbstractEventLoop | None,
        conn_lost_cb: Any = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.protocol = Protocol(loop)
        self._client_task = loop.create_task(
            loop.create_connection(lambda: self.protocol, host, port, ssl=ssl_context)
        )
