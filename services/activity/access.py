"""Who may do what over HTTP: the caller's organisation, his processes, and whom he acts as (design §7)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from services.activity import store_activities
from services.activity.domain.activity import Activity
from shared import references
from shared.auth import Principal
from shared.contracts.activity_requests import Actor, ActorKind
from shared.organisation import NoConfiguration, Organisation, Organisations, Unknown
from shared.problems import FORBIDDEN, NOT_FOUND, Problem
from shared.unit_of_work import Batch, UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True)
class Access:
    """A caller in his organisation, under the configuration of this moment."""

    caller: Principal
    organisation: Organisation

    @cached_property
    def processes(self) -> frozenset[str]:
        """The processes whose Tickets he may open: those of the user he is, none if he is nobody's."""
        try:
            return frozenset(self.organisation.user(self.caller.user).processes)
        except Unknown:
            return frozenset()

    @property
    def actor(self) -> Actor:
        """Whom his steps are put down to. Raises `Problem` (forbidden) for who is no user here."""
        try:
            robot = self.organisation.user(self.caller.user).robot
        except Unknown:
            raise Problem(FORBIDDEN, "Only users of the organisation take steps.") from None
        return Actor(kind=ActorKind.ROBOT if robot else ActorKind(self.caller.kind), id=self.caller.user)

    def require(self, process: str) -> None:
        """Raises `Problem` (forbidden) unless he may work on the process."""
        if process not in self.processes:
            raise Problem(
                FORBIDDEN,
                f"{self.caller.user} may not work on the process {process!r}.",
                missing=[f"process:{process}"],
            )


class Reception:
    """Lets callers in: one transaction for each request, with their access and what they ask about."""

    def __init__(self, unit: UnitOfWork, organisations: Organisations) -> None:
        self._unit = unit
        self._organisations = organisations

    async def admit(self, caller: Principal, serve: Callable[[Batch[Any], Access], Awaitable[T]]) -> T:
        """What `serve` returns, in a transaction that commits if it does not raise.

        Raises `Problem` (not_found) where the caller's organisation has no configuration.
        """

        async def work(batch: Batch[Any]) -> T:
            try:
                organisation = await self._organisations.current(batch.connection, caller.organisation)
            except NoConfiguration:
                raise Problem(
                    NOT_FOUND, f"Nothing has been applied for the organisation {caller.organisation!r}."
                ) from None
            return await serve(batch, Access(caller, organisation))

        return await self._unit.run(work)


async def found_ticket(batch: Batch[Any], access: Access, reference: str) -> Activity:
    """The Ticket of the caller's organisation that is called so; `Problem` (not_found) without one."""
    parsed = references.parse(reference)
    named = (access.organisation.name, str(parsed))
    ids = await store_activities.find(batch.connection, {named} if parsed else ())
    loaded = await store_activities.load(batch.connection, {(named[0], id_) for id_ in ids.values()})
    for activity in loaded.values():
        return activity
    raise Problem(NOT_FOUND, f"There is no {reference}.")


async def opened_ticket(batch: Batch[Any], access: Access, reference: str) -> Activity:
    """The same, for who may open it; `Problem` (forbidden) otherwise."""
    activity = await found_ticket(batch, access, reference)
    access.require(activity.process)
    return activity
