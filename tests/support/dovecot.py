"""Dovecot 2.3: a second, different IMAP server, which stays fast however many mails a mailbox holds.

    async with running_dovecot() as dovecot:
        dovecot.deliver("help@acme.test", *mails)     # straight into the maildir, thousands a second
        ... ImapServer(host=dovecot.address.host, port=dovecot.address.port, tls=False) ...
        assert dovecot.folders("help@acme.test") == {"INBOX": 0, "Done": 7}

It comes from the system (Debian's `dovecot-imapd`), needs no root and none of the system's configuration or
users: it runs as whoever starts it, or as `nobody` if that is root, in a short folder of its own.
"""

import asyncio
import grp
import itertools
import os
import pwd
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from deploy.local import ports
from deploy.local.endpoints import Address
from deploy.local.ports import HOST
from deploy.local.processes import Program, Tethered
from deploy.local.server import clean_environment
from services.ingest.imap_text import folder_name
from tests.support.waiting import eventually

PASSWORD = "local"
"""What every user's password is, as in the secrets of the local stack."""
INBOX = "INBOX"
SECONDS_TO_START = 30.0
_MISSING = "Dovecot is not installed: `apt-get install dovecot-imapd` (version 2.3), and nothing else of it."
_SEPARATOR = "."  # Maildir++
_CONFIGURATION = """\
protocols = imap
listen = {host}
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_max_userip_connections = 100
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = static
  args = {check}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


class DovecotMissing(RuntimeError):
    """It is not installed. The message says what to do."""


@dataclass
class Dovecot:
    """One server, which keeps its port and its mails while it is stopped or killed.

    `folder` is its own: configuration, run files, log, and a maildir per user that comes into being with
    the first mail or login. Any user may log in with `password`; None takes any password.
    """

    folder: Path
    port: int
    password: str | None = PASSWORD
    _running: Tethered | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def address(self) -> Address:
        """Where it speaks IMAP, without TLS."""
        return Address(host=HOST, port=self.port)

    @property
    def log(self) -> Path:
        return self.folder / "dovecot.log"

    @property
    def pid(self) -> int:
        """Its first process, whose descendants do the work; only while it runs."""
        assert self._running is not None, "it does not run"
        return self._running.record.pid

    # Its life

    async def start(self) -> None:
        """Start it; returns when it answers. Raises `RuntimeError` if it cannot."""
        self._running = await Tethered.start(self._program())

        async def answers() -> bool:
            assert self._running is not None
            if self._running.exit_code is not None:
                raise RuntimeError(f"Dovecot ended while it started:\n{self.log.read_text()[-2000:]}")
            return await greets(self.address, b"* OK")

        await eventually(answers, deadline=SECONDS_TO_START)

    async def stop(self) -> None:
        """End it in order, and whatever it started; its clients lose their connections."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.stop()

    async def kill(self) -> None:
        """SIGKILL to all of its processes at once, as at a power cut."""
        if self._running is not None:
            self._running.process.send_signal(signal.SIGKILL)
            await self.stop()

    def _program(self) -> Program:
        program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise DovecotMissing(_MISSING)
        return Program(
            arguments=(program, "-F", "-c", str(self._configure())),
            environment=clean_environment(os.environ),
            folder=self.folder,
            log=self.log,
            death_signal=signal.SIGTERM,  # it takes its processes along
            user=_other_user(),
        )

    def _configure(self) -> Path:
        user, group = _other_user() or (os.getuid(), os.getgid())
        path = self.folder / "dovecot.conf"
        path.write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                host=HOST,
                port=self.port,
                user=pwd.getpwuid(user).pw_name,
                group=grp.getgrgid(group).gr_name,
                check="nopassword=y" if self.password is None else f"password={self.password}",
            )
        )
        return path

    # What lies in it, on disk and past IMAP

    def deliver(self, user: str, *mails: bytes, folder: str = INBOX) -> None:
        """Put mails into a folder as an MTA does, byte by byte; whoever waits in it is told.

        They get their UIDs in this order. Without any, only the folder is made.
        """
        maildir = self.maildir(user, folder)
        self._ensure(maildir)
        stamp = time.time_ns() // 1000
        for mail in mails:
            number = next(self._numbers)
            on_the_wire = len(mail) + mail.count(b"\n") - mail.count(b"\r\n")
            sizes = f"S={len(mail)},W={on_the_wire}"
            # With its sizes in its name no mail is read before somebody asks for it. Dovecot gives UIDs in
            # order of seconds, then microseconds, then name.
            name = f"{stamp // 1_000_000}.M{stamp % 1_000_000}P{os.getpid()}Q{number:012}.local,{sizes}"
            unfinished = maildir / "tmp" / name
            unfinished.write_bytes(mail)
            _give(unfinished)  # nobody may link what is not theirs, and so a mail is moved
            unfinished.rename(maildir / "new" / name)

    def deliver_at_once(self, user: str, mails: Iterable[bytes]) -> Callable[[], bool]:
        """Put mails into a user's inbox so that all of them are there from one moment on.

        It must hold no unseen mail. Whoever waits in it may learn of them only when they look again: what is
        returned says whether the server has seen them.
        """
        inbox, apart = self.maildir(user), self.maildir(f"apart-{uuid4().hex}")
        self._ensure(inbox)
        self.deliver(apart.name, *mails)
        new = inbox / "new"
        untouched = (apart / "new").stat().st_mtime_ns
        new.rename(apart / "before")
        (apart / "new").rename(new)
        shutil.rmtree(apart)
        return lambda: new.stat().st_mtime_ns != untouched

    def folders(self, user: str) -> dict[str, int]:
        """The folders of a user, as the disk spells them with `/` between levels, and their mails' number."""
        return {folder: len(self._files(maildir)) for folder, maildir in self._maildirs(user)}

    def number(self, user: str, folder: str = INBOX) -> int:
        """How many mails a folder has, however many others there are."""
        maildir = self.maildir(user, folder)
        if not maildir.is_dir():
            return 0
        return sum(1 for part in ("new", "cur") for _ in (maildir / part).iterdir())

    def mails(self, user: str, folder: str = INBOX) -> list[bytes]:
        """The mails of a folder, in the order in which they were delivered."""
        return [path.read_bytes() for path in self._files(self.maildir(user, folder))]

    def maildir(self, user: str, folder: str = INBOX) -> Path:
        """Where a folder lies, whether it is there or not."""
        home = self.folder / "mail" / user
        return home if folder == INBOX else home / (_SEPARATOR + folder_name(folder, _SEPARATOR))

    def _maildirs(self, user: str) -> Iterator[tuple[str, Path]]:
        home = self.maildir(user)
        if home.is_dir():
            yield INBOX, home
            for path in sorted(home.glob(f"{_SEPARATOR}*/")):
                yield path.name[1:].replace(_SEPARATOR, "/"), path

    @staticmethod
    def _files(maildir: Path) -> list[Path]:
        while True:  # a mail that is moved away under our eyes: look again
            try:
                found = [path for part in ("new", "cur") for path in (maildir / part).iterdir()]
                return sorted(found, key=_delivered)
            except FileNotFoundError:
                if not maildir.is_dir():
                    return []

    @staticmethod
    def _ensure(maildir: Path) -> None:
        if (maildir / "tmp").is_dir():
            return
        home = maildir.parent if maildir.name.startswith(_SEPARATOR) else maildir
        for path in (home, maildir, *((maildir / part) for part in ("cur", "new", "tmp"))):
            if not path.is_dir():
                path.mkdir()
                _give(path)


@asynccontextmanager
async def running_dovecot(password: str | None = PASSWORD) -> AsyncIterator[Dovecot]:
    """A Dovecot for as long as this lasts; nothing of it stays behind.

    Raises `DovecotMissing` if it is not installed, and `RuntimeError` if it cannot start.
    """
    # Not a test's own folder: a Unix socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="mailroom-dovecot-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "mail").mkdir()
        for path in (folder, folder / "mail"):
            _give(path)
        dovecot = Dovecot(folder, ports.choose(("imap",), {}, {})["imap"], password)
        try:
            await dovecot.start()
            yield dovecot
        finally:
            await dovecot.stop()


async def greets(address: Address, greeting: bytes) -> bool:
    """Whether a mail server answers there, with a line that begins so."""
    try:
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                return (await reader.readline()).startswith(greeting)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


def _other_user() -> tuple[int, int] | None:
    """Whom to run as instead of root, who may read no mail: (user, group)."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _give(path: Path) -> None:
    """Lets Dovecot do there what it likes."""
    if user := _other_user():
        os.chown(path, *user)


def _delivered(mail: Path) -> tuple[int, int, str]:
    """Second, microsecond and name of a delivery: Dovecot's order, M99999 before M100000."""
    second, rest = mail.name.split(".M", 1)
    return int(second), int(rest.partition("P")[0]), mail.name
