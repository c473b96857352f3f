"""Catching notify up after its database was put back: what was told of a mail holds.

Mails that are known here stand as was last told of them. The others are composed again when their requests
are read again, and then stand as was told: nobody gets a mail a second time.
"""

from collections import defaultdict
from collections.abc import Sequence

from services.notify import store, store_told
from services.notify.queued import MailKey
from services.notify.store_told import Decided, Ended, Told
from shared.recovery import Past, Said


async def recover(past: Past) -> Sequence[str]:
    """Note what was told of every mail."""
    told: dict[MailKey, Told] = defaultdict(Told)
    for each in past.said:
        if isinstance(each.message, Decided):
            told[_key(each)].decided = each.message
        elif isinstance(each.message, Ended):
            told[_key(each)].result = each.message
    known = await store.known(past.connection, list(told))
    await store_told.apply(past.connection, [(key, told[key]) for key in known])
    await store_told.add(past.connection, {key: each for key, each in told.items() if key not in known})
    ended = sum(each.result is not None for each in told.values())
    return [f"{len(told)} mails were told of, {ended} of them sent or tried: they are not sent again"]


def _key(each: Said) -> MailKey:
    return each.incoming.envelope.organisation, each.incoming.message.mail
