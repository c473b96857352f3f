"""The organisation's configuration: applied as a whole, versioned, told to the others (design §10)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.activity import agenda, work_approvers
from services.activity import store_configuration as store
from services.activity.configuration_uses import InUse, by_approver, going_on, in_use, left_alone
from services.activity.store_uses import LeftAlone, Use
from services.activity.work import Work
from shared import organisation, organisation_copy, tracing, tracing_records
from shared.contracts.activity_organisation import Definition, OrganisationApplied
from shared.contracts.envelope import Envelope, source_of
from shared.contracts.record import Record
from shared.identity import derive
from shared.organisation import Organisation
from shared.organisation_rules import Finding, findings
from shared.topics import ACTIVITY_ORGANISATION
from shared.unit_of_work import Batch, Outgoing

SOURCE = source_of("activity")
PAGE = 200
"""So many approvals come to people together."""


class ConfigurationRefused(Exception):
    """The definition breaks rules."""

    def __init__(self, refused: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.sentence for finding in refused))
        self.findings = tuple(refused)


class StillInUse(Exception):
    """The definition takes away what activities or contacts stand on; `uses` lists all of it."""

    def __init__(self, uses: Sequence[InUse]) -> None:
        super().__init__("; ".join(use.sentence for use in uses))
        self.uses = tuple(uses)


@dataclass(frozen=True)
class Applied:
    """The version that holds now, and whether this call made it.

    `going_on` says of how many Cases of a process the flow that they began with is another than from now on,
    `to_people` how many approvals nobody who is asked can give any more, by whom they were to.
    """

    version: int
    changed: bool
    going_on: Mapping[str, int] = field(default_factory=dict)
    to_people: Sequence[Use] = ()


async def current(batch: Batch[Any], name: str) -> Organisation | None:
    """What is applied now, or None before the first time."""
    return await organisation.load(batch.connection, name)


async def apply(batch: Batch[Any], definition: Definition, actor: str, work: Work) -> Applied:
    """Make `definition` the next version, or do nothing when it is what holds already.

    Approvals that nobody can answer any more come to people with it, by `work`. Raises
    `ConfigurationRefused` with every rule it breaks, or `StillInUse` with all that cannot go.
    """
    name = definition.organisation
    await store.lock(batch.connection, name)
    applied = await store.applied(batch.connection, name)
    digest = digest_of(definition)
    if applied is not None and applied.digest == digest:
        return Applied(applied.version, changed=False)
    refused = findings(definition)
    if refused:
        raise ConfigurationRefused(refused)
    before = await organisation.load(batch.connection, name)
    uses = await in_use(batch, before, definition) if before else []
    if uses:
        raise StillInUse(uses)
    left = await going_on(batch, before, definition) if before else {}
    version = 1 if applied is None else applied.version + 1
    records: tuple[Record, ...] = (
        *organisation.sections_of(definition, version),
        OrganisationApplied(version=version, digest=digest),
    )
    await organisation_copy.store(batch.connection, [(name, record) for record in records])
    now_on = Organisation.of(name, version, records[:-1])
    await agenda.settle(batch.connection, now_on, batch.now)
    await store.log(batch.connection, name, version, digest, actor, batch.now)
    batch.publish(*(_outgoing(batch, name, version, record) for record in records))
    alone = await left_alone(batch, before, now_on) if before else []
    await _bring_to_people(batch, now_on, alone, work)
    return Applied(version, changed=True, going_on=left, to_people=by_approver(alone))


async def _bring_to_people(
    batch: Batch[Any], now_on: Organisation, alone: Sequence[LeftAlone], work: Work
) -> None:
    """Approvals that nobody can answer any more; nobody else works meanwhile, so they are taken by pages."""
    for begin in range(0, len(alone), PAGE):
        found = alone[begin : begin + PAGE]
        records = work_approvers.left(now_on.name, now_on.version, found, batch.now)
        with tracing_records.handling("bring approval to people", records) as traced:
            await work.perform(batch, traced, by={now_on.name: now_on})


def digest_of(definition: Definition) -> str:
    """SHA-256 of the definition, independent of how it was written down."""
    canonical = json.dumps(definition.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _outgoing(batch: Batch[Any], name: str, version: int, record: Record) -> Outgoing:
    section = record.type.removeprefix("organisation.")
    key = ACTIVITY_ORGANISATION.key_for(name, section)
    envelope = Envelope(
        id=str(derive(batch.now, SOURCE, f"{name}/{version}", section)),
        source=SOURCE,
        type=record.type,
        time=batch.now,
        organisation=name,
        subject=f"{name}/{version}",
        partitionkey=key,
        traceparent=tracing.current(),
    )
    return Outgoing(ACTIVITY_ORGANISATION, key, envelope, record)
