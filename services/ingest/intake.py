"""Takes fetched mails in: parse, store what is large, decide, and commit all of it in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.ingest import store_mailboxes, store_mails, tracing
from services.ingest.claim_checks import prepare
from services.ingest.domain.mail import ParsedMail
from services.ingest.judging import (
    Known,
    Verdict,
    failed,
    further_keys,
    judge,
    keys_to_look_up,
    needed,
    note,
)
from services.ingest.mail_rows import Circumstances, PreparedMail
from services.ingest.parsing.pool import ParserPool
from services.ingest.reading import ReadPage
from services.ingest.routing import Routing
from services.ingest.store_mailboxes import Folder, Lease, LeaseLost, Waiting
from shared.blobs import BlobStore
from shared.failure import isolate, outlast, sentence
from shared.keyring import Keyring
from shared.logs import correlated, get_logger
from shared.metrics import MAILS_TAKEN
from shared.organisation import Organisations
from shared.postgres import Connection
from shared.sweeping import spare
from shared.tracing_records import batch as batch_span
from shared.unit_of_work import Batch, UnitOfWork

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking mails in needs. One for all mailboxes of a process."""

    work: UnitOfWork
    blobs: BlobStore
    parser: ParserPool
    keyring: Keyring
    organisations: Organisations
    routing: Routing

    async def prepare(self, lease: Lease, folder: Folder, page: ReadPage) -> list[PreparedMail]:
        """Parse a page and store what is large of it; may run while the page before it is taken in.

        Raises `LeaseLost` and `BlobsUnavailable`; waits for as long as Postgres is away.
        """

        async def before_single(index: int) -> int:
            uid = page.mails[index].uid

            async def once() -> int:
                async with self.work.begin() as batch:
                    await store_mailboxes.fence(batch.connection, lease)
                    return await store_mailboxes.attempt(batch.connection, folder, uid)

            return await outlast(once)

        parsed = await self.parser.parse_page([mail.raw for mail in page.mails], before_single)
        return await prepare(self.blobs, self.keyring, folder.organisation, page.mails, parsed)

    async def circumstances(self, batch: Batch[object], organisation: str, mailbox: str) -> Circumstances:
        """The configuration as it is in this transaction. Raises `NoConfiguration`."""
        current = await self.organisations.current(batch.connection, organisation)
        return Circumstances(current, self.routing.of(current), mailbox, self.keyring, batch.now)

    async def take(
        self, lease: Lease, folder: Folder, prepared: Sequence[PreparedMail], waiting: Waiting
    ) -> dict[int, UUID]:
        """Take a page in; the mails' ids by UID. `waiting` is what lies behind it.

        Everything of a mail is committed at once, fenced by the lease. A mail that cannot be decided or
        stored because of a mistake of ours is parked alone; the others go on. Raises `LeaseLost`; waits for
        as long as Postgres is away.
        """
        taken: dict[int, UUID] = {}
        lost: list[LeaseLost] = []

        async def attempt(part: Sequence[PreparedMail], reason: str | None = None) -> None:
            async def once() -> list[Verdict]:
                with batch_span(folder.mailbox, (one.fetched.span for one in part), tracing.SYSTEM):
                    return await commit()

            async def commit() -> list[Verdict]:
                async with self.work.begin() as batch:
                    await store_mailboxes.fence(batch.connection, lease)
                    verdicts = await self._decide(batch, folder, part, reason)
                    await self._write(batch, folder, verdicts)
                    await store_mailboxes.note_progress(batch.connection, lease, batch.now, waiting)
                    return verdicts

            if lost:
                return
            try:
                verdicts = await outlast(once)
            except LeaseLost as error:
                lost.append(error)  # raised below: it blames no mail
                return
            taken.update((verdict.uid, verdict.mail) for verdict in verdicts)
            for verdict in verdicts:
                MAILS_TAKEN.labels(_label(verdict)).inc()
            if outcomes is not None:
                outcomes.update((verdict.uid, _label(verdict)) for verdict in verdicts)

        async def park(one: PreparedMail, error: Exception) -> None:
            with correlated(None, one.fetched.traceparent):
                _log.exception("a mail could not be stored", uid=one.fetched.uid, mailbox=folder.mailbox)
            await attempt([one], sentence(error))

        with tracing.taking(prepared) as outcomes:
            await isolate(attempt, prepared, park)
            if lost:
                raise lost[0]
        return taken

    async def _decide(
        self, batch: Batch[object], folder: Folder, part: Sequence[PreparedMail], reason: str | None
    ) -> list[Verdict]:
        """The verdicts, in order, each seeing the mails before it; with a `reason` all of them are parked."""
        around = await self.circumstances(batch, folder.organisation, folder.mailbox)
        known = await self.known(batch, folder.organisation, folder.mailbox, [one.mail for one in part])
        verdicts: list[Verdict] = []
        for one in part:
            if reason is not None:
                verdict = failed(one, around, known, reason)
            else:
                verdict = _decided(batch, one, around, known)
            note(verdict, one, around, known)
            verdicts.append(verdict)
        return verdicts

    async def known(
        self,
        batch: Batch[object],
        organisation: str,
        mailbox: str,
        mails: Sequence[ParsedMail],
        keys: Sequence[str] = (),
    ) -> Known:
        """What the tables know about these mails, those they may answer, and those with `keys`."""
        keys = [*keys, *keys_to_look_up(organisation, mails)]
        known = await store_mails.known(batch.connection, organisation, mailbox, keys)
        if further := further_keys(organisation, mails, known):
            known |= await store_mails.known(batch.connection, organisation, mailbox, further)
        return known

    async def hold(self, batch: Batch[object], organisation: str, verdicts: Sequence[Verdict]) -> None:
        """Keep what these verdicts keep or publish in the blob store; put again what was being swept."""
        held = [v.prepared for v in verdicts if v.row or v.outgoing]
        if swept := await spare(batch.connection, [each for one in held for each in one.objects]):
            again = [one for one in held if not swept.isdisjoint(one.objects)]
            await prepare(
                self.blobs,
                self.keyring,
                organisation,
                [one.fetched for one in again],
                [one.mail for one in again],
            )
        for verdict in verdicts:
            if verdict.outgoing is not None and verdict.row is None:
                await store_mails.need(batch.connection, organisation, needed(verdict))

    async def _write(self, batch: Batch[object], folder: Folder, verdicts: Sequence[Verdict]) -> None:
        connection, organisation = batch.connection, folder.organisation
        await store_mails.add(connection, organisation, [v.row for v in verdicts if v.row], batch.now)
        copies = {verdict.mail: verdict.digest for verdict in reversed(verdicts)}
        await store_mails.add_copies(
            connection, organisation, folder.mailbox, list(copies.items()), batch.now
        )
        await self.hold(batch, organisation, verdicts)
        await write_effects(connection, organisation, verdicts)
        await store_mailboxes.take(
            connection, folder, [v.uid for v in verdicts], [v.mail for v in verdicts], batch.now
        )


def publish_verdict(
    batch: Batch[object], one: PreparedMail, around: Circumstances, known: Known, key: str | None = None
) -> Verdict:
    """The verdict on one mail, published if it is to be. Raises whatever a mistake of ours raises."""
    verdict = judge(one, around, known, key)
    if verdict.outgoing is not None:
        batch.publish(verdict.outgoing)
    return verdict


async def write_effects(connection: Connection, organisation: str, verdicts: Sequence[Verdict]) -> None:
    """Write down what activity is told, and what became of unhandled mails. Raises `Overtaken`."""
    # A mail that comes several times in a page is judged each time; the last word counts.
    judgements = {v.judgement.id: v.judgement for v in verdicts if v.judgement}
    await store_mails.judge(connection, organisation, list(judgements.values()))
    await store_mails.add_targets(
        connection,
        organisation,
        [(v.mail, target.address, target.mailbox) for v in verdicts for target in v.targets],
    )


def _decided(batch: Batch[object], one: PreparedMail, around: Circumstances, known: Known) -> Verdict:
    """The verdict; a mistake of ours parks the mail."""
    try:
        return publish_verdict(batch, one, around, known)
    except Exception as error:
        with correlated(None, one.fetched.traceparent):
            _log.exception("a mail could not be decided", uid=one.fetched.uid, mailbox=around.mailbox)
        return failed(one, around, known, sentence(error))


def _label(verdict: Verdict) -> str:
    changed = verdict.row or verdict.judgement
    return changed.state if changed else "repeated"
