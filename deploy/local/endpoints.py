"""Where the servers and services of one instance answer."""

import json
import tempfile
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from deploy.local.processes import ProcessRecord
from shared.kafka_access import KafkaAccess
from shared.local_issuer import ISSUER, PUBLIC_KEYS
from shared.settings import PREFIX, KafkaSettings

FILE = "endpoints.json"
MAIL_SERVER = "main"
# How another Kafka is reached is nothing to this one, and empty is as good as unset.
_NO_SECURITY = {
    f"{PREFIX}{name.upper()}": "" for name in KafkaSettings.model_fields if name.startswith("kafka_")
}


class Address(BaseModel, frozen=True):
    """A TCP address on this machine."""

    host: str
    port: int


class ServiceEndpoint(BaseModel, frozen=True):
    """One Mailroom service: its HTTP base URL, and the DSN of its own role."""

    http: str
    postgres_dsn: str


class Endpoints(BaseModel, frozen=True):
    """All addresses of a running instance; exists as `endpoints.json` in its home while it is ready.

    `postgres_dsn` is the superuser's, on the instance's own database. `greenmail_api` is a base URL.
    `services` and `processes` go by the name of service or server.
    """

    home: Path
    kafka_bootstrap: str
    postgres_dsn: str
    imap: Address
    smtp: Address
    greenmail_api: str
    services: dict[str, ServiceEndpoint]
    supervisor: ProcessRecord
    processes: dict[str, ProcessRecord]

    @property
    def kafka(self) -> KafkaAccess:
        """Kafka as clients on this machine reach it."""
        return KafkaAccess(self.kafka_bootstrap)

    @classmethod
    def load(cls, home: Path) -> Self | None:
        """What the instance in `home` last said of itself; None if it is not up."""
        try:
            return cls.model_validate_json((home / FILE).read_bytes())
        except FileNotFoundError:
            return None

    def save(self) -> None:
        """Writes `endpoints.json` in one step: a reader sees all of it or the one before."""
        replace_file(self.home / FILE, self.model_dump_json(indent=2))

    def environment(self, service: str) -> dict[str, str]:
        """The settings of one service (`shared.settings`), as environment variables."""
        endpoint = self.services[service]
        secrets = self.home / "secrets"
        host, _, port = endpoint.http.removeprefix("http://").partition(":")
        return {
            **_NO_SECURITY,
            "MAILROOM_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "MAILROOM_POSTGRES_DSN": endpoint.postgres_dsn,
            "MAILROOM_HTTP_HOST": host,
            "MAILROOM_HTTP_PORT": port,
            "MAILROOM_BLOBS_URL": (self.home / "blobs").as_uri(),
            "MAILROOM_SECRETS_DIR": str(secrets),
            "MAILROOM_OIDC_ISSUER": ISSUER,
            "MAILROOM_OIDC_JWKS": str(secrets / PUBLIC_KEYS),
            "MAILROOM_IMAP_SERVERS": _servers(self.imap, tls=False),
            "MAILROOM_SMTP_SERVERS": _servers(self.smtp, tls="none", null_sender=False),
            # Timers wait for mailboxes to say how far they were read; on one machine that may be often.
            "MAILROOM_POLL_SECONDS": "2",
            "MAILROOM_PUBLIC_URL": endpoint.http,
        }


def _servers(address: Address, **settings: bool | str) -> str:
    """The only mail server there is, under the name that the sample organisation has for it.

    GreenMail takes no mail with a null reverse path (greenmail #28).
    """
    return json.dumps({MAIL_SERVER: {"host": address.host, "port": address.port, **settings}})


def replace_file(path: Path, text: str) -> None:
    """Writes `text` beside `path` and renames it there, so that no reader sees half a file."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as partial:
        partial.write(text)
    Path(partial.name).replace(path)
