"""HTTP of the configuration: what is applied, and applying another."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.activity import configuration
from services.activity.configuration_uses import InUse
from services.activity.permissions import ENDPOINTS
from services.activity.work import Work
from shared.auth import Caller, Principal
from shared.contracts.activity_organisation import Definition
from shared.http import etag
from shared.permissions import guarded
from shared.problems import (
    CONFIGURATION_IN_USE,
    FORBIDDEN,
    NOT_FOUND,
    VALIDATION_FAILED,
    Problem,
)
from shared.unit_of_work import Batch, UnitOfWork


class CurrentConfiguration(BaseModel):
    """A version and what it says."""

    version: int
    definition: Definition


class ApprovalsLeft(BaseModel):
    """A user who cannot answer any more, and what waited for him and nobody else; some examples of it."""

    user: str
    count: int
    examples: list[str]


class AppliedConfiguration(BaseModel):
    """The version that holds now; `changed` is false when it held before.

    `going_on` says, by process, how many Cases run on through the steps that they began with. `to_people`
    says, by user, how many approvals come to people because nobody who is asked can answer them any more.
    """

    version: int
    changed: bool
    going_on: dict[str, int] = {}
    to_people: list[ApprovalsLeft] = []


def routes(unit: UnitOfWork, work: Work) -> APIRouter:
    """`/v1/configuration`."""
    router = APIRouter(prefix="/v1/configuration", tags=["configuration"])

    @router.get("")
    async def read(caller: Caller, response: Response) -> CurrentConfiguration:
        """The configuration of the caller's organisation."""

        async def reading(batch: Batch[Any]) -> CurrentConfiguration | None:
            found = await configuration.current(batch, caller.organisation)
            if found is None:
                return None
            return CurrentConfiguration(version=found.version, definition=found.definition())

        found = await unit.run(reading)
        if found is None:
            raise Problem(NOT_FOUND, f"Nothing has been applied for {caller.organisation!r} yet.")
        response.headers["ETag"] = etag(found.version)
        return found

    @router.put("")
    async def apply(
        definition: Definition,
        caller: Caller,
        dry_run: Annotated[bool, Query(description="check only")] = False,
    ) -> AppliedConfiguration:
        """Make this the configuration. The same one again changes nothing."""
        _own(caller, definition)

        async def applying(batch: Batch[Any]) -> configuration.Applied:
            applied = await configuration.apply(batch, definition, caller.user, work)
            if dry_run:
                raise _DryRun(applied)
            return applied

        try:
            applied = await unit.run(applying)
        except _DryRun as checked:
            applied = checked.applied
        except configuration.ConfigurationRefused as refused:
            raise Problem(
                VALIDATION_FAILED,
                str(refused),
                errors=[
                    {"at": ".".join(map(str, found.path)), "detail": found.sentence}
                    for found in refused.findings
                ],
            ) from None
        except configuration.StillInUse as refused:
            raise Problem(
                CONFIGURATION_IN_USE, f"{refused}.", uses=[_use(found) for found in refused.uses]
            ) from None
        return AppliedConfiguration(
            version=applied.version,
            changed=applied.changed,
            going_on=dict(applied.going_on),
            to_people=[
                ApprovalsLeft(user=each.name, count=each.count, examples=list(each.examples))
                for each in applied.to_people
            ],
        )

    return guarded(router, ENDPOINTS)


def _use(found: InUse) -> dict[str, Any]:
    """As `uses` of the problem lists it; what does not matter to a kind is left out."""
    shown = {
        "kind": found.kind,
        "name": found.use.name,
        "process": found.process,
        "option": found.option,
        "users": found.use.users,
        "count": found.use.count,
        "examples": list(found.use.examples),
        "detail": found.sentence,
    }
    return {name: value for name, value in shown.items() if value is not None}


class _DryRun(Exception):
    """Leaves the transaction without a commit, with what it would have done."""

    def __init__(self, applied: configuration.Applied) -> None:
        super().__init__("dry run")
        self.applied = applied


def _own(caller: Principal, definition: Definition) -> None:
    if definition.organisation != caller.organisation:
        raise Problem(
            FORBIDDEN,
            f"The token is for {caller.organisation!r}, the definition for {definition.organisation!r}.",
        )
