"""Catching ingest up after its database was put back: what came since lies in the done folders.

Mails are taken in from there with the same ids, and told with the same ids; the relay leaves out what was
told before.
"""

from collections.abc import Sequence

from services.ingest import store_rereading
from shared.contracts.ingest_mails import MailboxPolled, MailReceived
from shared.recovery import Past


async def recover(past: Past) -> Sequence[str]:
    """Let every mailbox's reader read its done folder again, before anything else."""
    told = [each.incoming for each in past.said if isinstance(each.message, MailReceived | MailboxPolled)]
    if not told:
        return []
    seen = sorted({(each.envelope.organisation, each.message.mailbox) for each in told})
    await store_rereading.mark_all(past.connection, seen, min(each.envelope.time for each in told))
    mails = sum(isinstance(each.message, MailReceived) for each in told)
    return [f"{mails} mails were told; all done folders are read again as soon as it starts"]
