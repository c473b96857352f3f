"""HTTP of outgoing mail: what was sent, what waits, and what to do about what failed (NT-14)."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.notify import outgoing, store_list
from services.notify.domain.delivery import Result, State
from services.notify.permissions import ENDPOINTS
from services.notify.queued import QueuedMail
from shared.auth import Caller, Principal
from shared.pages import Keyset, Page, PageQuery
from shared.permissions import guarded
from shared.problems import NOT_FOUND, Problem, ProblemType
from shared.unit_of_work import Batch, UnitOfWork

NOT_POSSIBLE_NOW = ProblemType("mail_state", 409, "The mail's state does not allow this")

_keyset = Keyset(UUID)


class OutgoingMailRow(BaseModel):
    """A mail as it stands. `due_at` is the next attempt; while it is `sending`, when the claim on it ends."""

    id: UUID
    activity: UUID
    reference: str
    conversation: str
    mailbox: str
    automatic: bool
    state: State
    subject: str
    sender: str | None
    message_id: str | None
    requested_at: datetime
    attempts: int
    refusal: str | None
    reason: str
    due_at: datetime | None
    ended_at: datetime | None


class RecipientRow(BaseModel):
    """What the SMTP server said last about one recipient."""

    address: str
    result: Result
    code: int | None
    answer: str


class AttemptRow(BaseModel):
    """One attempt. After `unanswered` and `lost` the mail may have arrived although it was sent again."""

    number: int
    began_at: datetime
    ended_at: datetime
    outcome: str
    reason: str


class OutgoingMailDetails(OutgoingMailRow):
    """A mail with its recipients and attempts, the oldest first."""

    recipients: list[RecipientRow]
    tried: list[AttemptRow]


def routes(work: UnitOfWork) -> APIRouter:
    """`/v1/outgoing-mails`."""
    router = APIRouter(prefix="/v1/outgoing-mails", tags=["outgoing mail"])

    @router.get("")
    async def browse(
        caller: Caller,
        page: PageQuery,
        state: Annotated[list[State] | None, Query(description="only these states")] = None,
        activity: Annotated[UUID | None, Query(description="only mails of this activity")] = None,
    ) -> Page[OutgoingMailRow]:
        """The organisation's outgoing mails, the newest first."""
        after = _keyset.decode(page.after)

        async def reading(batch: Batch[Any]) -> Page[OutgoingMailRow]:
            rows = await store_list.page(
                batch.connection,
                caller.organisation,
                states=[each.value for each in state] if state else None,
                activity=activity,
                before=after[0] if after else None,
                limit=page.limit + 1,
            )
            return _keyset.page(
                rows,
                page,
                key=lambda row: (row["id"],),
                item=lambda row: OutgoingMailRow.model_validate(dict(row)),
            )

        return await work.run(reading)

    @router.get("/{mail}")
    async def read(mail: UUID, caller: Caller) -> OutgoingMailDetails:
        """One mail with its recipients and attempts."""
        return await work.run(lambda batch: _details(batch, caller, mail))

    @router.post("/{mail}/retry")
    async def retry(mail: UUID, caller: Caller) -> OutgoingMailDetails:
        """Send a deferred or failed mail again at once, to those who do not have it."""
        return await handled(caller, mail, lambda batch: outgoing.retry(batch, caller.organisation, mail))

    @router.post("/{mail}/cancel")
    async def cancel(mail: UUID, caller: Caller) -> OutgoingMailDetails:
        """Give up a mail that is queued, deferred or failed."""
        return await handled(
            caller, mail, lambda batch: outgoing.cancel(batch, caller.organisation, mail, caller.user)
        )

    async def handled(
        caller: Principal,
        mail: UUID,
        handle: Callable[[Batch[Any]], Coroutine[Any, Any, QueuedMail | None]],
    ) -> OutgoingMailDetails:

        async def handling(batch: Batch[Any]) -> OutgoingMailDetails:
            found = await handle(batch)
            details = await _details(batch, caller, mail)
            if found is None:
                raise Problem(NOT_POSSIBLE_NOW, f"It is {details.state}: there is nothing to send.")
            return details

        try:
            return await work.run(handling)
        except outgoing.NotAllowed as refused:
            raise Problem(NOT_POSSIBLE_NOW, str(refused)) from refused

    return guarded(router, ENDPOINTS)


async def _details(batch: Batch[Any], caller: Principal, mail: UUID) -> OutgoingMailDetails:
    """Raises `Problem` (not_found) also for a mail of another organisation."""
    found = await store_list.one(batch.connection, caller.organisation, mail)
    if found is None:
        raise Problem(NOT_FOUND, f"There is no outgoing mail {mail}.")
    row, attempts = found
    return OutgoingMailDetails.model_validate({**row, "tried": [dict(each) for each in attempts]})
