"""Checks of what every service stands on: PostgreSQL, Kafka, the blob store, secrets."""

import secrets
from datetime import UTC, datetime

import asyncpg

from deploy.doctor.findings import Doubtful, Wrong
from deploy.doctor.patient import Patient
from shared import offsets, topic_plan
from shared.blobs import BlobError, BlobStore
from shared.migrations import SchemaMismatch, migrations_of, require_schema, role_of
from shared.readers import READERS
from shared.rights import concerning
from shared.settings import SettingsError
from shared.topic_configuration import kept_for
from shared.topic_plan import Action, TopicError

CLOCK_SECONDS = 2.0
TOKEN_SECONDS = 60.0
"""A clock that is off by this much refuses good tokens, or takes expired ones."""


async def postgres(patient: Patient) -> str:
    """It answers, and the role is the service's own."""
    async with patient.database() as connection:
        role = await connection.fetchval("SELECT current_user")
        powerful = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        version = connection.get_server_version()
    if powerful:
        raise Doubtful(
            f"The service logs in as {role}, who may do everything: put {role_of(patient.service)} into "
            "MAILROOM_POSTGRES_DSN."
        )
    return f"PostgreSQL {version.major}, as {role}"


async def schema(patient: Patient) -> str:
    """The schema is one that this code can live with."""
    migrations = migrations_of(patient.service)
    async with patient.database() as connection:
        try:
            await require_schema(connection, patient.service, migrations)
        except SchemaMismatch as mismatch:
            raise Wrong(str(mismatch)) from mismatch
        except asyncpg.InsufficientPrivilegeError as error:
            raise Wrong(
                f"The role may not see the schema {patient.service!r}: put {role_of(patient.service)} into "
                "MAILROOM_POSTGRES_DSN."
            ) from error
    return f"{len(migrations)} migrations, as the code has them"


async def clock(patient: Patient) -> str:
    """This machine's clock beside the database's, by which services live."""
    async with patient.database() as connection:
        asked = datetime.now(UTC)
        told = await connection.fetchval("SELECT clock_timestamp()")
        answered = datetime.now(UTC)
    difference = ((asked + (answered - asked) / 2) - told).total_seconds()
    way = "ahead of" if difference > 0 else "behind"
    said = f"This machine's clock is {abs(difference):.0f} s {way} the database's"
    if abs(difference) > TOKEN_SECONDS:
        raise Wrong(f"{said}: set both by NTP, or good tokens are refused.")
    if abs(difference) > CLOCK_SECONDS:
        raise Doubtful(f"{said}: set both by NTP.")
    return "less than 2 s from the database's"


async def kafka(patient: Patient) -> str:
    """It answers, and the service's topics are those of the table: more it need not be let see."""
    prefix = patient.settings.topic_prefix
    own = concerning(patient.service)
    try:
        async with topic_plan.connected(patient.settings.kafka()) as cluster:
            present = await cluster.present([prefix + topic.name for topic in own])
    except (SettingsError, TopicError) as error:
        raise Wrong(str(error)) from error
    kept = kept_for(patient.settings.topic_days, own)
    changes = topic_plan.plan(kept, prefix, present)
    wrong = [change for change in changes if change.action is not Action.LEAVE]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise Wrong(f"Run `mailroom topics apply`: {wrong[0].sentence}{more}.")
    if changes:
        raise Doubtful(f"{changes[0].sentence}.")
    return f"{len(present)} topics, as in the table"


async def partitions(patient: Patient) -> str:
    """Every consumer of the service knows where to begin in each partition."""
    prefix = patient.settings.topic_prefix
    readers = [reader for reader in READERS if reader.service == patient.service]
    names = sorted({prefix + reader.topic.name for reader in readers})
    try:
        async with topic_plan.connected(patient.settings.kafka()) as cluster:
            places = await cluster.places(names)
    except (SettingsError, TopicError) as error:
        raise Doubtful("Kafka does not answer, so they could not be looked at.") from error
    missing: list[str] = []
    async with patient.database() as connection:
        for reader in readers:
            topic = prefix + reader.topic.name
            known = await offsets.stored(connection, reader.consumer, [topic])
            here = [place for place in places if place.topic == topic]
            missing += [
                f"{reader.consumer}: {place.topic}/{place.partition}" for place in here if place not in known
            ]
    if missing:
        raise Wrong(
            f"Run `mailroom topics apply`: {len(missing)} partitions have no registered beginning, such as "
            f"{missing[0]}."
        )
    return f"{len(places)} partitions, all registered"


async def blobs(patient: Patient) -> str:
    """What is put can be read again, and deleted. Leaves nothing behind."""
    url = patient.settings.blobs_url
    said = secrets.token_bytes(16)
    try:
        store = BlobStore(url, patient.service)
        blob = await store.put("doctor", said)
        if await store.get(blob.object) != said:
            raise Wrong(f"The blob store at {url} gives back something else than was put: look at it.")
        await store.delete([blob.object])
    except BlobError as error:
        raise Wrong(
            f"The blob store at {url} cannot be written and read ({error}): mend MAILROOM_BLOBS_URL, its "
            "rights or its space."
        ) from error
    return f"{url} is written and read"


async def token_keys(patient: Patient) -> str:
    """The keys that sign plus addresses are there, and good."""
    try:
        keyring = patient.settings.keyring()
    except SettingsError as error:
        raise Wrong(str(error)) from error
    return f"key {keyring.signs} signs, {len(keyring.keys)} are accepted"
