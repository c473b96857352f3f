"""The SMTP seam: one connection to one server, and what the server said about each recipient.

Over aiosmtplib, of which one client serves one connection at a time. We give its commands one by one, because
its `sendmail` forgets who was refused when the mail's content is refused later. A connection that raised is
of no more use: close it and open another one.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field

from services.notify.domain.delivery import Recipient, Result

T = TypeVar("T")

ANSWER_LIMIT = 500
"""Characters of a server's answer that are kept."""
CLOSE_SECONDS = 5.0
_NOT_THE_MAILS_FAULT = frozenset({421, 503, 530, 534, 535, 538})
"""Answers about the server or the login: it goes away, wants TLS or a (better) login (RFC 4954, 3207)."""


class Tls(StrEnum):
    """How a connection is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpServer(BaseModel):
    """One SMTP server of the settings. `starttls` and `tls` are required where they are set, never hoped for.

    `null_sender` says that the server takes mail from nobody (`MAIL FROM:<>`); services that check the sender
    often do not. `command_seconds` bounds connecting and each command, `data_seconds` the answer to the mail
    itself: RFC 5321 4.5.3.2.6 gives the server ten minutes, because a client that leaves earlier sends twice.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: Tls = Tls.STARTTLS
    verify: bool = True
    ca_file: Path | None = None
    hello: str | None = None
    null_sender: bool = True
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    command_seconds: Annotated[float, Field(gt=0)] = 60.0
    data_seconds: Annotated[float, Field(gt=0)] = 600.0
    idle_seconds: Annotated[float, Field(gt=0)] = 30.0


@dataclass(frozen=True, slots=True)
class Login:
    """What a server wants to know before it takes mail."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.user!r})"


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
        self._client: aiosmtplib.SMTP | None = None

    @property
    def usable(self) -> bool:
        """Whether it is open, as far as we know."""
        return self._client is not None and self._client.is_connected

    async def open(self) -> None:
        """Connect, protect, greet and log in. Raises `SmtpError`."""
        server, login = self._server, self._login
        try:
            context = None if server.tls is Tls.NONE else await asyncio.to_thread(_tls_context, server)
            self._client = aiosmtplib.SMTP(
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
            await self._within(self._client.connect(), 3 * server.command_seconds)
            if self._client.is_ehlo_or_helo_needed:
                await self._within(self._greet(self._client), 2 * server.command_seconds)
        except (aiosmtplib.SMTPAuthenticationError, ssl.SSLCertVerificationError, FileNotFoundError) as error:
            raise self._broken(error, transient=False, blameless=True) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._broken(error, transient=not _certificate_refused(error), blameless=True) from error

    async def check(self) -> None:
        """See whether the server is still there. Raises `SmtpError`."""
        try:
            await self._within(self._opened.noop(), self._server.command_seconds)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._broken(error, blameless=True) from error

    async def deliver(self, letter: Letter) -> list[Recipient]:
        """Hand a mail over: one answer per recipient, in their order.

        Raises `SmtpError` when the connection broke; then nothing is known about any recipient.
        """
        client = self._opened
        if letter.smtputf8 and not client.supports_extension("smtputf8"):
            text = "The server cannot take an address with letters beyond ASCII (SMTPUTF8)."
            return [Recipient(each, Result.REFUSED, None, text) for each in letter.recipients]
        encoding = "utf-8" if letter.smtputf8 else "ascii"
        try:
            refused = await self._envelope(client, letter, encoding)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._broken(error) from error
        if len(refused) < len(letter.recipients):
            try:
                done = await self._within(
                    client.data(letter.mime, timeout=self._server.data_seconds), 2 * self._server.data_seconds
                )
                code, text = done.code, done.message
            except aiosmtplib.SMTPDataError as error:
                code, text = error.code, error.message
                await self._forget(client)
            except (aiosmtplib.SMTPException, OSError) as error:
                raise self._broken(error, uncertain=True) from error
            return [refused.get(each) or _answered(each, code, text) for each in letter.recipients]
        await self._forget(client)
        return [refused[each] for each in letter.recipients]

    async def close(self) -> None:
        """Say goodbye if possible. Never raises, never takes long."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            pass
        finally:
            client.close()

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()

    async def _envelope(self, client: aiosmtplib.SMTP, letter: Letter, encoding: str) -> dict[str, Recipient]:
        """Say from whom and to whom; return who was refused."""
        options = ["smtputf8"] if letter.smtputf8 else []
        if client.supports_extension("size"):
            options.append(f"size={len(letter.mime)}")
        seconds = self._server.command_seconds
        try:
            await self._within(client.mail(letter.sender, options=options, encoding=encoding), seconds)
        except aiosmtplib.SMTPSenderRefused as error:
            if error.code in _NOT_THE_MAILS_FAULT:
                raise self._broken(error, transient=error.code == 421, blameless=True) from error
            return {each: _answered(each, error.code, error.message) for each in letter.recipients}
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._broken(error, blameless=True) from error
        refused: dict[str, Recipient] = {}
        for recipient in letter.recipients:
            try:
                await self._within(client.rcpt(recipient, encoding=encoding), seconds)
            except aiosmtplib.SMTPRecipientRefused as error:
                if error.code == 421:
                    raise self._broken(error) from error
                refused[recipient] = _answered(recipient, error.code, error.message)
        return refused

    async def _forget(self, client: aiosmtplib.SMTP) -> None:
        """Reset what led to nothing. If that fails, the next use of the connection says so."""
        try:
            await self._within(client.rset(), self._server.command_seconds)
        except (aiosmtplib.SMTPException, OSError):
            client.close()

    async def _within(self, call: Awaitable[T], seconds: float) -> T:
        # The library has timeouts of its own; this one also covers its locks and the closing of transports.
        async with asyncio.timeout(seconds + CLOSE_SECONDS):
            return await call

    @property
    def _opened(self) -> aiosmtplib.SMTP:
        if self._client is None:
            raise SmtpError("The connection is not open.", blameless=True)
        return self._client

    def _broken(
        self, error: Exception, *, transient: bool = True, blameless: bool = False, uncertain: bool = False
    ) -> SmtpError:
        if self._client is not None:
            self._client.close()
            self._client = None
        where = f"{self._server.host}:{self._server.port}"
        said = (
            f"{error.code} {error.message}"
            if isinstance(error, aiosmtplib.SMTPResponseException)
            else str(error)
        )
        text = _one_line(said) or type(error).__name__
        return SmtpError(f"{where}: {text}", transient=transient, blameless=blameless, uncertain=uncertain)


def _answered(recipient: str, code: int, text: str) -> Recipient:
    result = Result.REFUSED if code >= 500 else Result.ACCEPTED if 200 <= code < 300 else Result.DEFERRED
    return Recipient(recipient, result, code, _one_line(text))


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


def _certificate_refused(error: BaseException | None) -> bool:
    """Whether a certificate was the reason: aiosmtplib wraps what the TLS library says."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__
    return False
