"""A mail to ourselves: out through SMTP to a mailbox's signed plus address, and seen again where it arrives.

Its Message-ID is signed like that of every mail of ours, so ingest knows it for its own and drops it (IN-5):
it opens no Ticket. It is looked for in the mailbox and in its done folder, and deleted there.
"""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import uuid4

from deploy.doctor.findings import Wrong
from deploy.doctor.patient import Box, Patient
from services.ingest.imap import PAGE_UIDS, ImapError, ImapSession
from services.ingest.imap_aioimaplib import connect
from services.ingest.settings import IngestSettings
from services.notify.domain.delivery import Result
from services.notify.settings import NotifySettings
from services.notify.smtp import Letter, SmtpConnection, SmtpError
from services.notify.smtp_server import Login
from shared import tokens

LOOK_SECONDS = 0.5
NEWEST = 200
"""Mails of a folder that are looked through; the probe is among the newest."""
HEAD_BYTES = 16 * 1024


async def probe(ingest: Patient, notify: Patient, box: Box, seconds: float) -> str:
    """Send a mail to the plus address and see it arrive within so many seconds."""
    keyring, conversation = (
        notify.settings.keyring(),
        tokens.conversation_of_activity(box.organisation, uuid4()),
    )
    address = tokens.reply_address(keyring, box.organisation, box.mailbox.address, conversation, None)
    domain = box.mailbox.address.rpartition("@")[2]
    message_id = tokens.message_id(keyring, box.organisation, domain, uuid4(), conversation, None)
    began = datetime.now(UTC)
    await _send(notify, box, _mail(box, address, message_id))
    try:
        async with asyncio.timeout(seconds):
            folder = await _until_seen(ingest, box, message_id)
    except TimeoutError as error:
        raise Wrong(
            f"A mail to {address} was sent and did not arrive within {seconds:.0f} s: see that its server "
            f"delivers plus addresses to {box.mailbox.address}, and look into its spam folder."
        ) from error
    took = (datetime.now(UTC) - began).total_seconds()
    return f"a mail to a plus address of {box.mailbox.address} arrived in {folder} after {took:.1f} s"


def _mail(box: Box, address: str, message_id: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = box.mailbox.address, address
    mail["Subject"] = "Probe of Mailroom"
    mail["Date"], mail["Message-ID"] = format_datetime(datetime.now(UTC)), message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("Sent by `mailroom doctor --probe`, which deletes it when it has seen it.\n")
    return mail.as_bytes()


async def _send(notify: Patient, box: Box, mime: bytes) -> None:
    settings, account = notify.settings, box.mailbox.smtp
    assert isinstance(settings, NotifySettings), "notify sends"
    server = settings.smtp_servers.get(account.server)
    if server is None:
        raise Wrong(f"MAILROOM_SMTP_SERVERS has no server {account.server!r}, which the configuration names.")
    login = None
    if account.user is not None:
        login = Login(account.user, notify.secret(account.password) if account.password else "")
    connection = SmtpConnection(server, login)
    to = next(line[4:].decode() for line in mime.split(b"\r\n") if line.startswith(b"To: "))
    try:
        await connection.open()
        (answer,) = await connection.deliver(Letter(box.mailbox.address, [to], mime))
    except SmtpError as error:
        raise Wrong(f"The probe could not be sent ({error.reason}): look at the finding on SMTP.") from error
    finally:
        await connection.close()
    if answer.result is not Result.ACCEPTED:
        raise Wrong(
            f"The SMTP server does not take mail to {to} ({answer.code} {answer.answer}): let it know them."
        )


async def _until_seen(ingest: Patient, box: Box, message_id: str) -> str:
    """The folder it is found in; it is deleted there."""
    settings, account = ingest.settings, box.mailbox.imap
    assert isinstance(settings, IngestSettings), "ingest reads"
    server = settings.imap_servers.get(account.server)
    if server is None:
        raise Wrong(f"MAILROOM_IMAP_SERVERS has no server {account.server!r}, which the configuration names.")
    try:
        session = await connect(server, account.user, ingest.secret(account.password))
    except ImapError as error:
        raise Wrong(f"The probe cannot be looked for ({error.reason}): see the finding on IMAP.") from error
    try:
        while True:
            for folder in (account.done_folder, account.folder):
                if await _take_out(session, folder, message_id):
                    return folder
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await session.close()


async def _take_out(session: ImapSession, folder: str, message_id: str) -> bool:
    """Whether it lies in this folder. A folder that is not there yet has nothing."""
    try:
        await session.select(folder)
        newest = (await session.uids())[-min(NEWEST, PAGE_UIDS) :]
        heads = await session.fetch(newest, HEAD_BYTES) if newest else {}
    except ImapError as error:
        if error.usable:
            return False
        raise Wrong(f"The probe cannot be looked for in {folder}: {error.reason}.") from error
    found = [uid for uid, head in heads.items() if message_id.encode() in head]
    if found:
        try:
            await session.delete(found)
        except ImapError as error:
            if not error.usable:
                raise Wrong(
                    f"The probe arrived in {folder} and cannot be deleted: {error.reason}."
                ) from error
    return bool(found)
