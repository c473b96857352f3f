"""Where Kafka answers, and how it is told who we are: what every client of Kafka is made with."""

from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Literal, TypeAlias

Protocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
"""Both under the names that Kafka's own clients give them."""


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """`bootstrap` is `host:port,…`; the rest is as `shared.settings.KafkaSettings` has found it right.

    `tls` trusts whom it has to trust, checks hosts' names, and holds the client's certificate, if any.
    """

    bootstrap: str
    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    tls: SSLContext | None = field(default=None, repr=False, compare=False)

    def connection(self) -> dict[str, Any]:
        """How to connect, as aiokafka calls it."""
        sasl = {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }
        return {
            "security_protocol": self.protocol,
            "ssl_context": self.tls,
            **(sasl if self.mechanism else {}),
        }

    def client(self) -> dict[str, Any]:
        """Where and how to connect: what any of aiokafka's clients begins with."""
        return {"bootstrap_servers": self.bootstrap, **self.connection()}
