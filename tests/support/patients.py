"""What the doctor finds, and what the patient has changed."""

from collections.abc import Awaitable, Callable
from typing import Any

from deploy.doctor.findings import Check, Finding, State, examine
from deploy.doctor.patient import Patient
from deploy.local.ports import choose
from shared import organisation, organisation_copy
from shared.contracts.activity_organisation import Definition, OrganisationApplied
from shared.postgres import Pool, transaction


def changed(patient: Patient, **settings: Any) -> Patient:
    """The same service with other settings."""
    return Patient(patient.service, patient.settings.model_copy(update=settings))


async def found(look: Callable[[], Awaitable[str]], seconds: float = 30) -> Finding:
    (finding,) = await examine([Check("service", "subject", look)], seconds)
    return finding


async def wrong(look: Callable[[], Awaitable[str]], *words: str, state: State = State.FAILED) -> None:
    """The look finds something wrong, and its one sentence has these words."""
    finding = await found(look)
    assert finding.state is state, finding
    assert finding.sentence.endswith(".")
    for word in words:
        assert word in finding.sentence


async def well(look: Callable[[], Awaitable[str]], word: str = "") -> None:
    finding = await found(look)
    assert finding.state is State.OK, finding
    assert word in finding.sentence


async def applied(pool: Pool, definition: Definition) -> None:
    records = organisation.sections_of(definition, 1)
    async with transaction(pool) as connection:
        told = [
            (definition.organisation, each) for each in (*records, OrganisationApplied(version=1, digest="1"))
        ]
        await organisation_copy.store(connection, told)


def free_port() -> int:
    return choose(("nobody",), {}, {})["nobody"]
