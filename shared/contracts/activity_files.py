"""What happened to files of Tickets. Their bytes are claim checks on activity's blobs (design §4)."""

from typing import Literal
from uuid import UUID

from shared.contracts.activity_record import ActivityRecord
from shared.contracts.blob import Blob
from shared.contracts.record import Name, Reference


class FileRecord(ActivityRecord):
    """What every record about a file carries: the file as it is from then on."""

    file: UUID
    blob: Blob
    tags: tuple[Name, ...] = ()


class ActivityFileAdded(FileRecord):
    """A file stands on it (NT-15): put there, or brought from another activity (LK-1, LK-5, IN-14).

    What was merged into it brings the same file, by the same id; a snapshot has an id of its own.
    """

    type: Literal["ticket.file_added", "case.file_added"] = "ticket.file_added"
    from_activity: UUID | None = None
    from_reference: Reference | None = None


class ActivityFileEdited(FileRecord):
    """A file of it has another name, or other tags (NT-16)."""

    type: Literal["ticket.file_edited", "case.file_edited"] = "ticket.file_edited"


class ActivityFileRemoved(FileRecord):
    """A file of it is gone for good: here, and on what was merged into it (NT-20)."""

    type: Literal["ticket.file_removed", "case.file_removed"] = "ticket.file_removed"
