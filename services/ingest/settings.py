"""Settings of ingest, beyond those of every service (shared/settings.py)."""

from pydantic import Field

from services.ingest.imap import ImapServer
from shared.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """Environment variables `MAILROOM_…`. The mailboxes stand in the organisation's configuration."""

    imap_servers: dict[str, ImapServer] = Field(
        default_factory=dict,
        description="the IMAP servers that the configuration names, as JSON: "
        '{"main": {"host": "imap.example.org", "port": 993, "tls": true}}',
    )
    poll_seconds: float = Field(
        default=15.0,
        gt=0,
        le=300,
        description="seconds after which a mailbox is looked at although its server told of nothing new; "
        "how often the others are told that it is read to its end",
    )
    lease_seconds: float = Field(
        default=30.0,
        ge=1,
        description="seconds after which another process may take a mailbox over from one that went silent",
    )
    sweep_seconds: float = Field(
        default=3600.0,
        gt=0,
        description="seconds between two looks for what has lain in a done folder for long",
    )
    max_mail_bytes: int = Field(
        default=50 * 1024**2,
        ge=1024**2,
        description="bytes of the largest mail that is taken in whole; of larger ones the head is kept",
    )
    parser_processes: int = Field(
        default=1, ge=1, le=64, description="processes that parse pages of mails side by side"
    )
    unhandled_days: int | None = Field(
        default=None,
        ge=1,
        description="days that the bytes of unhandled and own mail are kept; empty keeps them for ever",
    )
