"""The table of checks: what is looked at for which service, and for which of its mailboxes."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from deploy.doctor import dns, mail, probe, servers
from deploy.doctor.dns import Resolvers
from deploy.doctor.findings import Check, Doubtful, Finding, State, examine
from deploy.doctor.patient import Box, Patient
from shared.settings import SettingsError

SECONDS = 25.0
"""How long a check may take; all are under way at once."""
PROBE_SECONDS = 120.0

Look = Callable[[Patient], Awaitable[str]]

# What each service stands on.
SERVERS: tuple[tuple[str, Look, tuple[str, ...]], ...] = (
    ("postgres", servers.postgres, ("ingest", "activity", "notify")),
    ("schema", servers.schema, ("ingest", "activity", "notify")),
    ("clock", servers.clock, ("ingest", "activity", "notify")),
    ("kafka topics", servers.kafka, ("ingest", "activity", "notify")),
    ("kafka partitions", servers.partitions, ("ingest", "activity", "notify")),
    ("blobs", servers.blobs, ("ingest", "activity", "notify")),
    ("token keys", servers.token_keys, ("ingest", "activity", "notify")),
)


@dataclass(frozen=True, slots=True)
class PerMailbox:
    """What is looked at for the mailboxes of the configuration: once for each `group` of them."""

    subject: str
    service: str
    group: Callable[[Box], str]
    look: Callable[[Patient, Box, Resolvers], Awaitable[str]]


def _account(box: Box) -> str:
    smtp = box.mailbox.smtp
    return smtp.server if smtp.user is None else f"{smtp.server} as {smtp.user}"


def _domain(box: Box) -> str:
    return box.mailbox.address.rpartition("@")[2].lower()


def _name(box: Box) -> str:
    return f"{box.organisation}/{box.mailbox.name}"


MAILBOXES: tuple[PerMailbox, ...] = (
    PerMailbox("imap", "ingest", _name, lambda patient, box, _: mail.imap(patient, box)),
    PerMailbox("smtp", "notify", _account, lambda patient, box, _: mail.smtp(patient, box)),
    PerMailbox("mx of", "notify", _domain, lambda _, box, ask: dns.arrives(_domain(box), ask)),
    PerMailbox("spf of", "notify", _domain, lambda _, box, ask: dns.spf(_domain(box), ask)),
    PerMailbox("dmarc of", "notify", _domain, lambda _, box, ask: dns.dmarc(_domain(box), ask)),
)


async def findings(
    patients: Mapping[str, Patient | SettingsError],
    *,
    resolver: Resolvers,
    probed: bool = False,
    seconds: float = SECONDS,
    probe_seconds: float = PROBE_SECONDS,
) -> list[Finding]:
    """Look at the services, side by side; a service whose settings are wrong is that one finding."""
    found: list[Finding] = []
    well: dict[str, Patient] = {}
    for service, patient in patients.items():
        if isinstance(patient, Patient):
            well[service] = patient
            found.append(Finding(service, "settings", State.OK, "all there, as they should be"))
        else:
            wrong = str(patient).splitlines()
            found += [Finding(service, "settings", State.FAILED, line) for line in wrong]
    checks = [
        Check(service, subject, partial(look, patient))
        for service, patient in well.items()
        for subject, look, of in SERVERS
        if service in of
    ]
    boxed, blind = await _of_mailboxes(well, resolver, seconds)
    checks += boxed
    found += await examine(checks, seconds)
    found += blind
    if probed:
        found += await _probes(well, seconds, probe_seconds)
    return found


async def _of_mailboxes(
    well: Mapping[str, Patient], resolver: Resolvers, seconds: float
) -> tuple[list[Check], Sequence[Finding]]:
    """The checks of mailboxes, or why there are none."""
    checks: list[Check] = []
    blind: list[Finding] = []
    for service in sorted({each.service for each in MAILBOXES} & well.keys()):
        patient = well[service]
        boxes, finding = await _boxes(patient, seconds)
        blind += finding
        for kind in (each for each in MAILBOXES if each.service == service):
            first = {kind.group(box): box for box in reversed(boxes)}
            checks += [
                Check(service, f"{kind.subject} {group}", partial(kind.look, patient, box, resolver))
                for group, box in sorted(first.items())
            ]
    return checks, blind


async def _boxes(patient: Patient, seconds: float) -> tuple[list[Box], list[Finding]]:
    boxes: list[Box] = []

    async def read() -> str:
        boxes.extend(await patient.boxes())
        return f"{len(boxes)} mailboxes"

    found = await examine([Check(patient.service, "configuration", read)], seconds)
    return boxes, found


async def _probes(well: Mapping[str, Patient], seconds: float, probe_seconds: float) -> Iterable[Finding]:
    """A mail to each mailbox; that takes a service that sends and one that reads."""
    ingest, notify = well.get("ingest"), well.get("notify")
    if ingest is None or notify is None:
        said = "It takes the settings of ingest and of notify: name both with --service."
        return [Finding("", "probe", State.WARNING, said)]
    try:
        boxes = await ingest.boxes()
    except Doubtful as doubt:
        return [Finding("", "probe", State.WARNING, str(doubt))]
    checks = [
        Check("", f"probe {_name(box)}", partial(probe.probe, ingest, notify, box, probe_seconds))
        for box in boxes
    ]
    return await examine(checks, probe_seconds + seconds)
