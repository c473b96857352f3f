"""The organisation's configuration: applied as a whole, versioned, told to the others (design §10)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.activity import agenda
from services.activity import store_configuration as store
from services.activity.configuration_uses import InUse, going_on, in_use
from shared import organisation, organisation_copy, tracing
from shared.contracts.activity_organisation import Definition, OrganisationApplied
from shared.contracts.envelope import Envelope, source_of
from shared.contracts.record import Record
from shared.identity import derive
from shared.organisation import Organisation
from shared.organisation_rules import Finding, findings
from shared.topics import ACTIVITY_ORGANISATION
from shared.unit_of_work import Batch, Outgoing

SOURCE = source_of("activity")


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

    `going_on` says of how many Cases of a process the flow that they began with is another than from now on.
    """

    version: int
    changed: bool
    going_on: Mapping[str, int] = field(default_factory=dict)


async def current(batch: Batch[Any], name: str) -> Organisation | None:
    """What is applied now, or None before the first time."""
    return await organisation.load(batch.connection, name)


async def apply(batch: Batch[Any], definition: Definition, actor: str) -> Applied:
    """Make `definition` the next version, or do nothing when it is what holds already.

    Raises `ConfigurationRefused` with every rule it breaks, or `StillInUse` with all that cannot go.
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
    await agenda.settle(batch.connection, Organisation.of(name, version, records[:-1]), batch.now)
    await store.log(batch.connection, name, version, digest, actor, batch.now)
    batch.publish(*(_outgoing(batch, name, version, record) for record in records))
    return Applied(version, changed=True, going_on=left)


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
