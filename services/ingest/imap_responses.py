"""Cuts what an IMAP server sends into its responses (RFC 3501 2.2.2 and 4.3). Pure."""

import re
from dataclasses import dataclass

_LINE_END = b"\r\n"
_LITERAL = re.compile(rb"\{(\d{1,10})\}$")
_LONGEST_MARK = len(b"{1234567890}")


@dataclass(frozen=True, slots=True)
class Response:
    """One response: its text without the line end, with `{}` in place of each literal, and the literals."""

    text: bytes
    literals: tuple[bytes, ...] = ()


class Responses:
    """Takes bytes as they come and gives responses as they are complete; each byte is looked at once."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        """Bytes of the buffer in which no line ends."""
        self._literal: int | None = None
        """Length of the literal that the buffer begins with."""
        self._text = b""
        self._literals: tuple[bytes, ...] = ()

    def feed(self, data: bytes) -> list[Response]:
        """The responses that `data` completes, in their order."""
        buffer = self._buffer
        buffer += data
        complete: list[Response] = []
        at = 0
        while True:
            if self._literal is not None:
                if len(buffer) - at < self._literal:
                    break
                with memoryview(buffer) as view:  # a slice of the buffer itself would be one more copy
                    self._literals += (bytes(view[at : at + self._literal]),)
                at += self._literal
                self._literal = None
            end = buffer.find(_LINE_END, at + self._searched)
            if end < 0:
                self._searched = max(len(buffer) - at - 1, 0)  # the first half of a line end may be there
                break
            self._searched = 0
            mark = _LITERAL.search(buffer, max(at, end - _LONGEST_MARK), end)
            if mark is None:
                complete.append(Response(self._text + buffer[at:end], self._literals))
                self._text, self._literals = b"", ()
            else:
                self._literal = int(mark[1])
                self._text += buffer[at : mark.start()] + b"{}"
            at = end + len(_LINE_END)
        del buffer[:at]
        return complete
