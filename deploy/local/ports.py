"""Free TCP ports on this machine."""

import errno
import random
import socket
from collections.abc import Mapping

from deploy.local.failure import StackFailure

HOST = "127.0.0.1"

# Below the range that systems take ports of outgoing connections from, so that no client of one instance
# sits on a port that another has just found free.
_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as refused:
            if refused.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def choose(names: tuple[str, ...], fixed: Mapping[str, int], remembered: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name: the one that was asked for, else the one it had, else any.

    Raises StackFailure if a port that was asked for is taken, or names nothing.
    """
    if unknown := sorted(fixed.keys() - set(names)):
        raise StackFailure(f"There is no port named {unknown[0]}: choose among {', '.join(names)}.")
    for name, port in fixed.items():
        if not 0 < port < 65_536:
            raise StackFailure(f"{port}, asked for {name}, is no port: choose one between 1 and 65535.")
        if not is_free(port):
            raise StackFailure(
                f"Port {port}, asked for {name}, is in use: end what listens there, ask for another port, "
                "or leave it out to get a free one."
            )
    chosen = dict(fixed)
    for name in names:
        if name in chosen:
            continue
        earlier = remembered.get(name)
        taken = set(chosen.values())
        if earlier is not None and earlier not in taken and is_free(earlier):
            chosen[name] = earlier
        else:
            chosen[name] = _any(taken)
    return chosen


def _any(taken: set[int]) -> int:
    for _ in range(_ATTEMPTS):
        port = random.choice(_RANGE)  # noqa: S311 — only has to differ from the neighbour's choice
        if port not in taken and is_free(port):
            return port
    raise StackFailure(f"No free port was found on {HOST}: end some of the programs that listen there.")
