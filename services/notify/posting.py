"""One attempt to send one mail: to whom it still has to go, what the server said, what follows."""

from services.notify.domain.delivery import OPEN, Recipient, Result, conclude, finish
from services.notify.domain.retry import ATTEMPTS
from services.notify.queued import QueuedMail, Settled
from services.notify.smtp import Connection, Letter, SmtpError
from services.notify.store_queue import LOST
from services.notify.tracing import attempting
from shared import tracing
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.metrics import OUTGOING_SECONDS


async def post(
    mail: QueuedMail, connection: Connection, blobs: BlobStore, clock: Clock, *, null_sender: bool, way: str
) -> Settled:
    """Hand a mail to the server for everybody who does not have it yet.

    `null_sender` says whether the server takes the null reverse path, `way` is what people call this way out.
    Raises `SmtpError` only where the mail is blameless; then this was no attempt. Raises `BlobError`.
    """
    if not tracing.on():
        return await _post(mail, connection, blobs, clock, null_sender)
    with attempting(mail, way) as attempt:
        return attempt.ended(await _post(attempt.mail, connection, blobs, clock, null_sender))


async def _post(
    mail: QueuedMail, connection: Connection, blobs: BlobStore, clock: Clock, null_sender: bool
) -> Settled:
    if mail.tries > ATTEMPTS:  # each time the process died: perhaps because of this mail
        end = finish(mail.recipients, LOST)
        return Settled(mail, end.state, end.recipients, end.state.value, LOST, None, clock.now())
    mime = mail.mime if mail.mime_blob is None else await blobs.get(mail.mime_blob.object)
    assert mime is not None, "the table has one of the two"
    waiting = [each.address for each in mail.recipients if each.result in OPEN]
    letter = Letter(envelope_sender(mail, null_sender), waiting, mime, mail.needs_smtputf8)
    unanswered = False
    try:
        with OUTGOING_SECONDS.time():
            answers = await connection.deliver(letter)
    except SmtpError as error:
        if error.blameless:
            raise
        unanswered = error.uncertain
        answers = [Recipient(address, Result.DEFERRED, None, error.reason) for address in waiting]
    return settled(mail, answers, clock, unanswered=unanswered)


def envelope_sender(mail: QueuedMail, null_sender: bool) -> str:
    """Where failures of this mail go (RFC 5321 MAIL FROM).

    What a person wrote bounces home, to its activity. Nobody needs to hear that an automatic mail failed, and
    a bounce that is answered begins a loop: it has the null reverse path (RFC 3834 3.3). Where a server does
    not take that, its failures come home too, and IN-17 keeps them from being answered.
    """
    return "" if mail.automatic and null_sender else mail.home


def settled(mail: QueuedMail, answers: list[Recipient], clock: Clock, *, unanswered: bool = False) -> Settled:
    """What follows from the answers for those to whom the mail was open."""
    by_address = {each.address: each for each in answers}
    recipients = tuple(by_address.get(each.address, each) for each in mail.recipients)
    now = clock.now()
    verdict = conclude(mail.id, recipients, mail.attempts, mail.tries, now)
    outcome = "unanswered" if unanswered else verdict.state.value
    return Settled(mail, verdict.state, verdict.recipients, outcome, verdict.reason, verdict.due, now)


def failed(mail: QueuedMail, reason: str, clock: Clock) -> Settled:
    """What follows when something of ours broke: an attempt like others, so that it is not tried for ever."""
    answers = [
        Recipient(each.address, Result.DEFERRED, None, reason)
        for each in mail.recipients
        if each.result in OPEN
    ]
    return settled(mail, answers, clock)
