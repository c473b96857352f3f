"""Where mails stand, because of which of our mailboxes, and who is on them: a batch's view of it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.activity import store_threads
from services.activity.domain.activity import Activity
from services.activity.domain.events import (
    DepartureMarked,
    Event,
    MailContinued,
    MailCopied,
    MailShared,
    TookOver,
)
from services.activity.domain.links import DepartureState
from services.activity.store_mails import Mail
from services.activity.store_rows import Key
from services.activity.store_threads import Association, Correspondent
from shared.organisation import Organisation
from shared.postgres import Connection


class Placement:
    """Mails and their activities. `aside` holds the places, as (mail, activity), that take no answers."""

    def __init__(self, organisations: Mapping[str, Organisation]) -> None:
        self.organisations = organisations
        self.mails: dict[Key, Mail] = {}
        self.newest: dict[Key, Mail] = {}
        self.standing: dict[Key, dict[UUID, str]] = defaultdict(dict)
        self.aside: set[tuple[Key, UUID]] = set()
        self.correspondents: dict[Key, dict[str, str | None]] = defaultdict(dict)
        self._continued: set[tuple[Key, UUID]] = set()
        self._stood: dict[Key, dict[UUID, str]] = {}
        self._was_aside: set[tuple[Key, UUID]] = set()
        self._knew: dict[Key, dict[str, str | None]] = {}
        self._met: dict[tuple[UUID, UUID], int] = {}

    def mails_on(self, activity: Activity) -> list[UUID]:
        """The mails that stand on an activity, in the order of their ids.

        Known of closed ones, and of those that are copied from.
        """
        places = self.standing.items()
        return sorted(id_ for (_, id_), activities in places if activity.id in activities)

    def place(self, mail: Mail, activity: Activity, mailbox: str) -> None:
        """Let a mail stand on an activity, because of one of our mailboxes."""
        key = (activity.organisation, activity.id)
        self.standing[mail.key].setdefault(activity.id, mailbox)
        if mail.incoming and (key not in self.newest or self.newest[key].order < mail.order):
            self.newest[key] = mail
        self._join(mail, activity)

    def move(self, activity: Activity, event: Event) -> None:
        """An event may bring mails of other activities to this one, or send one away: places follow."""
        moved = _MOVED.get(type(event))
        if moved:
            moved(self, activity, event)

    def continued(self, activity: Activity, event: MailContinued) -> None:
        """A mail of another one stands here as it stood there, with all who are on that one (IN-14)."""
        earlier, mail = event.earlier, (activity.organisation, event.earlier.mail)
        aside = (mail, earlier.activity) in self.aside
        self._bring(mail, earlier.activity, activity.id, takes_answers=not aside)
        self._meet(activity, earlier.activity)

    def took_over(self, activity: Activity, event: TookOver) -> None:
        """What stood on both stands here as it stood there: a copy takes answers now (T33)."""
        source = event.source.activity
        for key, places in self.standing.items():
            on_both = key[0] == activity.organisation and {source, activity.id} <= places.keys()
            if on_both and (key, source) not in self.aside:
                self.aside.discard((key, activity.id))
        self._meet(activity, source)

    def copied(self, activity: Activity, event: MailCopied) -> None:
        """A mail of another one stands here as a copy: answers go where they went (LK-5)."""
        mail = activity.organisation, event.earlier.mail
        self._bring(mail, event.earlier.activity, activity.id, takes_answers=False)

    def shared(self, activity: Activity, event: MailShared) -> None:
        """A mail of a linked one stands here, too, and answers to it come to both (SH-1, SH-3)."""
        key = activity.organisation, event.mail
        if event.received:
            self._bring(key, event.link.activity, activity.id)
            if key in self.mails:
                self._join(self.mails[key], activity)

    def left(self, activity: Activity, event: DepartureMarked) -> None:
        """Answers to a mail that began another one do not come here any more (AMB-33)."""
        if event.departure.state is DepartureState.DONE:
            self.aside.add(((activity.organisation, event.departure.mail), activity.id))

    def came_in_on(self, mail: UUID, activity: Activity) -> bool:
        """Whether the mail came to this activity by itself, and not from another one."""
        key = activity.organisation, mail
        return activity.id in self.standing.get(key, {}) and (key, activity.id) not in self._continued

    async def save_places(self, connection: Connection) -> None:
        """Write what has changed. Raises `FamilyMoved` when somebody else placed the same meanwhile."""
        await store_threads.associate(connection, self._placed())
        await store_threads.turn(connection, self._turned())
        await store_threads.add_correspondents(connection, self._joined())

    def _join(self, mail: Mail, activity: Activity) -> None:
        organisation = self.organisations[activity.organisation]
        known = self.correspondents[activity.organisation, activity.id]
        for person in (mail.sender, *mail.recipients.to, *mail.recipients.cc):
            if person:
                known.setdefault(person.address.lower(), organisation.mailbox_of(person.address))

    def _meet(self, activity: Activity, source: UUID) -> None:
        """All who are on the mails of another activity are on those of this one, too."""
        theirs = self.correspondents[activity.organisation, source]
        # A thread comes mail by mail, and those who are on it are mostly the same.
        if self._met.get((activity.id, source)) != len(theirs):
            self._met[activity.id, source] = len(theirs)
            known = self.correspondents[activity.organisation, activity.id]
            for address, mailbox in theirs.items():
                known.setdefault(address, mailbox)

    def _bring(self, mail: Key, source: UUID, activity: UUID, *, takes_answers: bool = True) -> None:
        places, place = self.standing[mail], (mail, activity)
        if source in places and activity not in places:
            places[activity] = places[source]
            self._continued.add(place)
            if not takes_answers:
                self.aside.add(place)
        elif takes_answers:
            self.aside.discard(place)  # what was a copy is more than that now

    def _stands(self, place: Association) -> None:
        mail = place.organisation, place.mail
        self.standing[mail][place.activity] = place.mailbox
        if not place.takes_answers:
            self.aside.add((mail, place.activity))
        if place.continued:
            self._continued.add((mail, place.activity))

    def _remember(self) -> None:
        self._stood = {mail: dict(places) for mail, places in self.standing.items()}
        self._was_aside = set(self.aside)
        self._knew = {key: dict(known) for key, known in self.correspondents.items()}

    def _placed(self) -> list[Association]:
        return [
            Association(
                *(mail[0], activity, mail[1], mailbox),
                continued=(mail, activity) in self._continued,
                takes_answers=(mail, activity) not in self.aside,
            )
            for mail, places in sorted(self.standing.items())
            for activity, mailbox in sorted(places.items())
            if activity not in self._stood.get(mail, {})
        ]

    def _turned(self) -> list[tuple[str, UUID, UUID, bool]]:
        """The places that were there before, and take answers no longer or take them now."""
        return [
            (mail[0], activity, mail[1], (mail, activity) not in self.aside)
            for mail, activity in sorted(self.aside ^ self._was_aside)
            if activity in self._stood.get(mail, {})
        ]

    def _joined(self) -> list[Correspondent]:
        return [
            Correspondent(organisation, activity, address, mailbox)
            for (organisation, activity), known in sorted(self.correspondents.items())
            for address, mailbox in sorted(known.items())
            if address not in self._knew.get((organisation, activity), {})
        ]


_MOVED: Mapping[type[Event], Callable[[Placement, Activity, Any], None]] = {
    MailContinued: Placement.continued,
    TookOver: Placement.took_over,
    MailCopied: Placement.copied,
    MailShared: Placement.shared,
    DepartureMarked: Placement.left,
}
