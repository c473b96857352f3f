"""Where mails stand, because of which of our mailboxes, and who is on them: a batch's view of it."""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from services.activity import store_threads
from services.activity.domain.activity import Activity
from services.activity.store_mails import Mail
from services.activity.store_rows import Key
from services.activity.store_threads import Association, Correspondent
from shared.organisation import Organisation
from shared.postgres import Connection


class Placement:
    """Mails and their activities. `aside` holds the places, as (mail, activity), that take no answers."""

    def __init__(self, organisations: Mapping[str, Organisation]) -> None:
        self.organisations = organisations
        self.newest: dict[Key, Mail] = {}
        self.standing: dict[Key, dict[UUID, str]] = defaultdict(dict)
        self.aside: set[tuple[Key, UUID]] = set()
        self.correspondents: dict[Key, dict[str, str | None]] = defaultdict(dict)
        self._continued: set[tuple[Key, UUID]] = set()
        self._stood: dict[Key, dict[UUID, str]] = {}
        self._was_aside: set[tuple[Key, UUID]] = set()
        self._knew: dict[Key, dict[str, str | None]] = {}

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

    def continue_thread(self, closed: Activity, activity: Activity) -> None:
        """Let the mails of a closed activity stand on the one that continues it, with all on them (IN-14)."""
        organisation = closed.organisation
        for mail in self.mails_on(closed):
            key = organisation, mail
            self._bring(key, closed.id, activity.id, takes_answers=(key, closed.id) not in self.aside)
        known = self.correspondents[organisation, activity.id]
        for address, mailbox in self.correspondents[organisation, closed.id].items():
            known.setdefault(address, mailbox)

    def copy_thread(self, source: Activity, activity: Activity) -> None:
        """Let the mails of an activity stand on another one as copies: answers go where they went (LK-5)."""
        for mail in self.mails_on(source):
            self._bring((source.organisation, mail), source.id, activity.id, takes_answers=False)

    def share(self, mail: Mail, source: Activity, activity: Activity) -> None:
        """Let a mail stand on a linked activity, too, and answers to it come to both (SH-1, SH-3)."""
        self._bring(mail.key, source.id, activity.id)
        self._join(mail, activity)

    def leave(self, mail: Key, activity: Activity) -> None:
        """Answers to the mail do not come to this activity any more (AMB-33)."""
        self.aside.add((mail, activity.id))

    def came_in_on(self, mail: Key, activity: Activity) -> bool:
        """Whether the mail came to this activity by itself, and not from another one."""
        return activity.id in self.standing.get(mail, {}) and (mail, activity.id) not in self._continued

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
