"""Who may do what over HTTP: the caller's organisation, his processes, and whom he acts as (design §7)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from services.activity import permissions, store_activities
from services.activity.domain.activity import Activity
from services.activity.resources import PREFIX_OF
from services.activity.store_rows import Key
from shared import references
from shared.auth import Principal
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import Actor, ActorKind
from shared.organisation import NoConfiguration, Organisation, Organisations, Unknown
from shared.permissions import Need, Rights, Role, rights_of
from shared.problems import FORBIDDEN, NOT_FOUND, Problem
from shared.references import ReferenceKind
from shared.unit_of_work import Batch, UnitOfWork

T = TypeVar("T")


@dataclass(frozen=True)
class Access:
    """A caller in his organisation, under the configuration of this moment."""

    caller: Principal
    organisation: Organisation

    @property
    def rights(self) -> Rights:
        """What he has in which process; none if he is nobody's user."""
        return rights_of(self.organisation, self.caller.user)

    @cached_property
    def processes(self) -> frozenset[str]:
        """The processes whose activities he sees whole; of others he sees the header data (AMB-34)."""
        return self.rights.processes(Role.READER)

    @property
    def caller_is_robot(self) -> bool:
        """Whether he is a robot of the organisation. Raises `Problem` as `actor` does."""
        return self.actor.kind is ActorKind.ROBOT

    @property
    def actor(self) -> Actor:
        """Whom his steps are put down to. Raises `Problem` (forbidden) for who is no user here."""
        try:
            user = permissions.found_user(self.organisation, self.caller.user)
        except Unknown:
            raise Problem(FORBIDDEN, "Only users of the organisation take steps.") from None
        # Other kinds are trusted on Kafka, behind its ACLs. What a token calls itself is no such border.
        return Actor(kind=ActorKind.ROBOT if user.robot else ActorKind.USER, id=self.caller.user)

    def admitted(self) -> None:
        """Raises `Problem` (forbidden) for whom the endpoint's rule keeps out whatever it is asked about."""
        if self.caller.rule in (Need.USER, Need.HEADER):
            assert self.actor
        elif self.caller.rule is Need.ANY_PROCESS and not self.processes:
            raise Problem(FORBIDDEN, f"{self.caller.user} may not read any process.")

    def require(self, process: str, request: type[asked.Request] | None = None) -> None:
        """Raises `Problem` (forbidden) unless he has in the process what the endpoint's rule asks.

        Where the rule is what the request needs (`Need.REQUEST`), `request` is its type.
        """
        rule = self.caller.rule
        if rule is Need.REQUEST:
            assert request is not None, "the rule of this endpoint is its request's"
            rule = permissions.rule_for(request)
        try:
            permissions.require(self.organisation, self.caller.user, rule, process)
        except permissions.NotPermitted as refused:
            role: dict[str, Any] = {"role": refused.role.name.lower()} if refused.role else {}
            raise Problem(FORBIDDEN, str(refused), missing=refused.missing, **role) from None


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
            access = Access(caller, organisation)
            access.admitted()
            return await serve(batch, access)

        return await self._unit.run(work)


async def found_activity(
    batch: Batch[Any], access: Access, reference: str, kind: ReferenceKind | None = None
) -> Activity:
    """The activity of the caller's organisation that is called so; `Problem` (not_found) without one.

    With a `kind`, only one of that: others stand elsewhere.
    """
    parsed = references.parse(reference)
    if parsed and kind and parsed.kind is not kind:
        detail = (
            f"{parsed} is no {kind.capitalize()}, but {parsed.kind.phrase}: see {PREFIX_OF[parsed.kind]}."
        )
        raise Problem(NOT_FOUND, detail)
    named = (access.organisation.name, str(parsed))
    ids = await store_activities.find(batch.connection, {named} if parsed else ())
    loaded = await store_activities.load(batch.connection, {(named[0], id_) for id_ in ids.values()})
    for activity in loaded.values():
        return activity
    raise Problem(NOT_FOUND, f"There is no {reference}.")


def bearer_key(activity: Activity) -> Key:
    """Who has an activity's contacts, links, fields and files (LK-1, CA-7)."""
    return activity.organisation, activity.bearer


async def opened_activity(
    batch: Batch[Any],
    access: Access,
    reference: str,
    kind: ReferenceKind | None = None,
    request: type[asked.Request] | None = None,
) -> Activity:
    """The same, for whom the endpoint's rule lets open it; `Problem` (forbidden) otherwise.

    `request` is what is asked of it, where the rule is what the request needs.
    """
    activity = await found_activity(batch, access, reference, kind)
    access.require(activity.process, request)
    return activity
