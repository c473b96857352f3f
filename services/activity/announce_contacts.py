"""What is said of contacts: how each stands now (`activity.contacts.v1`), and answers to what was asked."""

from datetime import datetime
from typing import Any

from services.activity.announce import SOURCE, asked_by, effect_id
from services.activity.store_contacts import Contact
from shared.contracts import activity_contacts as contacts
from shared.contracts.activity_answers import ContactAccepted
from shared.contracts.envelope import Envelope
from shared.outbox import Outgoing
from shared.topics import ACTIVITY_CONTACTS

ERASED = "contact.erased"
"""The type that a tombstone bears in its header."""


def contact(cause: Envelope, known: Contact) -> Outgoing:
    """How a contact stands now, keyed by its id; nothing is left of a person who was erased."""
    record = contact_record(known, cause.time)
    key = ACTIVITY_CONTACTS.key_for(cause.organisation, str(known.id))
    envelope = Envelope(
        id=str(effect_id(cause, f"contact/{known.id}/{known.version}")),
        source=SOURCE,
        type=record.type if record else ERASED,
        time=known.erased_at or cause.time,
        organisation=cause.organisation,
        subject=str(known.id),
        partitionkey=key,
        correlationid=cause.correlationid or cause.id,
        causationid=cause.id,
        traceparent=cause.traceparent,
    )
    return Outgoing(ACTIVITY_CONTACTS, key, envelope, record)


def accepted(cause: Envelope, known: Contact, erased: contacts.Erasure | None = None) -> ContactAccepted:
    """The answer to a request about a contact that was done."""
    return ContactAccepted(request=asked_by(cause), contact=known.id, version=known.version, erased=erased)


def contact_record(known: Contact, at: datetime) -> contacts.ContactChanged | contacts.ContactMerged | None:
    """The record that says how a contact stands; None for a person who was erased."""
    if known.erased_at:
        return None
    about: dict[str, Any] = {
        "contact": known.id,
        "version": known.version,
        "at": at,
        "address": known.address,
    }
    if known.merged_into:
        return contacts.ContactMerged(**about, into=known.merged_into)
    return contacts.ContactChanged(
        **about,
        first_name=known.first_name,
        last_name=known.last_name,
        company=known.company,
        language=known.language,
        auto_created=known.auto_created,
        test=known.test,
        extra_tag=known.extra_tag,
    )
