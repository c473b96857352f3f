"""What a batch knows: activities with what ties them, mails, contacts, and by what each of them is found."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import structs

from services.activity.domain.activity import Activity
from services.activity.domain.events import Linked, Unlinked
from services.activity.domain.states import Status
from services.activity.families import Families
from services.activity.needs import Named
from services.activity.placement import Placement
from services.activity.store_mails import Mail
from services.activity.store_rows import Key
from shared.organisation import Organisation


class Knowledge(Placement):
    """What was read, with what records of the same batch have made of it since."""

    def __init__(self, organisations: Mapping[str, Organisation]) -> None:
        super().__init__(organisations)
        self.activities: dict[Key, Activity] = {}
        self.effects: set[tuple[str, UUID, str]] = set()
        self.families = Families()
        self._references: dict[Named, UUID] = {}
        self._conversations: dict[Named, list[Key]] = defaultdict(list)
        self._message_ids: dict[Named, list[Key]] = defaultdict(list)

    def by_reference(self, organisation: str, reference: str) -> Activity | None:
        """The activity that people call so."""
        id_ = self._references.get((organisation, reference))
        return None if id_ is None else self.activities.get((organisation, id_))

    def by_conversation(self, organisation: str, conversation: str) -> list[Activity]:
        """The activities of a conversation, the oldest first."""
        keys = self._conversations[organisation, conversation]
        return sorted((self.activities[key] for key in keys), key=lambda activity: activity.id)

    def with_relatives(self, activities: Iterable[Activity]) -> list[Activity]:
        """These activities with their parents, their parts and what they were merged into, and theirs."""
        found: dict[UUID, Activity] = {}
        left = list(activities)
        while left:
            one = left.pop()
            if one.id not in found:
                found[one.id] = one
                near = (one.parent, one.merged_into, *self.families.parts_of(one))
                left += [self.activities[one.organisation, id_] for id_ in near if id_ is not None]
        return list(found.values())

    def by_message_id(self, organisation: str, message_id: str) -> list[Mail]:
        """The mails that bear a Message-ID, the oldest first."""
        found = (self.mails[key] for key in self._message_ids[organisation, message_id])
        return sorted(found, key=lambda mail: mail.order)

    def _key_of(self, name: Named | Key) -> Key | None:
        organisation, called = name
        id_ = called if isinstance(called, UUID) else self._references.get((organisation, called))
        return None if id_ is None else (organisation, id_)

    def _with_bearers(self, names: Iterable[Named | Key]) -> set[Key]:
        """What is named, and who has its contacts and files (LK-1)."""
        keys = {key for key in map(self._key_of, names) if key}
        known = (self.activities[key] for key in keys if key in self.activities)
        return keys | {(each.organisation, each.bearer) for each in known}

    def _links_of(self, copied: set[Key]) -> set[Key]:
        known = (self.activities[key] for key in copied if key in self.activities)
        return {(activity.organisation, each) for activity in known for each in activity.links}

    def _tie(self, activity: Activity, event: Linked | Unlinked) -> None:
        """A closed one says nothing of a link, and has it all the same: as the next batch will find it."""
        key = activity.organisation, event.link.activity
        other = self.activities.get(key)
        if other and other.status is Status.CLOSED:
            one = frozenset({activity.id})
            links = other.links | one if isinstance(event, Linked) else other.links - one
            self.activities[key] = structs.replace(other, links=links)

    def _know(self, activity: Activity) -> None:
        key = (activity.organisation, activity.id)
        if key not in self.activities:
            self._references[activity.organisation, str(activity.reference)] = activity.id
            self._conversations[activity.organisation, activity.conversation].append(key)
        self.activities[key] = activity
        self.families.know(activity)

    def _index(self, mail: Mail) -> None:
        if mail.message_id and mail.key not in self._message_ids[mail.organisation, mail.message_id]:
            self._message_ids[mail.organisation, mail.message_id].append(mail.key)
