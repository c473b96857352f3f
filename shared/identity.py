"""Ids that follow from their cause, so that a replay makes the same effect under the same id (design §2)."""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

# A `uuid.UUID`, in C: it is written as text and looked up some twenty times for each mail.
from asyncpg.pgproto.pgproto import UUID as FastUUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM = 0xFFF << 64 | (1 << 62) - 1
_MILLISECOND = timedelta(milliseconds=1)


def derive(time: datetime, source: str, cause: str, ordinal: int | str) -> UUID:
    """The id of an effect: a UUID of version 7's layout (RFC 9562 §5.7), fully determined by its cause.

    `time` is the cause's time (aware; milliseconds count), `source` and `cause` are its `ce_source` and
    `ce_id`, `ordinal` tells the effects of one cause apart: a number, or a name such as `"timeline/3"`.
    Where version 7 has randomness, this has 74 bits of SHA-256 over those three.

    Raises `ValueError` for a naive time or one before 1970.
    """
    stem, begun = _begun(time, source, cause)
    last = f"{type(ordinal).__name__}:{ordinal}".encode()
    hashed = begun.copy()
    hashed.update(len(last).to_bytes(4) + last)
    digest = int.from_bytes(hashed.digest()[:16])
    return FastUUID((stem | digest & _RANDOM).to_bytes(16))


@lru_cache(maxsize=64)
def _begun(time: datetime, source: str, cause: str) -> tuple[int, "hashlib._Hash"]:
    """What the ids of all effects of one cause begin with: bits of the UUID, and the hash so far."""
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} names no time zone")
    milliseconds = (time - _EPOCH) // _MILLISECOND
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError(f"{time.isoformat()} does not fit into the 48 bits of a version 7 UUID")
    # Lengths stand in front, so that no two triples run together into the same text.
    a, b = source.encode(), cause.encode()
    text = b"%b%b%b%b" % (len(a).to_bytes(4), a, len(b).to_bytes(4), b)
    return milliseconds << 80 | _VERSION | _VARIANT, hashlib.sha256(text)
