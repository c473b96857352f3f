"""Files of a Ticket as HTTP shows them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from shared.contracts.activity_requests import Actor


class FileView(BaseModel):
    """A file of a Ticket. `size` is in bytes, `href` where it can be had."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    tags: list[str]
    added: datetime
    by: Actor
    href: str


def file_view(row: Any, reference: str) -> FileView:
    """A row of `files` on the Ticket `reference`."""
    return FileView(
        id=row["id"],
        name=row["name"],
        media_type=row["media_type"],
        size=row["size"],
        sha256=row["sha256"],
        tags=row["tags"],
        added=row["added_at"],
        by=Actor(kind=row["actor_kind"], id=row["actor"]),
        href=f"/v1/tickets/{reference}/files/{row['id']}",
    )
