"""Steps that an activity takes because of what becomes of a contact on it."""

from dataclasses import dataclass
from uuid import UUID

from services.activity.domain.steps import Step


@dataclass(frozen=True, slots=True)
class ExchangeContact(Step):
    """A contact of it is one with another: that one has the tags from now on (CT-20)."""

    name = "exchange_contact"
    participle = "given another contact"
    contact: UUID
    into: UUID


@dataclass(frozen=True, slots=True)
class EraseContact(Step):
    """A person is erased: none of their `contacts` stays on it (CT-21).

    With `texts` it is theirs, and what was written on it goes, too.
    """

    name = "erase_contact"
    participle = "freed of a person"
    contacts: frozenset[UUID]
    texts: bool
