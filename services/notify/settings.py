"""Settings of notify, beside what every service has."""

from pydantic import Field

from services.notify.smtp_server import SmtpServer
from shared.settings import ServiceSettings


class NotifySettings(ServiceSettings):
    """`MAILROOM_SMTP_SERVERS` is JSON: the servers by the name that mailboxes call them by.

    `{"relay": {"host": "smtp.example.org", "port": 587, "tls": "starttls"}}`; the rest has defaults.
    """

    smtp_servers: dict[str, SmtpServer] = Field(
        default_factory=dict,
        description="JSON of SMTP servers by name: "
        '{"relay": {"host": "…", "port": 587, "tls": "none, starttls or tls"}}',
    )
    claim_seconds: float = Field(
        default=30.0,
        gt=0,
        description="seconds after which mail that a dead process was sending is sent again",
    )
    queue_poll_seconds: float = Field(
        default=10.0,
        gt=0,
        description="seconds between looks at the queue when nobody says that there is mail",
    )
