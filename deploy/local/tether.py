"""Becomes another program that ends when its parent does.

Run as a script, by path and with `-I -S`, so that it costs a few milliseconds:

    python -I -S tether.py <parent pid> <signal> <user id or -> <group id or -> <program> <argument>…

The parent-death signal of Linux is lost when a process changes its user, so the user is changed first; and
it is not sent by a parent that died before it was asked for, so the parent is compared afterwards. On other
systems the program runs untethered, and the next start of the stack ends what was left behind
(`deploy.local.processes.reap`).
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Changes the user, ties this process to its parent, and becomes the program."""
    parent, death_signal, user, group, *program = arguments
    if user != "-":
        os.setgroups([])
        os.setgid(int(group))
        os.setuid(int(user))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit(f"the parent {parent} ended before {program[0]} began")
    os.execv(program[0], program)  # noqa: S606 — the caller's own program, and no shell wanted


if __name__ == "__main__":
    main(sys.argv[1:])
