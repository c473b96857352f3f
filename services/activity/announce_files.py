"""What happened to files, as records of the contract."""

from collections.abc import Mapping
from typing import Any

from services.activity.domain.events import Event, FileAdded, FileEdited, FileRemoved
from services.activity.domain.files import File
from shared.contracts import activity_activities as said
from shared.contracts.blob import Blob


def blob_of(file: File) -> Blob:
    """A file as others get at it."""
    return Blob(
        object=file.object,
        sha256=file.sha256,
        size=file.size,
        media_type=file.media_type,
        name=file.name,
    )


def _file(happened: FileAdded | FileEdited | FileRemoved, _: int) -> dict[str, Any]:
    return {"file": happened.file.id, "blob": blob_of(happened.file), "tags": happened.file.tags}


def _added(happened: FileAdded, version: int) -> dict[str, Any]:
    source = happened.source
    return {
        **_file(happened, version),
        "from_activity": source and source.activity,
        "from_reference": str(source.reference) if source else None,
    }


OF_FILES: Mapping[type[Event], tuple[type[said.ActivityRecord], Any]] = {
    FileAdded: (said.ActivityFileAdded, _added),
    FileEdited: (said.ActivityFileEdited, _file),
    FileRemoved: (said.ActivityFileRemoved, _file),
}
"""Each such event with its record."""
