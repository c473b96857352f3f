"""Whose queues and processes are whose, and the best thing to do next (GL-2)."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from services.activity import store_worklists
from services.activity.store_worklists import FIRST, Sieve, place_of
from shared.organisation import Organisation, Unknown
from shared.postgres import Connection

TO_BE_DONE = ("to_do", "in_progress")


def queues_of(organisation: Organisation, user: str, processes: Collection[str]) -> tuple[str, ...]:
    """The queues that a user works from: those of his teams, and of his processes those of no team."""
    try:
        teams = frozenset(organisation.user(user).teams)
    except Unknown:
        return ()
    used = {process.queue for process in organisation.processes if process.name in processes}
    return tuple(
        queue.name
        for queue in organisation.queues
        if (queue.team in teams if queue.team else queue.name in used)
    )


def resting_processes(
    organisation: Organisation, queues: Collection[str], processes: Collection[str]
) -> tuple[str, ...]:
    """Of these processes those whose activities come back to one of these queues when they wake."""
    return tuple(
        process.name
        for process in organisation.processes
        if process.queue in queues and process.name in processes
    )


async def next_best(
    connection: Connection,
    organisation: Organisation,
    user: str,
    processes: Collection[str],
    *,
    robot: bool = False,
) -> Any | None:
    """The row of what is due soonest among what he has and what nobody of his queues has; None without any.

    `processes` are those that he works on. Of two that are due alike the older one goes first. A robot gets
    what it works on before all else (ST-24), and nothing that is marked for a person (ST-8).
    """
    sieve = Sieve(processes=tuple(sorted(processes)), statuses=TO_BE_DONE, for_robot=robot)
    queues = queues_of(organisation, user, processes)
    if robot:
        working = replace(sieve, statuses=("in_progress",))
        for row in await store_worklists.in_inbox(connection, organisation.name, user, working, FIRST, 1):
            return row
    mine = await store_worklists.in_inbox(connection, organisation.name, user, sieve, FIRST, 1)
    free = await store_worklists.nobody_has(connection, organisation.name, queues, sieve, FIRST, 1)
    return min((*mine, *free), key=place_of, default=None)
