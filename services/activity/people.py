"""The contacts that a batch knows and changes: part of its workspace."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.activity import announce_contacts, store_contacts
from services.activity.domain.contacts import Tagged
from services.activity.domain.vocabulary import Tag
from services.activity.needs import Named
from services.activity.store_contacts import Contact
from services.activity.store_rows import Key
from shared.contracts.envelope import Envelope
from shared.outbox import Outgoing
from shared.postgres import Connection


class People:
    """Contacts by id and address; one that was merged leads to the one that it is now."""

    def __init__(self, said: list[Outgoing]) -> None:
        self.known: dict[Key, Contact] = {}
        self._addresses: dict[Named, Key] = {}
        self._before: dict[Key, Contact] = {}
        self._said = said

    def __getitem__(self, key: Key) -> Contact:
        """The contact of an id, or who it has become. Raises `KeyError`."""
        contact = self.known[key]
        return self.known[key[0], contact.merged_into] if contact.merged_into else contact

    def get(self, key: Key) -> Contact | None:
        """The same, None where nobody is known, and for a person that was erased."""
        contact = self[key] if key in self.known else None
        return None if contact is None or contact.erased_at else contact

    def by_address(self, organisation: str, address: str) -> Contact | None:
        """The contact that an address leads to, in lower case."""
        key = self._addresses.get((organisation, address))
        return self.get(key) if key else None

    def default_tags(self, organisation: str, ids: Collection[UUID]) -> tuple[Tagged, ...]:
        """The default tags of those of these contacts that have one (CT-17)."""
        found = (self.get((organisation, id_)) for id_ in sorted(ids))
        return tuple(Tagged(Tag(each.extra_tag), each.id) for each in found if each and each.extra_tag)

    def add(self, contact: Contact) -> None:
        """A contact that there was not."""
        key = (contact.organisation, contact.id)
        self.known[key] = contact
        self._addresses[contact.organisation, contact.address] = key

    def remove(self, contact: Contact) -> None:
        """The contact is not wanted after all: what it was made for was refused."""
        del self.known[contact.organisation, contact.id]
        del self._addresses[contact.organisation, contact.address]

    def tell(self, cause: Envelope, contact: Contact) -> None:
        """Say how a contact stands now (`activity.contacts.v1`)."""
        self._said.append(announce_contacts.contact(cause, contact))

    def change(self, cause: Envelope, contact: Contact) -> Contact:
        """A contact that is another now; returned with its new version, which is announced.

        What is as it was keeps its version, and nothing is said.
        """
        key = (contact.organisation, contact.id)
        was = self.known[key]
        if contact == was:
            return was
        changed = replace(contact, version=was.version + 1)
        if was.address != changed.address:
            self._addresses.pop((was.organisation, was.address), None)
            self._addresses[changed.organisation, changed.address] = key
        self.known[key] = changed
        self.tell(cause, changed)
        return changed

    def others_of(self, contact: Contact) -> list[Contact]:
        """The contacts that have become this one, in order of address; of those that are to be changed."""
        known = (each for each in self.known.values() if each.organisation == contact.organisation)
        return sorted(
            (each for each in known if each.merged_into == contact.id), key=lambda each: each.address
        )

    def merge(self, cause: Envelope, contact: Contact, into: Contact) -> None:
        """A contact is another one from now on, and with it whoever it was: no chain is left (CT-20)."""
        for each in (contact, *self.others_of(contact)):
            left = Contact(organisation=each.organisation, id=each.id, address=each.address)
            self.change(cause, replace(left, version=each.version, merged_into=into.id))

    def erase(self, cause: Envelope, contact: Contact, at: datetime, by: str, because: str) -> Contact:
        """Nothing is left of a person, under whichever addresses, but ids (CT-21)."""
        for each in (*self.others_of(contact), contact):
            left = Contact(organisation=each.organisation, id=each.id, address=str(each.id))
            gone = replace(left, erased_at=at, erased_by=by, erased_because=because)
            erased = self.change(cause, replace(gone, version=each.version))
        return erased

    def again(self, contact: Contact) -> None:
        """How a contact stood when it was last said; what is known in a newer version stays."""
        known = self.known.get((contact.organisation, contact.id))
        if known is None or known.version < contact.version:
            if known is not None:
                self._addresses.pop((known.organisation, known.address), None)
            self.add(contact)

    async def load(
        self,
        connection: Connection,
        addresses: Collection[Named],
        ids: Collection[Key],
        whole: Collection[Key] = (),
    ) -> None:
        """Read contacts by address and id, and those that they have become; of `whole` who became them."""
        for contact in await store_contacts.merged_into(connection, whole):
            self.add(contact)
        for contact in await store_contacts.by_address(connection, addresses):
            self.add(contact)
        for contact in await store_contacts.by_id(connection, set(ids) - self.known.keys()):
            self.add(contact)
        merged = {(each.organisation, each.merged_into) for each in self.known.values() if each.merged_into}
        wanted = {(name, id_) for name, id_ in merged if id_} - self.known.keys()
        for contact in await store_contacts.by_id(connection, wanted):
            self.add(contact)
        self._before = dict(self.known)

    async def save(self, connection: Connection) -> None:
        """Write what has changed. Raises `FamilyMoved` when somebody else changed one of them meanwhile."""
        before = self._before
        changed = [each for key, each in self.known.items() if before.get(key, each) != each]
        await store_contacts.update(connection, before, changed)
        await store_contacts.add(connection, [each for key, each in self.known.items() if key not in before])
