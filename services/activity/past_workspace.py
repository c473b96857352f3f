"""A workspace that is told what happened, and announces none of it: for a schema that has forgotten it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import structs

from services.activity import announce, store_erasing, store_numbers
from services.activity.domain.contacts import NewContact, contact_of_sender
from services.activity.domain.evolving import evolve
from services.activity.needs import Needs
from services.activity.past_events import Texts, event_of
from services.activity.store_contacts import Contact
from services.activity.store_history import HistoryRow
from services.activity.store_numbers import FIRST_NUMBER
from services.activity.store_rows import Key
from services.activity.workspace import Workspace
from shared import references
from shared.contracts import activity_activities as said
from shared.contracts.activity_requests_contacts import ContactErase
from shared.contracts.envelope import Envelope
from shared.organisation import Organisation
from shared.postgres import Connection, Json
from shared.recovery import RecoveryRefused
from shared.references import Reference, ReferenceKind


class PastWorkspace(Workspace):
    """One view of the tables, like any batch's; what led to the events is not looked at again."""

    def __init__(self, now: datetime, organisations: Mapping[str, Organisation]) -> None:
        super().__init__(now, organisations, numbers={})
        self._given: dict[str, int] = {}
        self._counted: dict[str, int] = {}
        self.gone: dict[Key, store_erasing.Gone] = {}

    def next_reference(self, organisation: str, kind: ReferenceKind = ReferenceKind.TICKET) -> Reference:
        """Behind all that are known to be given: nobody else gives any meanwhile."""
        number = max(self._given.get(organisation, 0), self._counted.get(organisation, FIRST_NUMBER - 1)) + 1
        self._given[organisation] = number
        return references.OF_NUMBER[kind](number)

    async def load(self, connection: Connection, needs: Needs) -> None:
        """As every batch does, and how far references were counted."""
        self._counted = await store_numbers.counted(connection)
        needs.ending = True
        await super().load(connection, needs)

    async def save(self, connection: Connection) -> None:
        """Write what has changed; no reference that was given is given again."""
        await store_numbers.count_past(connection, self._given)
        await super().save(connection)

    def erase_again(self, tombstone: Envelope, request: ContactErase | None, version: int) -> None:
        """Nothing is left of a contact but its id (CT-21), not even its address for who came after.

        `request` says who asked for it and why, unless that came over HTTP; `version` is the last one said.
        """
        key = tombstone.organisation, UUID(tombstone.subject)
        known = self.people.known.get(key)
        self.gone[key] = store_erasing.Gone(tombstone.time)
        if known is not None and known.erased_at is None:
            self.went_by(*key, known.address)
        if known is None or known.erased_at is None:
            left = Contact(
                organisation=key[0],
                id=key[1],
                address=str(key[1]),
                version=max(version, known.version if known else 1) + 1,
                erased_at=tombstone.time,
                erased_by=request.actor.id if request else None,
                erased_because=request.reason if request else None,
            )
            self.people.again(left)

    def went_by(self, organisation: str, contact: UUID, address: str) -> None:
        """Somebody who was erased had this address."""
        self.gone[organisation, contact].addresses.add(address.lower())

    def unknown_erased(self, organisation: str) -> set[UUID]:
        """Those of whom nobody knows yet which address they had."""
        return {key[1] for key, each in self.gone.items() if key[0] == organisation and not each.addresses}

    def again(self, organisation: str, record: said.ActivityRecord, value: bytes, texts: Texts) -> None:
        """An event that was published. Raises `RecoveryRefused` if it does not follow from what is known."""
        activity = self.activities.get((organisation, record.activity))
        version = activity.version if activity else 0
        if record.version != version + 1:
            raise RecoveryRefused(
                f"{record.reference} stands at version {version}, and its next event has {record.version}: "
                "activity.activities.v1 is not whole, or not of this database."
            )
        event = event_of(organisation, record, texts)
        activity = evolve(activity, event)
        self._history.append(HistoryRow.of(organisation, record, Json(value)))
        self._came_to_be(activity, event)
        number = activity.reference.number
        self._given[organisation] = max(self._given.get(organisation, number), number)

    def meet(
        self, cause: Envelope, address: str, name: str, wanted: set[UUID], *, auto_created: bool = True
    ) -> None:
        """Make the contact that `cause` made of this person, if it did: its id says so."""
        address = address.lower()
        id_ = announce.effect_id(cause, f"contact/{address}")
        if (cause.organisation, id_) in self.gone:
            self.went_by(cause.organisation, id_, address)
        if id_ not in wanted or (cause.organisation, id_) in self.people.known:
            return
        made = contact_of_sender(None, address, name, companies=(), automatic_contacts=True)
        if isinstance(made, NewContact) and self.people.by_address(cause.organisation, address) is None:
            self.people.add(
                Contact(
                    organisation=cause.organisation,
                    id=id_,
                    address=address,
                    first_name=made.first_name,
                    last_name=made.last_name,
                    auto_created=auto_created,
                )
            )

    def forget_strangers(self) -> int:
        """Take contacts off activities that nobody knows any more; how many there were."""
        found = 0
        for key, activity in self.activities.items():
            known = frozenset(
                each for each in activity.contacts if (key[0], each.contact) in self.people.known
            )
            found += len(activity.contacts) - len(known)
            if known != activity.contacts:
                self.activities[key] = structs.replace(activity, contacts=known)
        return found
