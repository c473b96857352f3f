"""What others ask of activity about several activities: links, and mails that stand on another one, too."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.asking import OnActivity
from shared.contracts.record import Reference

Linkable = Annotated[tuple[Reference, ...], Field(min_length=1, max_length=50)]
"""Fifty at most in one request; how many links there are in all has no limit (LK-3)."""


class ActivityLink(OnActivity):
    """Link it with others, loosely: nothing is shared by that (LK-2). All of them, or none (LK-3)."""

    type: Literal["ticket.link", "case.link"] = "ticket.link"
    with_references: Linkable


class ActivityUnlink(OnActivity):
    """Take links away, at any time (LK-3); one that is not there changes nothing."""

    type: Literal["ticket.unlink", "case.unlink"] = "ticket.unlink"
    with_references: Linkable


class ActivityShareMail(OnActivity):
    """Let a mail of it stand on linked Tickets, too (SH-1): on all of them, or none, and for ever (SH-2)."""

    type: Literal["ticket.share_mail", "case.share_mail"] = "ticket.share_mail"
    mail: UUID
    with_references: Linkable


class ActivityNewFromMail(OnActivity):
    """Begin a new activity with a mail that was appended wrongly (CE-1).

    Accepted means that it is asked of ingest: `ticket.departure_marked` says what came of it (CE-3). Asked
    again, the answer says what there is already (CE-7).
    """

    type: Literal["ticket.new_from_mail", "case.new_from_mail", "action.new_from_mail"] = (
        "ticket.new_from_mail"
    )
    mail: UUID
