"""Effects of the steps on files, and of those that bring files along."""

from collections.abc import Iterable
from dataclasses import replace

from services.activity.domain.context import Occasion
from services.activity.domain.events import Event, FileAdded, FileEdited, FileRemoved
from services.activity.domain.family_steps import SplitOff, TakeOver
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.steps import Opening


def add_file(occasion: Occasion[AddFile]) -> Iterable[Event]:
    """The file stands on it from now on (NT-15)."""
    yield FileAdded(stamp=occasion.stamp, file=occasion.step.file)


def bring_files(occasion: Occasion[Opening | SplitOff | TakeOver]) -> Iterable[Event]:
    """The files of what it continues, was opened from, was split off or takes over (IN-14, LK-1, LK-5)."""
    for brought in occasion.step.files:
        yield FileAdded(stamp=occasion.stamp, file=brought.file, source=brought.source)


def edit_file(occasion: Occasion[EditFile]) -> Iterable[Event]:
    """The file has another name or other tags; what is said again changes nothing (NT-16)."""
    step, file = occasion.step, occasion.step.file
    name = file.name if step.called is None else step.called
    tags = file.tags if step.tags is None else tuple(dict.fromkeys(step.tags))
    if (name, tags) != (file.name, file.tags):
        yield FileEdited(stamp=occasion.stamp, file=replace(file, name=name, tags=tags))


def remove_file(occasion: Occasion[RemoveFile]) -> Iterable[Event]:
    """The file is gone: what was sent of it in mails stays with these (NT-20)."""
    yield FileRemoved(stamp=occasion.stamp, file=occasion.step.file)
