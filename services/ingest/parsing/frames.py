"""What parent and child say to each other: messages of msgpack behind their length.

Not pickle: the child reads hostile mail, and whatever takes it over must not reach the parent.
"""

import struct
from enum import StrEnum

import msgspec

from services.ingest.domain.mail import ParsedMail

LENGTH = struct.Struct(">Q")


class Manner(StrEnum):
    """How the child reads the mails of an order."""

    PAGE = "page"  # Rust first; suspicious mails are handed back unread
    ALONE = "alone"  # Rust first, whatever it looks like
    LENIENT = "lenient"  # the standard library only
    PLAIN = "plain"  # the standard library only, and HTML is kept as text
    HEADERS = "headers"  # nothing but headers


class Order(msgspec.Struct, frozen=True, array_like=True):
    """Mails to be parsed. `reason` goes into `unparsed_reason` when only headers are read.

    A mail that takes more than `seconds` of the processor ends the process by SIGPROF; 0 is no limit.
    """

    manner: Manner
    mails: list[bytes]
    reason: str = ""
    seconds: float = 0.0


class Parsed(msgspec.Struct, frozen=True, array_like=True):
    """The answer, in the same order; None stands for a mail that has to be parsed alone.

    `trouble` says why an order could not be carried out; the mails are missing then.
    """

    mails: list[ParsedMail | None] = []
    lenient: list[bool] = []
    trouble: str | None = None


_ENCODER = msgspec.msgpack.Encoder()
_ORDERS = msgspec.msgpack.Decoder(Order)
_ANSWERS = msgspec.msgpack.Decoder(Parsed)


def encode(message: Order | Parsed) -> bytes:
    """The message without its length."""
    return _ENCODER.encode(message)


def decode_order(data: bytes) -> Order:
    """Raises `msgspec.MsgspecError`."""
    return _ORDERS.decode(data)


def decode_answer(data: bytes) -> Parsed:
    """Raises `msgspec.MsgspecError`: the child said something that is no answer."""
    return _ANSWERS.decode(data)
