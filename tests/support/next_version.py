"""The next version of Mailroom, made mechanically from this one: what an upgrade may bring, and nothing else.

A copy of the source tree with migrations that only add, a new optional field in two events, an event of a new
type that is told to every partition, and a higher number. Run it with its folder first on PYTHONPATH.
"""

import shutil
from pathlib import Path

from deploy.instance import SERVICES
from shared.migrations import FRAME, SERVICE, migrations_of

NUMBER = "99.0.0"
NEW_TYPE = "mailbox.aired"
COLUMNS = {
    "ingest": ("mails", "mailboxes"),
    "activity": ("activities", "mails", "contacts", "history", "correspondents", "effects", "timers"),
    "notify": ("outgoing_mails",),
}
"""Tables that get a column, by service."""

_ROOT = Path(__file__).parents[2]
_AIRED = """class MailboxAired(Record):
    type: Literal["mailbox.aired"] = "mailbox.aired"
    mailbox: Name


IngestMail = Annotated[MailReceived | MailboxPolled | MailNotReinjected | MailboxAired,"""
_ALSO_AIRED = """        for partition in range(INGEST_MAILS.partitions)
    ] + [
        _outgoing(
            organisation,
            mailbox,
            MailboxAired(mailbox=mailbox),
            derive(until, SOURCE, f"{organisation}/{mailbox}", f"aired {partition}"),
            mailbox,
            until,
            partition,
        )
        for partition in range(INGEST_MAILS.partitions)
    ]
"""
# File, what stands there once, what the next version has instead.
_CHANGES: tuple[tuple[str, str, str], ...] = (
    (
        "shared/contracts/ingest_mails.py",
        "IngestMail = Annotated[MailReceived | MailboxPolled | MailNotReinjected,",
        _AIRED,
    ),
    (
        "shared/contracts/ingest_mails.py",
        "    targets: Annotated[tuple[Target, ...], Field(min_length=1)]\n",
        "    targets: Annotated[tuple[Target, ...], Field(min_length=1)]\n    mood: str | None = None\n",
    ),
    (
        "services/ingest/announce.py",
        "MailReceived(\n        mail=id,",
        'MailReceived(\n        mood="calm",\n        mail=id,',
    ),
    (
        "services/ingest/announce.py",
        "import MailboxPolled, MailNotReinjected, MailReceived",
        "import MailboxAired, MailboxPolled, MailNotReinjected, MailReceived",
    ),
    (
        "services/ingest/announce.py",
        "        for partition in range(INGEST_MAILS.partitions)\n    ]\n",
        _ALSO_AIRED,
    ),
    (
        "services/activity/handlers.py",
        "if not isinstance(each.message, MailboxPolled)]",
        "if isinstance(each.message, MailReceived)]",
    ),
    (
        "services/activity/handlers.py",
        "ingest_mails import MailboxPolled",
        "ingest_mails import MailboxPolled, MailReceived",
    ),
    (
        "shared/contracts/activity_activities.py",
        "    automated_mail: bool = True\n",
        "    automated_mail: bool = True\n    mood: str | None = None\n",
    ),
    (
        "services/activity/event_records.py",
        '"automated_mail": happened.automated_mail,',
        '"automated_mail": happened.automated_mail, "mood": "calm",',
    ),
)


def make(folder: Path) -> Path:
    """The next version's source tree. Raises `AssertionError` where this version has moved on meanwhile."""
    for name in ("services", "shared", "deploy"):
        shutil.copytree(_ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in _CHANGES:
        path = folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))
    for service in SERVICES:
        number = newest(service) + 1
        columns = "".join(f"ALTER TABLE {table} ADD COLUMN mood text;\n" for table in COLUMNS[service])
        migration = folder / "services" / service / "migrations" / f"{number:04d}_moods.sql"
        migration.write_text(f"-- oldest code: {number - 1:04d}\n{columns}")
    frame = max(each.number for each in migrations_of("ingest") if each.sequence == FRAME) + 1
    (folder / "shared" / "frame_migrations" / f"{frame:04d}_moods.sql").write_text(
        "ALTER TABLE outbox ADD COLUMN mood text;\nALTER TABLE offsets ADD COLUMN mood text;\n"
    )
    # What a process says of its own version comes from here.
    metadata = folder / f"mailroom-{NUMBER}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.4\nName: mailroom\nVersion: {NUMBER}\n")
    return folder


def newest(service: str) -> int:
    """The number of this version's newest migration of a service."""
    return max(each.number for each in migrations_of(service) if each.sequence == SERVICE)
