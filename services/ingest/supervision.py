"""Keeps one reader for each mailbox of the configuration, and changes it when its mailbox changes."""

import asyncio
import os
import socket
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.ingest.imap import Connect, ImapError, ImapSession
from services.ingest.intake import Intake
from services.ingest.lease import LeaseHolder
from services.ingest.mailbox import MailboxReader
from services.ingest.reading import ReadLimits
from services.ingest.settings import IngestSettings
from services.ingest.store_mailboxes import LeaseLost, State
from services.ingest.timing import Timing
from shared.contracts.activity_organisation import Imap
from shared.failure import is_transient, sentence
from shared.logs import get_logger
from shared.metrics import MAILBOXES
from shared.postgres import acquired

LOOK_SECONDS = 2.0
"""How long a change of the configuration may go unnoticed."""

_log = get_logger(__name__)

Place = tuple[str, str]
"""Organisation and mailbox."""


@dataclass(slots=True)
class _Reading:
    imap: Imap
    reader: MailboxReader
    task: asyncio.Task[None]


class Mailboxes:
    """The component that reads all mailboxes of all organisations; other processes may share them with it.

    A mailbox that cannot be read is shown (metric, /v1/mailboxes) and leaves the others alone.
    """

    name = "mailboxes"

    def __init__(
        self,
        intake: Intake,
        settings: IngestSettings,
        connect: Connect,
        *,
        limits: ReadLimits | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._intake = intake
        self._settings = settings
        self._connect = connect
        self._limits = limits or ReadLimits(mail_bytes=settings.max_mail_bytes)
        self._look_seconds = look_seconds
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._readings: dict[Place, _Reading] = {}
        self._trouble: str | None = "The configuration has not been read yet."

    async def run(self) -> None:
        """Until cancelled; then the mailboxes are let go of."""
        try:
            while True:
                try:
                    await self._follow(await self._wanted())
                    self._trouble = None
                except Exception as error:
                    if not is_transient(error):
                        _log.exception("the mailboxes cannot be supervised")
                    self._trouble = f"The configuration cannot be read: {sentence(error)}"
                self._count()
                await asyncio.sleep(self._look_seconds)
        finally:
            await self._stop(list(self._readings))

    def not_ready(self) -> str | None:
        """Why mail is not read at all. A single mailbox that fails is not a reason."""
        return self._trouble

    def states(self) -> dict[Place, State]:
        """How each mailbox stands in this process."""
        return {place: reading.reader.state for place, reading in self._readings.items()}

    async def _wanted(self) -> dict[Place, Imap]:
        async with acquired(self._intake.work.pool) as connection:
            organisations = await self._intake.organisations.all(connection)
        return {
            (organisation.name, mailbox.name): mailbox.imap
            for organisation in organisations
            for mailbox in organisation.mailboxes
        }

    async def _follow(self, wanted: dict[Place, Imap]) -> None:
        await self._stop(
            [place for place, reading in self._readings.items() if wanted.get(place) != reading.imap]
        )
        for place, imap in wanted.items():
            if place not in self._readings:
                self._readings[place] = self._start(place, imap)

    def _start(self, place: Place, imap: Imap) -> _Reading:
        organisation, mailbox = place
        reader = MailboxReader(
            self._intake,
            mailbox,
            imap,
            self._opener(imap),
            timing=Timing(poll=self._settings.poll_seconds, sweep=self._settings.sweep_seconds),
            limits=self._limits,
        )
        holder = LeaseHolder(
            self._intake.work,
            organisation,
            mailbox,
            holder=self._holder,
            seconds=self._settings.lease_seconds,
        )
        task = asyncio.create_task(self._read(place, holder, reader), name=f"mailbox {mailbox}")
        return _Reading(imap, reader, task)

    async def _read(self, place: Place, holder: LeaseHolder, reader: MailboxReader) -> None:
        """Wait for the mailbox and read it, again and again."""
        while True:
            try:
                await holder.hold(reader.read)
            except LeaseLost as error:
                _log.warning("a mailbox went to another process", mailbox=place[1], reason=str(error))
            except Exception:
                # What passes is waited out below this; so this is a mistake of ours, in one mailbox only.
                _log.exception("a mailbox's reader failed", mailbox=place[1])
            await asyncio.sleep(self._settings.lease_seconds / 3)

    def _opener(self, imap: Imap) -> Callable[[], Awaitable[ImapSession]]:
        async def open() -> ImapSession:
            server = self._settings.imap_servers.get(imap.server)
            if server is None:
                raise ImapError(f"MAILROOM_IMAP_SERVERS has no server {imap.server!r}", transient=False)
            # Read anew each time: a password that was changed needs no restart.
            return await self._connect(server, imap.user, self._settings.secret(imap.password))

        return open

    async def _stop(self, places: list[Place]) -> None:
        stopped = [self._readings.pop(place) for place in places]
        for reading in stopped:
            reading.task.cancel()
        await asyncio.gather(*(reading.task for reading in stopped), return_exceptions=True)

    def _count(self) -> None:
        states = Counter(self.states().values())
        for state in State:
            MAILBOXES.labels(state.value).set(states[state])
