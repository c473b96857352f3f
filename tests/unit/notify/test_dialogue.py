"""What is said on an SMTP connection, however it is cut on its way (RFC 5321 4.2, 4.5.2; RFC 2920)."""

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notify.dialogue import REPLY_LIMIT, Dialogue, Reply

texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x85\xa0"), max_size=20
)
replies = st.lists(
    st.tuples(st.integers(200, 599), st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=5
)


class Wire:
    """A transport that keeps what is written, and answers with `pieces` as they are cut."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.written = b""
        self.closed = False
        self.protocol: Any = None

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write(self, data: bytes) -> None:
        self.written += data
        for piece in self.pieces:
            self.protocol.data_received(piece)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def dialogue(wire: Wire) -> Dialogue:
    return Dialogue(cast(asyncio.Transport, wire))


def spelled(code: int, lines: list[str]) -> bytes:
    *others, last = lines
    return "".join((*(f"{code}-{each}\r\n" for each in others), f"{code} {last}\r\n")).encode()


@settings(max_examples=100)
@given(replies, st.lists(st.integers(0, 200), max_size=6))
@example([(250, ["a", "b"])], [5, 8])
async def test_replies_are_the_same_however_they_are_cut(
    said: list[tuple[int, list[str]]], cuts: list[int]
) -> None:
    whole = b"".join(spelled(code, lines) for code, lines in said)
    ends = [0, *sorted(min(each, len(whole)) for each in cuts), len(whole)]
    wire = Wire(*(whole[start:end] for start, end in pairwise(ends)))
    told = await dialogue(wire).ask(*[b"NOOP"] * len(said), seconds=5)
    assert list(told) == [Reply(code, "\n".join(lines)) for code, lines in said]


@settings(max_examples=100)
@given(st.lists(st.text("ab.", max_size=4)))
@example([".", "..", ""])
async def test_no_line_of_a_mail_ends_it(lines: list[str]) -> None:
    wire = Wire(b"250 fine\r\n")
    content = b"".join(f"{line}\r\n".encode() for line in lines)
    await dialogue(wire).give(content, seconds=5)
    *taken, end, rest = wire.written.split(b"\r\n")
    assert (end, rest) == (b".", b"")
    assert b".".join(taken).count(b"\r") == 0
    assert b".\r\n" not in {line + b"\r\n" for line in taken}
    assert b"".join(line.removeprefix(b".") + b"\r\n" for line in taken) == content


@pytest.mark.parametrize("command", [b"RCPT TO:<a@b>\r\nDATA", b"NOOP\n", b"NOOP\r", b"NO\0OP"])
async def test_a_command_is_one(command: bytes) -> None:
    wire = Wire()
    with pytest.raises(ValueError, match="line break"):
        await dialogue(wire).ask(command, seconds=5)
    assert wire.written == b""


@pytest.mark.parametrize("nonsense", [b"hello\r\n", b"25 fine\r\n", b"250-" + b"x" * REPLY_LIMIT])
async def test_what_is_no_reply_ends_the_dialogue(nonsense: bytes) -> None:
    wire = Wire(nonsense)
    talk = dialogue(wire)
    with pytest.raises(ConnectionError):
        await talk.ask(b"NOOP", seconds=5)
    assert wire.closed
    assert not talk.usable


async def test_goodbye_said_unasked_is_no_answer_to_the_next_command() -> None:
    talk = dialogue(Wire())
    talk.data_received(b"421 too long idle\r\n")
    assert not talk.usable
    with pytest.raises(ConnectionError, match="421 too long idle"):
        await talk.ask(b"NOOP", seconds=5)


async def test_silence_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        await dialogue(Wire()).ask(b"NOOP", seconds=0)
