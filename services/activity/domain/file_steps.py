"""Steps on the files of an activity (NT-15, NT-16, NT-20)."""

from dataclasses import dataclass

from services.activity.domain.files import File
from services.activity.domain.steps import Step


@dataclass(frozen=True, slots=True)
class AddFile(Step):
    """Put a file on it, whose bytes are stored (NT-15)."""

    name = "add_file"
    participle = "given a file"
    file: File


@dataclass(frozen=True, slots=True)
class EditFile(Step):
    """Call a file of it otherwise, or give it other tags (NT-16); what is None stays."""

    name = "edit_file"
    participle = "changed in its files"
    file: File
    called: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RemoveFile(Step):
    """Take a file away for good: here, and where it is the same file (NT-20)."""

    name = "remove_file"
    participle = "rid of a file"
    file: File
