"""What a schema of an earlier version holds is still there after a migration (design §6)."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.endpoints import Endpoints
from shared.migrations import migrate, migrations_of
from tests.support.databases import Database
from tests.support.dispatch import dispatch, request, sample
from tests.support.letters import MAIL, NOON
from tests.support.waiting import eventually

OLD_MAIL = """
INSERT INTO notify.outgoing_mails (
    organisation, id, activity, reference, conversation, mailbox, automatic, state, cause, requested_at,
    decided_at, message_id, sender, home, mime, due_at
) VALUES (
    'acme', $1, $1, '101203-T', '9f3c5a7e1b2d4f60', 'help', true, 'deferred',
    jsonb_build_object(
        'id', '1', 'source', '/tests', 'type', 'mail.compose', 'time', '2026-11-22T12:00:00Z',
        'organisation', 'acme'
    ),
    $2, $2, '1@mailroom.test', 'help@mailroom.test', 'help@mailroom.test', 'Subject: Hello', $2
)
"""
OLD_RECIPIENTS = """
INSERT INTO notify.outgoing_recipients (
    organisation, mail, position, address, result, code, answer, counted_as, counted_at
) VALUES
    ('acme', $1, 1, 'customer2@harbour.test', 'deferred', 451, 'later', 'customer2@harbour.test', $2),
    ('acme', $1, 0, 'Customer1@harbour.test', 'accepted', 250, 'OK', 'customer1@harbour.test', $2)
"""


@pytest.fixture
async def old(stack: Endpoints) -> AsyncIterator[Database]:
    """A database with notify's first schema."""
    name = f"t{uuid4().hex[:10]}"
    admin = await asyncpg.connect(stack.postgres_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    made = Database(stack.postgres_dsn.rpartition("/")[0] + "/" + name)
    first = [each for each in migrations_of("notify") if each.sequence == "frame" or each.number == 1]
    await migrate(made.dsn, "notify", first)
    yield made
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_mail_that_waits_is_sent_to_those_who_do_not_have_it_and_still_counts(
    old: Database, tmp_path: Path
) -> None:
    """AMB-37, NT-14."""
    connection = await asyncpg.connect(old.dsn)
    await connection.execute(OLD_MAIL, MAIL, NOON)
    await connection.execute(OLD_RECIPIENTS, MAIL, NOON)
    await connection.close()
    await migrate(old.dsn, "notify", migrations_of("notify"))
    async with dispatch(old, tmp_path) as office:
        await office.configure(sample(sender_mails_per_hour=1), version=2)
        await office.ask(request(1, configuration=2))
        (refused,) = await office.said("mail.refused")
        assert refused.code == "rate_exceeded"
        async with office.sending():
            await eventually(lambda: office.scripts["main"].delivered)
            (told,) = await eventually(lambda: office.said("mail.sent"))
    (delivered,) = office.scripts["main"].delivered
    assert delivered.recipients == ("customer2@harbour.test",)
    assert [(each.address, each.code) for each in told.recipients] == [
        ("Customer1@harbour.test", 250),
        ("customer2@harbour.test", 250),
    ]
