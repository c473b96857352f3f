"""What ingest tells of its mailboxes and of mail that waits for a person."""

from datetime import datetime

from services.ingest import store_mailboxes, store_queries
from shared.gauges import Look, seconds_since, tell
from shared.metrics import MAILBOX_OLDEST, MAILBOX_UNREAD, MAILBOX_WAITING, UNHANDLED_MAILS
from shared.organisation import Organisations
from shared.postgres import Connection


def looks(organisations: Organisations) -> tuple[Look, ...]:
    """At the mailboxes that the configuration has, and at unhandled mail."""

    async def mailboxes(connection: Connection, now: datetime) -> None:
        wanted = [
            (organisation.name, mailbox.name)
            for organisation in await organisations.all(connection)
            for mailbox in organisation.mailboxes
        ]
        standing = await store_mailboxes.standing(connection, wanted)
        MAILBOX_WAITING.set(standing.waiting.count)
        MAILBOX_OLDEST.set(seconds_since(standing.waiting.oldest, now))
        MAILBOX_UNREAD.set(seconds_since(standing.unread_since, now))

    async def unhandled(connection: Connection, now: datetime) -> None:
        found = await store_queries.unhandled_by_reason(connection)
        tell(UNHANDLED_MAILS, found)

    return (
        Look((MAILBOX_WAITING, MAILBOX_OLDEST, MAILBOX_UNREAD), mailboxes),
        Look((UNHANDLED_MAILS,), unhandled),
    )
