"""A sender that is killed after the server took the mail and before it could note that (design §2)."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta

from services.notify.smtp import SmtpConnection, SmtpServer
from shared.metrics import OUTGOING_REPEATS
from tests.support.dispatch import Dispatch, request
from tests.support.fake_smtp import Script, scripted_server
from tests.support.letters import parsed
from tests.support.waiting import eventually


def environment(office: Dispatch, server: SmtpServer) -> dict[str, str]:
    settings = office.settings
    servers = f'{{"main": {server.model_dump_json()}, "other": {server.model_dump_json()}}}'
    return {
        **os.environ,
        "MAILROOM_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "MAILROOM_POSTGRES_DSN": settings.postgres_dsn,
        "MAILROOM_BLOBS_URL": settings.blobs_url,
        "MAILROOM_SECRETS_DIR": str(settings.secrets_dir),
        "MAILROOM_SMTP_SERVERS": servers,
    }


async def test_the_mail_of_a_killed_sender_is_sent_again_with_the_same_message_id(office: Dispatch) -> None:
    """Guarantee 4: the one window of SMTP is written down and counted."""
    repeats = OUTGOING_REPEATS.labels("lost")._value.get()
    script = Script()
    await office.ask(*(request(number) for number in range(5)))
    async with scripted_server(script) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.sender_process", env=environment(office, server)
        )
        script.before_answer = process.kill
        await process.wait()
        script.before_answer = lambda: None
        (taken, *more) = script.delivered
        assert (await office.states()).count("sent") <= len(more)
        # Claims of the dead end by themselves.
        office.clock.set(datetime.now(UTC) + timedelta(minutes=1))
        async with office.sending(lambda _, login: SmtpConnection(server, login)):

            async def all_sent() -> bool:
                return await office.states() == ["sent"] * 5

            await eventually(all_sent)
    again = [each for each in script.delivered if each.recipients == taken.recipients]
    assert len(again) == 2
    assert len({parsed(each.mime)["Message-ID"] for each in again}) == 1
    number = int(taken.recipients[0].removeprefix("customer").partition("@")[0])
    assert await office.attempts(number) == ["lost", "sent"]
    assert OUTGOING_REPEATS.labels("lost")._value.get() > repeats
    assert len(await office.said("mail.sent")) == 5
    assert {len(each.recipients) for each in script.delivered} == {1}
