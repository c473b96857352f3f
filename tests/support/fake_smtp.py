"""SMTP servers that do as they are told: one in memory behind notify's seam, one that speaks the protocol.

Both follow a `Script` and pass the same contract suite.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from services.notify.domain.delivery import Recipient, Result
from services.notify.smtp import Letter, Login, SmtpError, SmtpServer, Tls

ANNA = "anna@harbour.test"
MIME = b"Subject: Hello\r\n\r\n.\r\n..two dots\r\nlast line\r\n"

Said = tuple[int, str]
"""A code and a text."""


def letter(*recipients: str, sender: str = "help@mailroom.test") -> Letter:
    """For Anna, unless for others."""
    return Letter(sender, recipients or (ANNA,), MIME)


@dataclass(frozen=True)
class Delivered:
    """A mail that the server took."""

    sender: str
    recipients: tuple[str, ...]
    mime: bytes


@dataclass
class Script:
    """What a server does; it may be changed while it runs.

    `vanish` breaks the connection at "mail", "rcpt", or at "data" after the content was taken. `away` refuses
    connections. `before_answer` is called when a mail was taken and before the client hears of it.
    """

    sender: Said | None = None
    recipients: dict[str, Said] = field(default_factory=dict)
    data: Said | None = None
    vanish: str | None = None
    away: bool = False
    logins: dict[str, str] = field(default_factory=dict)
    smtputf8: bool = True
    pipelining: bool = False
    before_answer: Callable[[], Any] = lambda: None
    delivered: list[Delivered] = field(default_factory=list)
    connections: int = 0

    def take(self, sender: str, recipients: tuple[str, ...], mime: bytes) -> None:
        self.delivered.append(Delivered(sender, recipients, mime))


class FakeSmtp:
    """A server in memory; `connect` makes connections for the sender."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def connect(self, server: SmtpServer, login: Login | None) -> "FakeConnection":
        return FakeConnection(self.script, login)


class FakeConnection:
    """One connection to a `FakeSmtp`."""

    def __init__(self, script: Script, login: Login | None) -> None:
        self._script = script
        self._login = login
        self._open = False

    @property
    def usable(self) -> bool:
        return self._open

    async def open(self) -> None:
        script, login = self._script, self._login
        await asyncio.sleep(0)
        if script.away:
            raise SmtpError("fake: connection refused", blameless=True)
        if login is not None and script.logins.get(login.user) != login.password:
            raise SmtpError("fake: 535 authentication failed", transient=False, blameless=True)
        script.connections += 1
        self._open = True

    async def check(self) -> None:
        await asyncio.sleep(0)
        self._require_open()

    async def deliver(self, letter: Letter) -> list[Recipient]:
        script = self._script
        await asyncio.sleep(0)
        self._require_open()
        if letter.smtputf8 and not script.smtputf8:
            return [Recipient(each, Result.REFUSED, None, "no SMTPUTF8") for each in letter.recipients]
        if script.vanish == "mail" or (script.sender and script.sender[0] in (421, 530)):
            raise self._gone(blameless=True)
        if script.sender:
            return [_said(each, script.sender) for each in letter.recipients]
        answers = {each: _said(each, script.recipients.get(each, (250, "OK"))) for each in letter.recipients}
        if script.vanish == "rcpt" or any(each.code == 421 for each in answers.values()):
            raise self._gone()
        taken = tuple(each for each in letter.recipients if answers[each].result is Result.ACCEPTED)
        if taken:
            if script.data is None:
                script.take(letter.sender, taken, letter.mime)
                script.before_answer()
            if script.vanish == "data":
                raise self._gone(uncertain=True)
            answers |= {each: _said(each, script.data or (250, "OK")) for each in taken}
        return [answers[each] for each in letter.recipients]

    async def close(self) -> None:
        self._open = False

    def _require_open(self) -> None:
        if not self._open:
            raise SmtpError("fake: not open", blameless=True)

    def _gone(self, *, blameless: bool = False, uncertain: bool = False) -> SmtpError:
        self._open = False
        return SmtpError("fake: connection lost", blameless=blameless, uncertain=uncertain)


def _said(address: str, said: Said) -> Recipient:
    code, text = said
    result = Result.REFUSED if code >= 500 else Result.ACCEPTED if code < 300 else Result.DEFERRED
    return Recipient(address, result, code, text)


class _Handler:
    """aiosmtpd's hooks, doing as the script says."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        *others, last = responses
        return [*others, "250-PIPELINING", last] if self._script.pipelining else responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        script = self._script
        if script.vanish == "mail":
            _cut(server)
        if script.sender:
            return _closing(server, script.sender)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        script = self._script
        if script.vanish == "rcpt":
            _cut(server)
        if said := script.recipients.get(address):
            return _closing(server, said)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        script = self._script
        if script.data is None:
            content = envelope.original_content or b""
            script.take((envelope.mail_from or "").removeprefix("<>"), tuple(envelope.rcpt_tos), content)
            script.before_answer()
        if script.vanish == "data":
            _cut(server)
        return _closing(server, script.data) if script.data else "250 OK"


def _closing(server: SMTP, said: Said) -> str:
    if said[0] == 421 and server.transport is not None:
        asyncio.get_running_loop().call_soon(server.transport.close)
    return f"{said[0]} {said[1]}"


def _cut(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    raise ConnectionResetError("as the script says")


@asynccontextmanager
async def scripted_server(
    script: Script, *, tls: Tls = Tls.NONE, context: ssl.SSLContext | None = None
) -> AsyncIterator[SmtpServer]:
    """A real SMTP server that follows `script`; gives the settings that lead to it."""

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        given = data.password.decode()
        return AuthResult(success=script.logins.get(data.login.decode()) == given, handled=False)

    def protocol() -> SMTP:
        script.connections += 1
        return SMTP(
            _Handler(script),
            hostname="scripted.test",
            enable_SMTPUTF8=script.smtputf8,
            tls_context=context if tls is Tls.STARTTLS else None,
            authenticator=authenticate,
            auth_require_tls=False,
            loop=loop,
        )

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls is Tls.TLS else None)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield SmtpServer(host="127.0.0.1", port=port, tls=tls, command_seconds=5, data_seconds=5)
    finally:
        listening.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await listening.wait_closed()
