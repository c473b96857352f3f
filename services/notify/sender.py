"""The component that works the queue: a lane for each account that mail goes out through (NT-18).

Mailboxes that share a server and a login share a lane; lanes do not wait for each other, so one server that
is slow or away stops nobody else. Postgres says when there is mail; looking now and then is the backstop.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiokafka.errors import KafkaError

from services.notify import store_list
from services.notify.domain.delivery import State
from services.notify.lane import Lane
from services.notify.settings import NotifySettings
from services.notify.smtp import Connection, SmtpConnection
from services.notify.smtp_server import Login, SmtpServer
from services.notify.store import QUEUE_CHANNEL
from services.notify.store_queue import Box
from shared import relay_store
from shared.blobs import BlobStore
from shared.failure import is_transient, sentence
from shared.logs import get_logger
from shared.metrics import OUTGOING_HELD, OUTGOING_OLDEST, OUTGOING_QUEUE
from shared.organisation import Organisation, Organisations
from shared.postgres import acquired, close_connection, open_connection
from shared.relay_history import HistoryLost
from shared.topic_plan import TopicError
from shared.unit_of_work import UnitOfWork

LISTEN_PAUSE_SECONDS = 2.0
HISTORY_SECONDS = 60.0
"""How long it may take to read what Kafka has of us behind what this database knows."""
LOOK_SECONDS = 1.0
"""Between two looks at the configuration and the queue's length, which cost more than waking the lanes."""

Connect = Callable[[SmtpServer, Login | None], Connection]
RequireOwnHistory = Callable[[relay_store.Connection], Awaitable[None]]

log = get_logger(__name__)


class Account(NamedTuple):
    """A way out: a server of the settings, and who logs in there with which secret."""

    server: str
    user: str | None
    secret: str | None

    def __str__(self) -> str:
        return self.server if self.user is None else f"{self.server} as {self.user}"


class Sender:
    """Sends what is queued, for all organisations."""

    name = "sender"

    def __init__(
        self,
        settings: NotifySettings,
        work: UnitOfWork,
        blobs: BlobStore,
        organisations: Organisations,
        connect: Connect = SmtpConnection,
        require_own_history: RequireOwnHistory | None = None,
    ) -> None:
        """`require_own_history` raises `HistoryLost` for a database that was put back."""
        self._settings = settings
        self._work = work
        self._blobs = blobs
        self._organisations = organisations
        self._connect = connect
        self._lanes: dict[Account, tuple[Lane, asyncio.Task[None]]] = {}
        self._unknown: set[str] = set()
        self._woken = asyncio.Event()
        self._require_own_history = require_own_history
        self._doubt: str | None = None
        if require_own_history is not None:
            self._doubt = "It is not known yet whether the database is the one that mail was sent from."
        self._trouble: str | None = "The configuration has not been read yet."

    async def run(self) -> None:
        """Keep a lane for every account, until cancelled."""
        loop = asyncio.get_running_loop()
        looked = float("-inf")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen_for_ever(), name="listen")
            while True:
                self._woken.clear()
                for lane, _ in self._lanes.values():
                    lane.stir()
                seconds = self._settings.queue_poll_seconds
                if loop.time() - looked >= LOOK_SECONDS:
                    await self._look_if_possible(group)
                    looked = loop.time()
                else:
                    seconds = min(seconds, LOOK_SECONDS)
                await self._wait(seconds)

    def not_ready(self) -> str | None:
        """In a sentence, why nothing is sent: one server that is away is a metric, all of them are this."""
        if self._trouble is not None or self._doubt is not None:
            return self._doubt or self._trouble
        reasons = [lane.not_ready() for lane, _ in self._lanes.values()]
        return "; ".join(filter(None, reasons)) if reasons and all(reasons) else None

    async def _look_if_possible(self, group: asyncio.TaskGroup) -> None:
        try:
            await self._look(group)
            self._trouble = None
        except Exception as error:
            if not is_transient(error):
                raise
            self._trouble = f"The queue cannot be looked at: {sentence(error)}"
            log.warning("queue not looked at", reason=sentence(error))

    async def _look(self, group: asyncio.TaskGroup) -> None:
        async with acquired(self._work.pool) as connection:
            organisations = await self._organisations.all(connection)
            boxes = self._boxes(organisations)
            known = [box for of_account in boxes.values() for box in of_account]
            length = await store_list.queue_length(connection, known)
        self._keep_lanes(group, boxes if self._doubt is None else {})
        for state in (State.QUEUED, State.SENDING, State.DEFERRED):
            OUTGOING_QUEUE.labels(state.value).set(length.by_state.get(state.value, 0))
        OUTGOING_HELD.set(length.held)
        waited = (self._work.clock.now() - length.oldest_due).total_seconds() if length.oldest_due else 0.0
        OUTGOING_OLDEST.set(max(0.0, waited))

    def _boxes(self, organisations: list[Organisation]) -> dict[Account, set[Box]]:
        """Which mailboxes send through which account; those whose server nobody configured send nothing."""
        boxes: defaultdict[Account, set[Box]] = defaultdict(set)
        unknown: set[str] = set()
        for organisation in organisations:
            for mailbox in organisation.mailboxes:
                if mailbox.smtp.server in self._settings.smtp_servers:
                    account = Account(mailbox.smtp.server, mailbox.smtp.user, mailbox.smtp.password)
                    boxes[account].add((organisation.name, mailbox.name))
                else:
                    unknown.add(mailbox.smtp.server)
        for server in sorted(unknown - self._unknown):
            log.error("smtp server not in the settings", server=server, setting="MAILROOM_SMTP_SERVERS")
        self._unknown = unknown
        return boxes

    def _keep_lanes(self, group: asyncio.TaskGroup, boxes: dict[Account, set[Box]]) -> None:
        for account in [account for account in self._lanes if account not in boxes]:
            self._lanes.pop(account)[1].cancel()
        for account, own in boxes.items():
            if account not in self._lanes:
                lane = self._lane(account)
                self._lanes[account] = (lane, group.create_task(lane.run(), name=f"lane {account}"))
            lane = self._lanes[account][0]
            if lane.boxes != own:
                lane.boxes = frozenset(own)
                lane.stir()

    def _lane(self, account: Account) -> Lane:
        server = self._settings.smtp_servers[account.server]

        def connect() -> Connection:
            # The secret is read each time, so that a changed password needs no restart.
            login = None
            if account.user is not None:
                password = self._settings.secret(account.secret) if account.secret else ""
                login = Login(account.user, password)
            return self._connect(server, login)

        return Lane(
            str(account),
            connect,
            self._work,
            self._blobs,
            connections=server.connections,
            null_sender=server.null_sender,
            idle_seconds=server.idle_seconds,
            claim_seconds=self._settings.claim_seconds,
            poll_seconds=self._settings.queue_poll_seconds,
        )

    async def _listen_for_ever(self) -> None:
        """Be woken by Postgres. Without it the queue is looked at less often, and that is all."""
        while True:
            try:
                await self._listen()
            except Exception as error:
                if not (is_transient(error) or isinstance(error, KafkaError | TopicError | HistoryLost)):
                    raise
                log.warning("not listening", channel=QUEUE_CHANNEL, reason=sentence(error))
                if self._require_own_history is not None:
                    self._doubt_all(sentence(error))
            await asyncio.sleep(LISTEN_PAUSE_SECONDS)

    def _doubt_all(self, reason: str) -> None:
        """Send nothing: the database that answers next may be one that was put back to an earlier moment."""
        self._doubt = f"Nothing is sent: {reason}"
        for lane, _ in self._lanes.values():
            lane.boxes = frozenset()

    async def _listen(self) -> None:
        connection = await open_connection(
            self._settings.postgres_dsn,
            schema=self._work.service,
            application="notify sender",
            password=self._settings.postgres_password(),
        )
        try:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(QUEUE_CHANNEL, self._on_notify)
            if self._require_own_history is not None:
                async with asyncio.timeout(HISTORY_SECONDS):
                    await self._require_own_history(connection)
                self._doubt = None
            self._woken.set()  # for what was said while nobody listened
            await ended.wait()
            if self._require_own_history is not None:
                self._doubt_all("the database was away.")
        finally:
            await close_connection(connection)

    def _on_notify(self, *_: Any) -> None:
        self._woken.set()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
