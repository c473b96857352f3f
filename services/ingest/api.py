"""HTTP of ingest: unhandled mail, single mails with their bytes, how the mailboxes stand (UH-1, UH-5)."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from services.ingest import store_mails, store_queries
from services.ingest.intake import Intake
from services.ingest.mail_rows import UNHANDLED
from services.ingest.parsing.worker import WorkerUnavailable
from services.ingest.permissions import ENDPOINTS
from services.ingest.retry import NotWhole, retry
from services.ingest.store_queries import ShownMail, ShownMailbox
from shared.auth import OPERATOR, Caller, Principal
from shared.blobs import BlobMissing, BlobsUnavailable
from shared.contracts.activity_organisation import MailboxDefinition
from shared.organisation import NoConfiguration, Organisation, Unknown
from shared.pages import Keyset, Page, PageQuery
from shared.permissions import Role, guarded, rights_of
from shared.problems import CONFLICT, FORBIDDEN, NOT_FOUND, UNAVAILABLE, Problem

_OLDEST_FIRST = Keyset(datetime, UUID)


class UnhandledMail(BaseModel):
    """A mail that nobody's process takes, with the reason."""

    id: UUID
    mailbox: str
    reason: str
    detail: str | None
    received: datetime
    sender: str | None
    subject: str
    size: int


class Mail(BaseModel):
    """A mail with its head, and what was decided about it and why.

    From `removed` on its bytes are gone, and who wrote it: they were kept for as long as they are to be.
    """

    id: UUID
    state: str
    reason: str | None
    detail: str | None
    mailbox: str
    mailboxes: tuple[str, ...]
    conversation: str | None
    configuration: int
    size: int
    received: datetime
    headers: dict[str, Any]
    decision: dict[str, Any]
    removed: datetime | None


class MailboxState(BaseModel):
    """How a mailbox stands. `error` is a sentence for whoever has to mend it.

    Everything that lay in it at `polled_until` was taken in; `waiting` is how many mails were not when it was
    read last, `oldest_waiting` since when the oldest of them lies there.
    """

    mailbox: str
    address: str
    state: str
    since: datetime | None
    error: str | None
    last_fetch: datetime | None
    polled_until: datetime | None
    waiting: int
    oldest_waiting: datetime | None


def routes(intake: Intake) -> APIRouter:
    """`/v1/unhandled-mails`, `/v1/mails` and `/v1/mailboxes`."""
    router = APIRouter(prefix="/v1", tags=["mail"])

    @router.get("/unhandled-mails")
    async def list_unhandled(
        caller: Caller,
        page: PageQuery,
        mailbox: Annotated[str | None, Query(description="only those of this mailbox")] = None,
    ) -> Page[UnhandledMail]:
        """Unhandled mails, oldest first."""
        names = [each.name for each in await _permitted(intake, caller)]
        if mailbox is not None:
            names = [mailbox] if mailbox in names else []
        after = _OLDEST_FIRST.decode(page.after)
        key = None if after is None else (after[0], after[1])
        rows = await intake.work.run(
            lambda batch: store_queries.unhandled(
                batch.connection, caller.organisation, names, page.limit + 1, key
            )
        )
        return _OLDEST_FIRST.page(rows, page, key=lambda row: (row.received_at, row.id), item=_unhandled)

    @router.post("/unhandled-mails/{id}/retry")
    async def retry_unhandled(id: UUID, caller: Caller) -> Mail:
        """Decide again, with the configuration and the parser of today. A mail that is handled stays so."""
        shown = await _visible(intake, caller, id)
        if shown.state != UNHANDLED:
            return _mail(shown)
        if shown.removed_at is not None:
            raise _erased(id)
        try:
            return _mail(await retry(intake, caller.organisation, shown))
        except NotWhole as error:
            raise Problem(CONFLICT, f"Only the head of this mail is here: {error}.") from error
        except BlobMissing as error:
            raise _erased(id) from error
        except (BlobsUnavailable, WorkerUnavailable) as error:
            raise _away() from error

    @router.get("/mails/{id}")
    async def read_mail(id: UUID, caller: Caller) -> Mail:
        """One mail, with what was decided about it."""
        return _mail(await _visible(intake, caller, id))

    @router.get("/mails/{id}/raw", response_class=Response, responses=_RAW_RESPONSE)
    async def read_raw(id: UUID, caller: Caller) -> Response:
        """The mail as it came."""
        await _visible(intake, caller, id)
        raw = await intake.work.run(lambda batch: store_mails.raw(batch.connection, caller.organisation, id))
        if raw is None:
            raise _erased(id)
        headers = {"Content-Disposition": f'attachment; filename="{id}.eml"'}
        if raw.bytes is not None:
            return Response(raw.bytes, media_type="message/rfc822", headers=headers)
        try:
            content = await _begun(intake.blobs.stream(raw.object or ""))
        except BlobMissing as error:
            raise _erased(id) from error
        except BlobsUnavailable as error:
            raise _away() from error
        return StreamingResponse(content, media_type="message/rfc822", headers=headers)

    @router.get("/mailboxes")
    async def list_mailboxes(caller: Caller) -> list[MailboxState]:
        """How each mailbox stands that the caller may see."""
        definitions = await _permitted(intake, caller)
        rows = await intake.work.run(
            lambda batch: store_queries.mailboxes(
                batch.connection, caller.organisation, [each.name for each in definitions]
            )
        )
        found = {row.mailbox: row for row in rows}
        return [_mailbox(each, found.get(each.name)) for each in definitions]

    return guarded(router, ENDPOINTS)


_RAW_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"description": "RFC 5322", "content": {"message/rfc822": {}}}
}


async def _permitted(intake: Intake, caller: Principal) -> list[MailboxDefinition]:
    """The mailboxes that the caller may see: those with a way to a process of theirs (UH-5)."""
    try:
        organisation: Organisation = await intake.work.run(
            lambda batch: intake.organisations.current(batch.connection, caller.organisation), patience=0
        )
    except NoConfiguration as error:
        raise Problem(NOT_FOUND, f"Nothing has been applied for {caller.organisation!r} yet.") from error
    if OPERATOR in caller.roles:
        return list(organisation.mailboxes)
    try:
        organisation.user(caller.user)
    except Unknown as error:
        raise Problem(FORBIDDEN, f"{caller.user!r} is no user here.", missing=[f"role:{OPERATOR}"]) from error
    processes = rights_of(organisation, caller.user).processes(Role.READER)
    return [mailbox for mailbox in organisation.mailboxes if processes & _leads_to(mailbox)]


def _leads_to(mailbox: MailboxDefinition) -> set[str]:
    return {mailbox.fallback.process, *(route.process for route in mailbox.routes)}


async def _visible(intake: Intake, caller: Principal, id: UUID) -> ShownMail:
    """The mail, if it is of the caller's organisation and came to a mailbox that the caller may see."""
    names = {each.name for each in await _permitted(intake, caller)}
    shown = await intake.work.run(lambda batch: store_queries.mail(batch.connection, caller.organisation, id))
    if shown is None or names.isdisjoint(shown.mailboxes):
        raise Problem(NOT_FOUND, f"There is no mail {id}.")
    return shown


async def _begun(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream with its first piece read: what is missing is told before the answer begins."""
    first = await anext(stream, b"")

    async def pieces() -> AsyncIterator[bytes]:
        yield first
        async for piece in stream:
            yield piece

    return pieces()


def _erased(id: UUID) -> Problem:
    return Problem(NOT_FOUND, f"The bytes of mail {id} are not kept here any more.")


def _away() -> Problem:
    return Problem(
        UNAVAILABLE,
        "Something that this needs is away at the moment; try again.",
        headers={"Retry-After": "5"},
    )


def _unhandled(shown: ShownMail) -> UnhandledMail:
    return UnhandledMail(
        id=shown.id,
        mailbox=shown.mailbox,
        reason=shown.reason or "",
        detail=shown.detail,
        received=shown.received_at,
        sender=shown.headers.get("from"),
        subject=shown.headers.get("subject", ""),
        size=shown.size,
    )


def _mail(shown: ShownMail) -> Mail:
    return Mail(
        id=shown.id,
        state=shown.state,
        reason=shown.reason,
        detail=shown.detail,
        mailbox=shown.mailbox,
        mailboxes=shown.mailboxes,
        conversation=shown.conversation,
        configuration=shown.configuration,
        size=shown.size,
        received=shown.received_at,
        headers=shown.headers,
        decision=shown.decision,
        removed=shown.removed_at,
    )


def _mailbox(definition: MailboxDefinition, shown: ShownMailbox | None) -> MailboxState:
    return MailboxState(
        mailbox=definition.name,
        address=definition.address,
        state=shown.state if shown else "waiting",
        since=shown.state_since if shown else None,
        error=shown.error if shown else None,
        last_fetch=shown.fetched_at if shown else None,
        polled_until=shown.polled_until if shown else None,
        waiting=shown.waiting if shown else 0,
        oldest_waiting=shown.oldest_waiting if shown else None,
    )
