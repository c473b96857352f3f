"""What happens to the files of an activity."""

from msgspec import Struct

from services.activity.domain.family_events import Stamp
from services.activity.domain.files import File
from services.activity.domain.links import Other


class FileAdded(Struct, frozen=True, kw_only=True):
    """A file stands on it: put there (NT-15), or brought from `source` (LK-1, LK-5, IN-14)."""

    stamp: Stamp
    file: File
    source: Other | None = None


class FileEdited(Struct, frozen=True, kw_only=True):
    """A file of it has another name, or other tags (NT-16); `file` is as it is since."""

    stamp: Stamp
    file: File


class FileRemoved(Struct, frozen=True, kw_only=True):
    """A file of it is gone, also from what it is the same file on (NT-20)."""

    stamp: Stamp
    file: File
