"""What others ask of activity about the files of a Ticket. A file comes over HTTP, with its bytes (NT-15)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.asking import OnActivity
from shared.contracts.record import Name, Storable

FileName = Annotated[str, StringConstraints(min_length=1, max_length=1000), Storable]
"""What somebody calls a file; what does not fit into a folder's names is taken out of it."""

FileTags = Annotated[tuple[Name, ...], Field(max_length=50)]
"""Words that a file is found by (NT-16)."""


class ActivityEditFile(OnActivity):
    """Call a file of it otherwise, or give it other tags; what is left out stays (NT-16)."""

    type: Literal["ticket.edit_file", "case.edit_file"] = "ticket.edit_file"
    file: UUID
    name: FileName | None = None
    tags: FileTags | None = None


class ActivityRemoveFile(OnActivity):
    """Take a file away for good: here, and on what was merged into it; snapshots of it stay (NT-20)."""

    type: Literal["ticket.remove_file", "case.remove_file"] = "ticket.remove_file"
    file: UUID
