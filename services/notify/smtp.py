"""The SMTP seam: one connection to one server, and what the server said about each recipient.

aiosmtplib opens a connection, protects it and logs in; what is said then is a `Dialogue`. Where the server
allows it, sender, recipients and DATA go out together (RFC 2920), so that a mail costs two round trips. A
connection that raised is of no more use: close it and open another one.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import aiosmtplib

from services.notify.dialogue import Dialogue, Reply
from services.notify.domain.delivery import Recipient, Result
from services.notify.smtp_server import Login, SmtpServer, Tls

__all__ = ["Connection", "Letter", "Login", "SmtpConnection", "SmtpError", "SmtpServer", "Tls"]

T = TypeVar("T")

ANSWER_LIMIT = 500
"""Characters of a server's answer that are kept."""
CLOSE_SECONDS = 5.0
_NOT_THE_MAILS_FAULT = frozenset({421, 503, 530, 534, 535, 538})
"""Answers about the server or the login: it goes away, wants TLS or a (better) login (RFC 4954, 3207)."""
_FOR_A_PERSON = (aiosmtplib.SMTPAuthenticationError, ssl.SSLCertVerificationError, FileNotFoundError)
_GO_ON = 354


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as SMTP sees it. `sender` may be empty (null reverse path); `mime` has CRLF line ends."""

    sender: str
    recipients: Sequence[str]
    mime: bytes
    smtputf8: bool = False


class SmtpError(Exception):
    """The connection is of no more use. `reason` is a sentence.

    `transient` is false where only a person can help: a wrong password, a wrong certificate. `blameless`
    means that the mail has nothing to do with it: it happened before the mail was at stake, or to the server
    as a whole. `uncertain` means that the server had the mail's content and its answer was lost.
    """

    def __init__(
        self, reason: str, *, transient: bool = True, blameless: bool = False, uncertain: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.transient = transient
        self.blameless = blameless
        self.uncertain = uncertain


class Connection(Protocol):
    """What the sender needs of a connection; the fake of the tests has the same."""

    @property
    def usable(self) -> bool: ...
    async def open(self) -> None: ...
    async def check(self) -> None: ...
    async def deliver(self, letter: Letter) -> list[Recipient]: ...
    async def close(self) -> None: ...


class SmtpConnection:
    """One connection, not yet open."""

    def __init__(self, server: SmtpServer, login: Login | None = None) -> None:
        self._server = server
        self._login = login
        self._dialogue: Dialogue | None = None
        self._extensions: frozenset[str] = frozenset()

    @property
    def usable(self) -> bool:
        """Whether it is open, as far as we know."""
        return self._dialogue is not None and self._dialogue.usable

    async def open(self) -> None:
        """Connect, protect, greet and log in. Raises `SmtpError`."""
        server, login = self._server, self._login
        client: aiosmtplib.SMTP | None = None
        try:
            context = None if server.tls is Tls.NONE else await asyncio.to_thread(_tls_context, server)
            client = aiosmtplib.SMTP(
                hostname=server.host,
                port=server.port,
                use_tls=server.tls is Tls.TLS,
                start_tls=server.tls is Tls.STARTTLS,
                tls_context=context,
                local_hostname=server.hello,
                timeout=server.command_seconds,
                username=login.user if login else None,
                password=login.password if login else None,
            )
            await self._within(client.connect(), 3 * server.command_seconds)
            if client.is_ehlo_or_helo_needed:
                await self._within(self._greet(client), 2 * server.command_seconds)
            if client.transport is None:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            self._extensions = frozenset(client.esmtp_extensions)
            # Not asked for its type: uvloop's transports have what asyncio's have, and are none of them.
            self._dialogue = Dialogue(cast(asyncio.Transport, client.transport))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if client is not None:
                client.close()
            raise self._broken(error, transient=not _waits_for_a_person(error), blameless=True) from error

    async def check(self) -> None:
        """See whether the server is still there. Raises `SmtpError`."""
        try:
            (reply,) = await self._opened.ask(b"NOOP", seconds=self._server.command_seconds)
        except OSError as error:
            raise self._broken(error, blameless=True) from error
        if not reply.positive:
            raise self._broken(reply, blameless=True)

    async def deliver(self, letter: Letter) -> list[Recipient]:
        """Hand a mail over: one answer per recipient, in their order.

        Raises `SmtpError` when the connection broke; then nothing is known about any recipient.
        """
        if letter.smtputf8 and "smtputf8" not in self._extensions:
            text = "The server cannot take an address with letters beyond ASCII (SMTPUTF8)."
            return [Recipient(each, Result.REFUSED, None, text) for each in letter.recipients]
        dialogue = self._opened
        answers, ready = await self._envelope(dialogue, letter)
        accepted = any(each.positive for each in answers)
        taken = ready
        if ready is not None and ready.code == _GO_ON:
            taken = await self._content(dialogue, letter.mime if accepted else b"")
        if not accepted or taken is None or not taken.positive:
            await self._forget(dialogue)
        return [
            _answered(recipient, taken if taken is not None and answer.positive else answer)
            for recipient, answer in zip(letter.recipients, answers, strict=True)
        ]

    async def close(self) -> None:
        """Say goodbye if possible. Never raises, never takes long."""
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is None:
            return
        try:
            await dialogue.ask(b"QUIT", seconds=CLOSE_SECONDS)
        except OSError:
            pass
        finally:
            dialogue.close()

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()

    async def _envelope(self, dialogue: Dialogue, letter: Letter) -> tuple[list[Reply], Reply | None]:
        """Say from whom and to whom; return the reply to each recipient, and to DATA if that was said."""
        sender, recipients = self._commands(letter)
        seconds = self._server.command_seconds
        together = "pipelining" in self._extensions
        said = (sender, *recipients, b"DATA") if together else (sender,)
        try:
            allowed, *replies = await dialogue.ask(*said, seconds=len(said) * seconds)
        except OSError as error:
            # A server that leaves may have kept its replies to the first commands.
            raise self._broken(error, blameless=not together) from error
        if allowed.code in _NOT_THE_MAILS_FAULT:
            raise self._broken(allowed, transient=allowed.code == 421, blameless=True)
        try:
            if not together and allowed.positive:
                for recipient in recipients:
                    replies += await dialogue.ask(recipient, seconds=seconds)
                if any(each.positive for each in replies):
                    replies += await dialogue.ask(b"DATA", seconds=seconds)
        except OSError as error:
            raise self._broken(error) from error
        ready = replies.pop() if len(replies) > len(recipients) else None
        answers = replies if allowed.positive else [allowed] * len(recipients)
        for each in answers:
            if each.code == 421:
                raise self._broken(each)
        if ready is not None and ready.positive:
            raise self._broken(ready)  # it has not had the mail yet
        return answers, ready

    async def _content(self, dialogue: Dialogue, mime: bytes) -> Reply:
        """Give the mail; an empty one where the server wants it for nobody (RFC 2920 3.1)."""
        try:
            return await dialogue.give(mime, seconds=self._server.data_seconds)
        except OSError as error:
            raise self._broken(error, uncertain=bool(mime)) from error

    async def _forget(self, dialogue: Dialogue) -> None:
        """Reset what led to nothing. If that fails, the next use of the connection says so."""
        try:
            await dialogue.ask(b"RSET", seconds=self._server.command_seconds)
        except OSError:
            dialogue.close()

    def _commands(self, letter: Letter) -> tuple[bytes, list[bytes]]:
        options = " SMTPUTF8" if letter.smtputf8 else ""
        if "size" in self._extensions:
            options += f" SIZE={len(letter.mime)}"
        encoding = "utf-8" if letter.smtputf8 else "ascii"
        sender = f"MAIL FROM:<{letter.sender}>{options}".encode(encoding)
        return sender, [f"RCPT TO:<{each}>".encode(encoding) for each in letter.recipients]

    async def _within(self, call: Awaitable[T], seconds: float) -> T:
        # The library has timeouts of its own; this one also covers its locks and the closing of transports.
        async with asyncio.timeout(seconds + CLOSE_SECONDS):
            return await call

    @property
    def _opened(self) -> Dialogue:
        if self._dialogue is None:
            raise SmtpError("The connection is not open.", blameless=True)
        return self._dialogue

    def _broken(
        self,
        why: Exception | Reply,
        *,
        transient: bool = True,
        blameless: bool = False,
        uncertain: bool = False,
    ) -> SmtpError:
        if self._dialogue is not None:
            self._dialogue.close()
            self._dialogue = None
        if isinstance(why, Reply):
            said = f"{why.code} {why.text}"
        elif isinstance(why, aiosmtplib.SMTPResponseException):
            said = f"{why.code} {why.message}"
        else:
            said = str(why)
        text = _one_line(said) or type(why).__name__
        where = f"{self._server.host}:{self._server.port}"
        return SmtpError(f"{where}: {text}", transient=transient, blameless=blameless, uncertain=uncertain)


def _answered(recipient: str, reply: Reply) -> Recipient:
    code = reply.code
    result = Result.REFUSED if code >= 500 else Result.ACCEPTED if reply.positive else Result.DEFERRED
    return Recipient(recipient, result, code, _one_line(reply.text))


def _one_line(text: str) -> str:
    """An answer fit to be stored: the library lets through what is no UTF-8, and Postgres takes no NUL."""
    legible = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", " ")
    return " ".join(legible.split())[:ANSWER_LIMIT]


def _tls_context(server: SmtpServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server.ca_file)
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _waits_for_a_person(error: BaseException | None) -> bool:
    """Whether the login or a certificate was the reason: aiosmtplib wraps what the TLS library says."""
    while error is not None:
        if isinstance(error, _FOR_A_PERSON):
            return True
        error = error.__cause__
    return False
