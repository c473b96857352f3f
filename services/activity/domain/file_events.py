"""What happens to the files of an activity."""

from dataclasses import dataclass

from services.activity.domain.family_events import Stamp
from services.activity.domain.files import File
from services.activity.domain.links import Other


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAdded:
    """A file stands on it: put there (NT-15), or brought from `source` (LK-1, LK-5, IN-14)."""

    stamp: Stamp
    file: File
    source: Other | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdited:
    """A file of it has another name, or other tags (NT-16); `file` is as it is since."""

    stamp: Stamp
    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRemoved:
    """A file of it is gone, also from what it is the same file on (NT-20)."""

    stamp: Stamp
    file: File
