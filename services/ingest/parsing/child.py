"""The child process that parses: `python -m services.ingest.parsing.child <parent pid> <memory limit>`.

It reads orders from stdin and writes answers to stdout until stdin ends, and dies with its parent. The
memory limit is in bytes of address space (RLIMIT_AS), 0 for none.
"""

import ctypes
import os
import resource
import signal
import sys
from typing import BinaryIO

from services.ingest.domain.mail import ParsedMail
from services.ingest.parsing.frames import LENGTH, Manner, Order, Parsed, decode_order, encode
from services.ingest.parsing.lookout import Caution, look
from services.ingest.parsing.parser import parse, parse_headers

_PR_SET_PDEATHSIG = 1


def carry_out(order: Order) -> Parsed:
    """Parse the mails of an order; running out of memory is an answer, too."""
    try:
        if order.manner is Manner.PAGE:
            cautions = [look(raw) for raw in order.mails]
            mails = [
                _one(order, raw) if caution is Caution.NONE else None
                for raw, caution in zip(order.mails, cautions, strict=True)
            ]
            return Parsed(mails, [caution is Caution.LENIENT for caution in cautions])
        return Parsed([_one(order, raw) for raw in order.mails])
    except MemoryError:
        return Parsed(trouble="it needs too much memory")
    finally:
        _allow(0)


def _one(order: Order, raw: bytes) -> ParsedMail:
    _allow(order.seconds)
    match order.manner:
        case Manner.HEADERS:
            return parse_headers(raw, order.reason)
        case Manner.LENIENT | Manner.PLAIN:
            return parse(raw, rust_first=False, pages=order.manner is Manner.LENIENT)
        case _:
            return parse(raw)


def _allow(seconds: float) -> None:
    """So much of the processor from now on; then the kernel ends us, whatever library is at work."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def serve(orders: BinaryIO, answers: BinaryIO) -> None:
    """Greet, then answer until the orders end."""
    send(answers, Parsed())
    while len(head := orders.read(LENGTH.size)) == LENGTH.size:
        data = orders.read(LENGTH.unpack(head)[0])
        order = decode_order(data)
        del data  # a large mail is in memory often enough
        send(answers, carry_out(order))


def send(answers: BinaryIO, answer: Parsed) -> None:
    """Write one answer behind its length."""
    data = encode(answer)
    answers.write(LENGTH.pack(len(data)))
    answers.write(data)
    answers.flush()


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent goes, even while it parses (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we asked
        os._exit(1)


def limit(memory: int) -> None:
    """Bound the address space; leave no core dump, which would hold people's mail."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main(parent: int, memory: int) -> None:
    """Serve on stdin and stdout."""
    die_with(parent)
    limit(memory)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    # What a library prints must not get into the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
