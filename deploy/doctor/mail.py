"""Checks of mail servers: each mailbox is opened, each way out is logged in to, as the services do it."""

from deploy.doctor.findings import Doubtful, Wrong
from deploy.doctor.patient import Box, Patient
from services.ingest.imap import ImapError
from services.ingest.imap_aioimaplib import connect
from services.ingest.settings import IngestSettings
from services.notify.settings import NotifySettings
from services.notify.smtp import SmtpConnection, SmtpError
from services.notify.smtp_server import Login, Tls


async def imap(patient: Patient, box: Box) -> str:
    """The mailbox can be logged in to, and its folder opened."""
    settings, account = patient.settings, box.mailbox.imap
    assert isinstance(settings, IngestSettings), "only ingest reads mailboxes"
    server = settings.imap_servers.get(account.server)
    if server is None:
        raise Wrong(f"MAILROOM_IMAP_SERVERS has no server {account.server!r}, which the configuration names.")
    where = f"{server.host}:{server.port}"
    try:
        session = await connect(server, account.user, patient.secret(account.password))
    except ImapError as error:
        raise Wrong(
            f"{account.user} cannot be logged in at {where} ({error.reason}): look at the server, at "
            f"MAILROOM_IMAP_SERVERS and at the secret {account.password!r}."
        ) from error
    try:
        await session.select(account.folder)
        moves = session.can_move
    except ImapError as error:
        raise Wrong(
            f"The folder {account.folder} of {account.user} cannot be opened: {error.reason}."
        ) from error
    finally:
        await session.close()
    if not server.tls and server.host not in ("localhost", "127.0.0.1", "::1"):
        raise Doubtful(f"The password goes to {where} in the clear: set tls in MAILROOM_IMAP_SERVERS.")
    return f"{account.user} at {where}" + ("" if moves else ", which copies and deletes instead of moving")


async def smtp(patient: Patient, box: Box) -> str:
    """The way out can be connected to, protected and logged in to. Nothing is sent."""
    settings, account = patient.settings, box.mailbox.smtp
    assert isinstance(settings, NotifySettings), "only notify sends"
    server = settings.smtp_servers.get(account.server)
    if server is None:
        raise Wrong(f"MAILROOM_SMTP_SERVERS has no server {account.server!r}, which the configuration names.")
    login = None
    if account.user is not None:
        login = Login(account.user, patient.secret(account.password) if account.password else "")
    connection = SmtpConnection(server, login)
    where = f"{server.host}:{server.port}"
    try:
        await connection.open()
        await connection.check()
    except SmtpError as error:
        raise Wrong(
            f"Mail cannot go out through {where} ({error.reason}): look at it, at MAILROOM_SMTP_SERVERS"
            + (f" and at the secret {account.password!r}." if account.password else ".")
        ) from error
    finally:
        await connection.close()
    if server.tls is Tls.NONE and server.host not in ("localhost", "127.0.0.1", "::1"):
        raise Doubtful(f"Mail goes to {where} in the clear: set tls in MAILROOM_SMTP_SERVERS.")
    return (
        f"{where}, {server.tls.value} TLS" if server.tls is Tls.NONE else f"{where} over {server.tls.value}"
    )
