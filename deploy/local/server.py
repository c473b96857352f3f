"""What the stack asks of each of its servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from deploy.local.processes import Program

# Options for a Java or a PostgreSQL of the user's own must not reach ours.
_FOREIGN = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "PGDATA", "PGOPTIONS")


@dataclass(frozen=True)
class Place:
    """What a server is given: its own folder for data, its log, its ports by name, its environment."""

    folder: Path
    log: Path
    ports: Mapping[str, int]
    environment: Mapping[str, str]


class Server(Protocol):
    """One server of the stack: what it needs, said rather than done."""

    PORTS: ClassVar[tuple[str, ...]]

    @property
    def place(self) -> Place:
        """What it was given."""

    def configure(self) -> None:
        """Writes its settings, and sees to permissions; before each start."""

    def maker(self) -> Program | None:
        """What makes its data the first time, in an empty folder; None if it keeps none."""

    def program(self) -> Program:
        """The server itself."""

    async def is_ready(self) -> bool:
        """Whether it answers as its clients need it; False while it starts, never an exception."""


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would bend the behaviour of our servers."""
    return {name: value for name, value in environment.items() if name not in _FOREIGN}
