"""SQL about mailboxes: who reads one (the lease), how far, and what people are shown about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.postgres import Connection, columns


class LeaseLost(Exception):
    """Another process reads the mailbox now; whoever gets this must stop."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to read a mailbox. `generation` is the fencing token: the newest one alone writes."""

    organisation: str
    mailbox: str
    generation: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a mailbox in one life of its UIDs."""

    organisation: str
    mailbox: str
    folder: str
    uidvalidity: int


class State(StrEnum):
    """How a mailbox stands: nobody reads it, somebody does, somebody tries to."""

    WAITING = "waiting"
    CONNECTED = "connected"
    FAILING = "failing"


class Taken(StrEnum):
    """What has become of a UID that was taken in."""

    TAKEN = "taken"
    COPIED = "copied"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Mails that lie on the server and are not taken in yet."""

    count: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How several mailboxes stand together. `unread_since` is of the one that was not read for longest."""

    waiting: Waiting
    unread_since: datetime | None


# Take a mailbox that nobody holds, or whose holder let the time pass. Others at the same moment get no row.
_ACQUIRE = """
INSERT INTO mailboxes AS known (organisation, mailbox, generation, holder, expires_at, state, state_since)
VALUES ($1, $2, 1, $3, $4::timestamptz + $5::interval, 'waiting', $4)
ON CONFLICT (organisation, mailbox) DO UPDATE
SET generation = known.generation + 1, holder = $3, expires_at = $4::timestamptz + $5::interval
WHERE known.holder IS NULL OR known.expires_at <= $4
RETURNING generation
"""
_RENEW = """
UPDATE mailboxes SET expires_at = $4::timestamptz + $5::interval
WHERE organisation = $1 AND mailbox = $2 AND generation = $3 AND holder IS NOT NULL
"""
_RELEASE = """
UPDATE mailboxes SET holder = NULL, expires_at = NULL, state = 'waiting', error = NULL, state_since = $4
WHERE organisation = $1 AND mailbox = $2 AND generation = $3
"""
# The row stays locked until the commit: nobody takes the mailbox over in the middle of a transaction.
_FENCE = """
SELECT FROM mailboxes WHERE organisation = $1 AND mailbox = $2 AND generation = $3 FOR UPDATE
"""
_PROGRESS = """
UPDATE mailboxes SET fetched_at = $4, waiting = $5, oldest_waiting = $6
WHERE organisation = $1 AND mailbox = $2 AND generation = $3
"""
_POLLED = """
UPDATE mailboxes SET polled_until = $4, waiting = 0, oldest_waiting = NULL
WHERE organisation = $1 AND mailbox = $2 AND generation = $3
"""
_SHOW = """
UPDATE mailboxes
SET state = $4, error = $5, state_since = CASE WHEN state = $4 THEN state_since ELSE $6 END
WHERE organisation = $1 AND mailbox = $2 AND generation = $3 AND (state, error) IS DISTINCT FROM ($4, $5)
"""

# Of a mailbox that was never read to its end, the time counts since somebody tries.
_STANDING = """
SELECT coalesce(sum(waiting), 0) AS waiting, min(oldest_waiting) AS oldest,
       min(coalesce(polled_until, state_since)) AS unread_since
FROM mailboxes
JOIN unnest($1::text[], $2::text[]) AS wanted (organisation, mailbox) USING (organisation, mailbox)
"""

# Rows of other folders and of earlier lives of this one say nothing any more (UIDVALIDITY, RFC 3501 2.3.1.1).
_FORGET_OTHERS = """
DELETE FROM taken_uids
WHERE organisation = $1 AND mailbox = $2 AND (folder, uidvalidity) <> ($3, $4)
"""
_TAKEN = """
SELECT uid, state FROM taken_uids
WHERE organisation = $1 AND mailbox = $2 AND folder = $3 AND uidvalidity = $4
"""
_TAKE = """
INSERT INTO taken_uids (organisation, mailbox, folder, uidvalidity, uid, mail, state, taken_at)
SELECT $1, $2, $3, $4, uid, mail, 'taken', $7
FROM unnest($5::bigint[], $6::uuid[]) AS new (uid, mail)
ON CONFLICT (organisation, mailbox, folder, uidvalidity, uid) DO NOTHING
"""
_MARK = """
UPDATE taken_uids SET state = $6
WHERE organisation = $1 AND mailbox = $2 AND folder = $3 AND uidvalidity = $4 AND uid = ANY($5::bigint[])
"""
_FORGET = """
DELETE FROM taken_uids
WHERE organisation = $1 AND mailbox = $2 AND folder = $3 AND uidvalidity = $4 AND uid = ANY($5::bigint[])
"""
_ATTEMPT = """
INSERT INTO reading_attempts AS known (organisation, mailbox, folder, uidvalidity, uid, attempts)
VALUES ($1, $2, $3, $4, $5, 1)
ON CONFLICT (organisation, mailbox, folder, uidvalidity, uid) DO UPDATE SET attempts = known.attempts + 1
RETURNING attempts
"""
_READ = """
DELETE FROM reading_attempts
WHERE organisation = $1 AND mailbox = $2 AND folder = $3 AND uidvalidity = $4 AND uid = ANY($5::bigint[])
"""

# What is seen in the done folder for the first time begins to age; what is gone from it is forgotten.
_SEE_KEPT = """
INSERT INTO kept_uids (organisation, mailbox, folder, uidvalidity, uid, since)
SELECT $1, $2, $3, $4, uid, $6 FROM unnest($5::bigint[]) AS seen (uid)
ON CONFLICT (organisation, mailbox, folder, uidvalidity, uid) DO NOTHING
"""
_FORGET_KEPT = """
DELETE FROM kept_uids
WHERE organisation = $1 AND mailbox = $2
  AND ((folder, uidvalidity) <> ($3, $4)
       OR NOT EXISTS (SELECT FROM unnest($5::bigint[]) AS seen (uid) WHERE seen.uid = kept_uids.uid))
"""
_KEPT_LONG = """
SELECT uid FROM kept_uids
WHERE organisation = $1 AND mailbox = $2 AND folder = $3 AND uidvalidity = $4 AND since <= $5
ORDER BY uid
"""


async def acquire(
    connection: Connection, organisation: str, mailbox: str, holder: str, now: datetime, lasts: timedelta
) -> Lease | None:
    """Take the mailbox for as long as `lasts`; None while another holds it."""
    generation = await connection.fetchval(_ACQUIRE, organisation, mailbox, holder, now, lasts)
    return None if generation is None else Lease(organisation, mailbox, generation)


async def renew(connection: Connection, lease: Lease, now: datetime, lasts: timedelta) -> None:
    """Hold on to it. Raises `LeaseLost`."""
    _held(lease, await connection.execute(_RENEW, *_of(lease), now, lasts))


async def release(connection: Connection, lease: Lease, now: datetime) -> None:
    """Let go of it, so that the next one need not wait; nothing happens if it is lost already."""
    await connection.execute(_RELEASE, *_of(lease), now)


async def fence(connection: Connection, lease: Lease) -> None:
    """Go on only if the lease is still ours, and hold it until the commit. Raises `LeaseLost`."""
    _held(lease, await connection.execute(_FENCE, *_of(lease)))


async def note_progress(connection: Connection, lease: Lease, now: datetime, waiting: Waiting) -> None:
    """Mails were taken in; so many wait behind them."""
    await connection.execute(_PROGRESS, *_of(lease), now, waiting.count, waiting.oldest)


async def note_polled(connection: Connection, lease: Lease, until: datetime) -> None:
    """All that lay in the mailbox at `until` is taken in."""
    await connection.execute(_POLLED, *_of(lease), until)


async def show(connection: Connection, lease: Lease, state: State, error: str | None, now: datetime) -> None:
    """Tell people whether the mailbox is read, and what is wrong with it."""
    await connection.execute(_SHOW, *_of(lease), state, error, now)


async def standing(connection: Connection, wanted: Sequence[tuple[str, str]]) -> Standing:
    """How these mailboxes (organisation, mailbox) stand."""
    row = await connection.fetchrow(_STANDING, *columns(wanted, 2))
    assert row is not None, "an aggregate has a row"
    return Standing(Waiting(row["waiting"], row["oldest"]), row["unread_since"])


async def enter(connection: Connection, folder: Folder) -> dict[int, Taken]:
    """Forget other folders and earlier lives of this one; what is taken in of it."""
    await connection.execute(_FORGET_OTHERS, *_in(folder))
    rows = await connection.fetch(_TAKEN, *_in(folder))
    return {row["uid"]: Taken(row["state"]) for row in rows}


async def take(
    connection: Connection, folder: Folder, uids: Sequence[int], mails: Sequence[object], now: datetime
) -> None:
    """These UIDs are taken in, as these mails (ids, in the same order)."""
    await connection.execute(_TAKE, *_in(folder), uids, mails, now)
    await connection.execute(_READ, *_in(folder), uids)


async def mark(connection: Connection, folder: Folder, uids: Sequence[int], taken: Taken) -> None:
    """These UIDs were copied or moved."""
    await connection.execute(_MARK, *_in(folder), uids, taken)


async def forget(connection: Connection, folder: Folder, uids: Sequence[int]) -> None:
    """These UIDs are gone from the server."""
    await connection.execute(_FORGET, *_in(folder), uids)


async def attempt(connection: Connection, folder: Folder, uid: int) -> int:
    """Count an attempt to parse this mail alone; its number, from 1."""
    attempts: int = await connection.fetchval(_ATTEMPT, *_in(folder), uid)
    return attempts


async def kept_too_long(
    connection: Connection, folder: Folder, uids: Sequence[int], now: datetime, keep: timedelta
) -> list[int]:
    """Note what lies in the done folder (`uids`, all of it); which of it lies there longer than `keep`."""
    await connection.execute(_SEE_KEPT, *_in(folder), uids, now)
    await connection.execute(_FORGET_KEPT, *_in(folder), uids)
    return [row["uid"] for row in await connection.fetch(_KEPT_LONG, *_in(folder), now - keep)]


def _of(lease: Lease) -> tuple[str, str, int]:
    return lease.organisation, lease.mailbox, lease.generation


def _in(folder: Folder) -> tuple[str, str, str, int]:
    return folder.organisation, folder.mailbox, folder.folder, folder.uidvalidity


def _held(lease: Lease, status: str) -> None:
    if status.endswith(" 0"):
        raise LeaseLost(f"another process reads {lease.organisation}/{lease.mailbox}")
