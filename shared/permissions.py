"""What an endpoint or a request asks of its caller, and what a user has: roles per process (design §7).

Each service has one table that gives every endpoint its rule (`services/*/permissions.py`), and `guarded`
holds its routers to it: a service with an endpoint without a rule does not start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import lru_cache
from typing import TypeAlias

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from shared.organisation import Organisation, Unknown


class Role(IntEnum):
    """What a user is in a process; each includes the one before."""

    READER = 1
    """Sees everything of its activities (`reads`)."""
    WORKER = 2
    """Takes steps on them (`processes`)."""
    LEADER = 3
    """Decides what cannot be taken back, or binds others (`leads`)."""

    @property
    def verb(self) -> str:
        """How a sentence says what such a user may do with a process."""
        return _VERBS[self]


_VERBS = {Role.READER: "read", Role.WORKER: "work on", Role.LEADER: "lead"}


class Need(Enum):
    """What an endpoint asks where it is no role in the one process of the one activity that it is about."""

    OPERATOR = "operator"
    """The token's role `operator`."""
    USER = "user"
    """To be a user of the organisation; what is shown is the same for all of them."""
    HEADER = "header"
    """To be a user, for the header data (AMB-34); `Role.READER` for the rest, row by row."""
    REQUEST = "request"
    """The role that the request, which the body or the URL names, needs in the activity's process."""
    ANY_PROCESS = "any_process"
    """`Role.READER` in some process; what is shown is cut to those processes, or to their companies."""
    APPROVER = "approver"
    """To be a user who is at work; whether he is asked for his approval is the step's own question (A25)."""
    LINK = "link"
    """Nothing but the signed link itself, which says whose it is (A25)."""
    MAILBOX = "mailbox"
    """The role `operator`, or `Role.READER` in a process that the mailbox's mail goes to (UH-5)."""


Rule: TypeAlias = Role | Need
Rules: TypeAlias = Mapping[str, Rule]
"""An endpoint (`GET /v1/tickets/{reference}`) and what it asks."""


class NoRule(LookupError):
    """There is an endpoint or a request that no table of permissions knows."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user has: the highest role in each of their processes."""

    roles: Mapping[str, Role]

    def has(self, role: Role, process: str) -> bool:
        """Whether they are at least this in the process."""
        return self.roles.get(process, 0) >= role

    def processes(self, role: Role) -> frozenset[str]:
        """The processes in which they are at least this."""
        return frozenset(process for process, had in self.roles.items() if had >= role)


NO_RIGHTS = Rights({})


@lru_cache(maxsize=4096)
def rights_of(organisation: Organisation, user: str) -> Rights:
    """The rights of a user by name. Who is unknown or retired has none, who is suspended reads at most."""
    try:
        found = organisation.user(user)
    except Unknown:
        return NO_RIGHTS
    if found.retired:
        return NO_RIGHTS
    roles = {
        **dict.fromkeys(found.reads, Role.READER),
        **dict.fromkeys(found.processes, Role.WORKER),
        **dict.fromkeys(found.leads, Role.LEADER),
    }
    return Rights(dict.fromkeys(roles, Role.READER) if found.suspended else roles)


def endpoints(router: APIRouter) -> list[str]:
    """The endpoints of a router as a table names them. Raises `TypeError` for a router inside of it."""
    found: list[str] = []
    for route in router.routes:
        if not isinstance(route, APIRoute):
            raise TypeError(f"guard {route!r} by itself: only endpoints can be held to a table")
        found += [f"{method} {route.path}" for method in sorted(route.methods or ())]
    return found


def guarded(router: APIRouter, rules: Rules) -> APIRouter:
    """The router, each of its endpoints under its rule. Raises `NoRule` for one that has none.

    `shared.auth.Caller` asks for the token's roles; the endpoint learns its rule from `Principal.rule`.
    """
    missing = sorted(set(endpoints(router)) - rules.keys())
    if missing:
        raise NoRule(f"Write a rule into the service's permissions.py for {', '.join(missing)}.")

    async def admission(request: Request) -> None:
        request.state.rule = rules[f"{request.method} {request.scope['route'].path}"]

    outer = APIRouter(dependencies=[Depends(admission)])
    outer.include_router(router)
    return outer
