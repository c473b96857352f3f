"""The files of a batch's activities: a batch's view of them, like `placement.py` for mails."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.activity import store_files
from services.activity.announce import effect_id
from services.activity.domain.activity import Activity
from services.activity.domain.events import Event, FileAdded, FileEdited, FileRemoved
from services.activity.domain.files import Brought, File
from services.activity.domain.links import Other
from services.activity.store_files import NewFile
from services.activity.store_rows import Key
from shared.contracts.envelope import Envelope
from shared.postgres import Connection
from shared.sweeping import doom


class Filing:
    """Known are the files of those activities that a record of the batch may ask for, and new ones."""

    def __init__(self) -> None:
        self._on: dict[Key, dict[UUID, File]] = defaultdict(dict)
        self._new: list[NewFile] = []
        self._placed: list[tuple[str, UUID, UUID]] = []
        self._edited: dict[Key, File] = {}
        self._removed: dict[Key, None] = {}

    def on(self, activity: Activity) -> tuple[File, ...]:
        """The files that stand on an activity, in the order of their ids."""
        there = self._on.get((activity.organisation, activity.id), {})
        return tuple(there[id_] for id_ in sorted(there))

    def find(self, activity: Activity, id_: UUID) -> File | None:
        """One of them."""
        return self._on.get((activity.organisation, activity.id), {}).get(id_)

    def same(self, source: Activity, besides: Activity) -> tuple[Brought, ...]:
        """The files of an activity as another one takes them over: they are the same there (LK-1, T33)."""
        there = {file.id for file in self.on(besides)}
        origin = Other(source.id, source.reference)
        return tuple(Brought(file, origin) for file in self.on(source) if file.id not in there)

    def all_of(self, source: Activity) -> tuple[Brought, ...]:
        """The files of an activity as one that goes on in its place has them: they are the same (LK-1)."""
        return tuple(Brought(file, Other(source.id, source.reference)) for file in self.on(source))

    def snapshot(self, source: Activity, cause: Envelope, for_activity: UUID) -> tuple[Brought, ...]:
        """The files of an activity as another one begins with them: files of its own, with the same bytes."""
        origin = Other(source.id, source.reference)
        return tuple(
            Brought(replace(file, id=effect_id(cause, f"file/{for_activity}/{file.id}")), origin)
            for file in self.on(source)
        )

    def note(self, activity: Activity, event: Event) -> None:
        """Something happened to an activity; most of it is about no file."""
        organisation = activity.organisation
        match event:
            case FileAdded(file=file, stamp=stamp):
                self._on[organisation, activity.id][file.id] = file
                self._new.append(NewFile(organisation, file, stamp.at, stamp.by))
                self._placed.append((organisation, activity.id, file.id))
            case FileEdited(file=file):
                self._edited[organisation, file.id] = file
                for there in self._wherever(organisation, file.id):
                    there[file.id] = file
            case FileRemoved(file=file):
                self._removed[organisation, file.id] = None
                for there in self._wherever(organisation, file.id):
                    del there[file.id]

    def _wherever(self, organisation: str, id_: UUID) -> Iterable[dict[UUID, File]]:
        """It is the same file on what was merged (LK-1), so that it changes there, too."""
        return [there for key, there in self._on.items() if key[0] == organisation and id_ in there]

    async def load(self, connection: Connection, activities: Iterable[Key]) -> None:
        """Read the files of these activities, which are locked."""
        for key, file in await store_files.on(connection, sorted(activities)):
            self._on[key][file.id] = file

    async def save(self, connection: Connection, now: datetime) -> None:
        """Write what has changed; the bytes of what was removed go, unless something else has the same."""
        await store_files.add(connection, self._new, self._placed)
        await store_files.rename(connection, [(key[0], file) for key, file in self._edited.items()])
        objects = await store_files.remove(connection, sorted(self._removed), now)
        await doom(connection, objects, now)
