"""What notify's sender relies on, asked of the fake, a scripted server and GreenMail alike (design §7)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import uvloop

from deploy.local.endpoints import Endpoints
from services.notify.domain.delivery import Recipient, Result
from services.notify.smtp import Connection, Letter, Login, SmtpConnection, SmtpError, SmtpServer, Tls
from tests.support.fake_smtp import ANNA, MIME, Delivered, FakeSmtp, Script, letter, scripted_server
from tests.support.greenmail import mails_of

BEN, CARA = "ben@harbour.test", "cara@harbour.test"


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
