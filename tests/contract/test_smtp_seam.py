"""What notify's sender relies on, asked of the fake, a scripted server and GreenMail alike (design §7)."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.local.endpoints import Endpoints
from services.notify.domain.delivery import Recipient, Result
from services.notify.smtp import Connection, Letter, Login, SmtpConnection, SmtpError, SmtpServer, Tls
from tests.support.fake_smtp import Delivered, FakeSmtp, Script, scripted_server
from tests.support.greenmail import mails_of

ANNA, BEN, CARA = "anna@harbour.test", "ben@harbour.test", "cara@harbour.test"
MIME = b"Subject: Hello\r\n\r\n.\r\n..two dots\r\nlast line\r\n"


@dataclass
class Subject:
    """A server under test: what it was told, and connections to it."""

    script: Script
    connect: Callable[[Login | None], Awaitable[Connection]]


@pytest.fixture(params=["fake", "scripted", "pipelining"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """A server that does as its script says."""
    script = Script(pipelining=request.param == "pipelining")
    async with AsyncExitStack() as stack:
        address = (
            SmtpServer(host="fake")
            if request.param == "fake"
            else await stack.enter_async_context(scripted_server(script))
        )

        async def connect(login: Login | None = None) -> Connection:
            made: Connection
            if request.param == "fake":
                made = FakeSmtp(script).connect(address, login)
            else:
                made = SmtpConnection(address, login)
            stack.push_async_callback(made.close)
            return made

        yield Subject(script, connect)


async def opened(server: Subject, login: Login | None = None) -> Connection:
    connection = await server.connect(login)
    await connection.open()
    return connection


def letter(*recipients: str, sender: str = "help@mailroom.test") -> Letter:
    return Letter(sender, recipients or (ANNA,), MIME)


def results(answers: list[Recipient]) -> dict[str, tuple[Result, int | None]]:
    return {each.address: (each.result, each.code) for each in answers}


async def test_a_mail_arrives_as_it_was_for_everybody(server: Subject) -> None:
    connection = await opened(server)
    answers = await connection.deliver(letter(ANNA, BEN))
    assert results(answers) == {ANNA: (Result.ACCEPTED, 250), BEN: (Result.ACCEPTED, 250)}
    (delivered,) = server.script.delivered
    assert (delivered.sender, delivered.recipients) == ("help@mailroom.test", (ANNA, BEN))
    assert delivered.mime.replace(b"\r\n..", b"\r\n.").count(b"dots") == 1


async def test_a_connection_takes_many_mails(server: Subject) -> None:
    connection = await opened(server)
    for _ in range(3):
        await connection.deliver(letter())
        await connection.check()
    assert len(server.script.delivered) == 3
    assert server.script.connections == 1


async def test_a_mail_may_come_from_nobody(server: Subject) -> None:
    """RFC 5321 4.5.5: the null reverse path of automatic mail."""
    connection = await opened(server)
    await connection.deliver(letter(sender=""))
    assert server.script.delivered[0].sender == ""


async def test_each_recipient_has_a_result_of_its_own(server: Subject) -> None:
    server.script.recipients = {BEN: (451, "later"), CARA: (550, "nobody here")}
    answers = await (await opened(server)).deliver(letter(ANNA, BEN, CARA))
    assert results(answers) == {
        ANNA: (Result.ACCEPTED, 250),
        BEN: (Result.DEFERRED, 451),
        CARA: (Result.REFUSED, 550),
    }
    assert answers[2].answer == "nobody here"
    assert server.script.delivered[0].recipients == (ANNA,)


async def test_a_mail_that_nobody_gets_leaves_the_connection_usable(server: Subject) -> None:
    server.script.recipients = {ANNA: (550, "nobody here")}
    connection = await opened(server)
    assert results(await connection.deliver(letter())) == {ANNA: (Result.REFUSED, 550)}
    assert results(await connection.deliver(letter(BEN))) == {BEN: (Result.ACCEPTED, 250)}


@pytest.mark.parametrize(("code", "result"), [(451, Result.DEFERRED), (554, Result.REFUSED)])
async def test_refused_content_is_refused_for_those_who_were_accepted(
    server: Subject, code: int, result: Result
) -> None:
    server.script.data = (code, "content")
    server.script.recipients = {BEN: (550, "nobody here")}
    connection = await opened(server)
    assert results(await connection.deliver(letter(ANNA, BEN))) == {
        ANNA: (result, code),
        BEN: (Result.REFUSED, 550),
    }
    server.script.data = None
    assert results(await connection.deliver(letter())) == {ANNA: (Result.ACCEPTED, 250)}


@pytest.mark.parametrize(("code", "result"), [(452, Result.DEFERRED), (550, Result.REFUSED)])
async def test_a_refused_sender_is_everybodys_result(server: Subject, code: int, result: Result) -> None:
    server.script.sender = (code, "not you")
    answers = await (await opened(server)).deliver(letter(ANNA, BEN))
    assert results(answers) == {ANNA: (result, code), BEN: (result, code)}


@pytest.mark.parametrize("code", [421, 530])
async def test_an_answer_about_the_server_blames_no_mail(server: Subject, code: int) -> None:
    server.script.sender = (code, "not now")
    connection = await opened(server)
    with pytest.raises(SmtpError) as broken:
        await connection.deliver(letter())
    assert broken.value.blameless
    assert not connection.usable


@pytest.mark.parametrize(
    ("moment", "blameless", "uncertain"),
    [("mail", True, False), ("rcpt", False, False), ("data", False, True)],
)
async def test_a_lost_connection_says_what_is_known(
    server: Subject, moment: str, blameless: bool, uncertain: bool
) -> None:
    """Only after the content was given may the mail have arrived (design §2).

    Of commands that came together, what was not answered may be anyone's fault.
    """
    server.script.vanish = moment
    blameless &= not server.script.pipelining
    connection = await opened(server)
    with pytest.raises(SmtpError) as broken:
        await connection.deliver(letter())
    assert (broken.value.blameless, broken.value.uncertain) == (blameless, uncertain)
    assert broken.value.transient
    assert not connection.usable
    assert len(server.script.delivered) == (1 if uncertain else 0)


async def test_a_server_that_goes_away_while_asked_about_recipients_breaks_the_connection(
    server: Subject,
) -> None:
    server.script.recipients = {ANNA: (421, "closing")}
    connection = await opened(server)
    with pytest.raises(SmtpError) as broken:
        await connection.deliver(letter())
    assert not broken.value.blameless


async def test_a_login_is_used(server: Subject) -> None:
    server.script.logins = {"help": "secret"}
    await (await opened(server, Login("help", "secret"))).deliver(letter())
    assert len(server.script.delivered) == 1


async def test_a_wrong_login_waits_for_a_person(server: Subject) -> None:
    server.script.logins = {"help": "secret"}
    connection = await server.connect(Login("help", "wrong"))
    with pytest.raises(SmtpError) as refused:
        await connection.open()
    assert not refused.value.transient
    assert refused.value.blameless
    assert "wrong" not in str(refused.value) + repr(Login("help", "wrong"))


async def test_letters_beyond_ascii_are_refused_where_the_server_cannot_take_them(server: Subject) -> None:
    server.script.smtputf8 = False
    connection = await opened(server)
    answers = await connection.deliver(Letter("help@mailroom.test", ("jürgen@x.test",), MIME, smtputf8=True))
    assert results(answers) == {"jürgen@x.test": (Result.REFUSED, None)}


async def test_letters_beyond_ascii_reach_a_server_that_can_take_them(server: Subject) -> None:
    connection = await opened(server)
    await connection.deliver(Letter("help@mailroom.test", ("jürgen@x.test",), MIME, smtputf8=True))
    assert server.script.delivered[0].recipients == ("jürgen@x.test",)


async def test_a_closed_connection_is_of_no_use(server: Subject) -> None:
    connection = await opened(server)
    await connection.close()
    assert not connection.usable
    with pytest.raises(SmtpError) as broken:
        await connection.deliver(letter())
    assert broken.value.blameless
    await connection.close()


async def test_a_server_that_does_not_listen_blames_no_mail() -> None:
    async with scripted_server(Script()) as gone:
        connection = SmtpConnection(gone)
    with pytest.raises(SmtpError) as refused:
        await connection.open()
    assert refused.value.blameless
    assert refused.value.transient


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[SmtpServer]:
    """A server that `serve` is all of."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield SmtpServer(host="127.0.0.1", port=port, tls=Tls.NONE)
    server.close()


async def test_a_server_that_says_nothing_does_not_hold_us_for_ever() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(mute) as server:
        connection = SmtpConnection(server.model_copy(update={"command_seconds": 0.1}))
        with pytest.raises(SmtpError) as refused:
            await connection.open()
        assert refused.value.blameless


async def test_an_answer_in_another_charset_can_be_stored() -> None:
    """A result that no table takes would never be noted, and its mail sent again and again (design §2)."""
    answers = {
        b"EHLO": b"250 here\r\n",
        b"RCPT": "550 Empf\u00e4nger unbekannt\0\r\n".encode("latin-1"),
    }

    async def abroad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            writer.write(answers.get(line[:4].upper(), b"250 ok\r\n"))
        writer.close()

    async with listening(abroad) as server:
        connection = SmtpConnection(server)
        await connection.open()
        (answer,) = await connection.deliver(letter(ANNA))
        await connection.close()
    assert answer == Recipient(ANNA, Result.REFUSED, 550, "Empf\ufffdnger unbekannt")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "scripted.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
async def test_a_protected_connection_takes_mail(tls: Tls, certificate: Path) -> None:
    script = Script()
    async with scripted_server(script, tls=tls, context=context_of(certificate)) as address:
        connection = SmtpConnection(address.model_copy(update={"ca_file": certificate}))
        await connection.open()
        await connection.deliver(letter())
        await connection.close()
    assert len(script.delivered) == 1


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
async def test_a_certificate_that_nobody_vouches_for_waits_for_a_person(tls: Tls, certificate: Path) -> None:
    async with scripted_server(Script(), tls=tls, context=context_of(certificate)) as address:
        connection = SmtpConnection(address)
        with pytest.raises(SmtpError) as refused:
            await connection.open()
        assert not refused.value.transient
        assert refused.value.blameless


async def test_no_mail_goes_out_unprotected_where_starttls_is_required() -> None:
    script = Script()
    async with scripted_server(script) as address:
        connection = SmtpConnection(address.model_copy(update={"tls": Tls.STARTTLS}))
        with pytest.raises(SmtpError) as refused:
            await connection.open()
    assert refused.value.blameless
    assert script.delivered == []


async def test_a_server_that_wants_a_mail_for_nobody_gets_an_empty_one() -> None:
    """RFC 2920 3.1: DATA may have been accepted before the client hears that no recipient was."""
    heard: list[bytes] = []
    answers = {b"EHLO": b"250-here\r\n250 PIPELINING\r\n", b"RCPT": b"550 no\r\n", b"DATA": b"354 go on\r\n"}

    async def eager(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            heard.append(line)
            writer.write(answers.get(line[:4].upper(), b"250 ok\r\n"))
        writer.close()

    async with listening(eager) as server:
        connection = SmtpConnection(server)
        await connection.open()
        (answer,) = await connection.deliver(letter(ANNA))
        assert answer == Recipient(ANNA, Result.REFUSED, 550, "no")
        assert heard[-3:] == [b"DATA\r\n", b".\r\n", b"RSET\r\n"]
        assert connection.usable
        await connection.close()


def test_the_loop_of_production_takes_mail() -> None:
    """uvloop's transports are other ones than asyncio's."""

    async def deliver() -> list[Delivered]:
        script = Script(pipelining=True)
        async with scripted_server(script) as address:
            connection = SmtpConnection(address)
            await connection.open()
            await connection.deliver(letter())
            await connection.close()
        return script.delivered

    assert len(uvloop.run(deliver())) == 1


async def test_greenmail_delivers_what_it_is_given(stack: Endpoints, mailbox_domain: str) -> None:
    anna = f"anna@{mailbox_domain}"
    server = SmtpServer(host=stack.smtp.host, port=stack.smtp.port, tls=Tls.NONE)
    connection = SmtpConnection(server)
    await connection.open()
    for _ in range(2):
        answers = await connection.deliver(letter(anna))
        assert results(answers) == {anna: (Result.ACCEPTED, 250)}
        await connection.check()
    await connection.close()
    mails = await mails_of(stack, anna)
    assert len(mails) == 2
    assert mails[0].get_content().split() == [".", "..two", "dots", "last", "line"]
