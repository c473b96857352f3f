"""A workspace that is told what happened, and announces none of it: for a schema that has forgotten it."""

from dataclasses import replace
from uuid import UUID

from services.activity import announce
from services.activity.domain.contacts import NewContact, contact_of_sender
from services.activity.domain.evolving import evolve
from services.activity.past_events import Texts, event_of
from services.activity.store_contacts import Contact
from services.activity.store_history import HistoryRow
from services.activity.workspace import Workspace
from shared.contracts import activity_activities as said
from shared.contracts.envelope import Envelope
from shared.postgres import Json
from shared.recovery import RecoveryRefused


class PastWorkspace(Workspace):
    """One view of the tables, like any batch's; what led to the events is not looked at again."""

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
        self._know(activity)
        self._history.append(HistoryRow.of(organisation, record, Json(value)))
        self._ties.note(activity, event)
        self.families.note(activity, event)
        self.files.note(activity, event)
        # No reference is given twice.
        self._numbers[organisation] = max(self._numbers[organisation], activity.reference.number + 1)

    def continued(self, organisation: str, record: said.TicketMailContinued) -> None:
        """A mail of a closed activity stands on this one, too, with all who were on that one."""
        self._bring((organisation, record.mail), record.from_activity, record.activity)
        known = self.correspondents[organisation, record.activity]
        for address, mailbox in self.correspondents[organisation, record.from_activity].items():
            known.setdefault(address, mailbox)

    def copied(self, organisation: str, record: said.TicketMailCopied) -> None:
        """A mail of the activity that it was opened from stands on it, too, as a copy."""
        self._bring((organisation, record.mail), record.from_activity, record.activity, takes_answers=False)

    def shared(self, organisation: str, record: said.TicketMailShared) -> None:
        """A mail of a linked activity stands on this one, too."""
        if record.received:
            key = organisation, record.mail
            self._bring(key, record.with_activity, record.activity)
            if key in self.mails:
                self._join(self.mails[key], self.activities[organisation, record.activity])

    def meet(
        self, cause: Envelope, address: str, name: str, wanted: set[UUID], *, auto_created: bool = True
    ) -> None:
        """Make the contact that `cause` made of this person, if it did: its id says so."""
        address = address.lower()
        id_ = announce.effect_id(cause, f"contact/{address}")
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
                self.activities[key] = replace(activity, contacts=known)
        return found
