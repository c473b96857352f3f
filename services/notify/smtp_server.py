"""Where mail goes out: a server of the settings, and who logs in there."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Tls(StrEnum):
    """How a connection is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpServer(BaseModel):
    """One SMTP server of the settings. `starttls` and `tls` are required where they are set, never hoped for.

    `null_sender` says that the server takes mail from nobody (`MAIL FROM:<>`); services that check the sender
    often do not. `connections` is how many mails are under way at once, and kept in one transaction when they
    end together: many services allow few, while with a relay of your own 16 cost half as much as 4.
    `command_seconds` bounds connecting and each command, `data_seconds` the answer to the mail
    itself: RFC 5321 4.5.3.2.6 gives the server ten minutes, because a client that leaves earlier sends twice.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: Tls = Tls.STARTTLS
    verify: bool = True
    ca_file: Path | None = None
    hello: str | None = None
    null_sender: bool = True
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    command_seconds: Annotated[float, Field(gt=0)] = 60.0
    data_seconds: Annotated[float, Field(gt=0)] = 600.0
    idle_seconds: Annotated[float, Field(gt=0)] = 30.0


@dataclass(frozen=True, slots=True)
class Login:
    """What a server wants to know before it takes mail."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.user!r})"
