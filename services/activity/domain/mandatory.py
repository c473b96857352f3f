"""What is mandatory before an activity is handed in, beside what is written (T5, C3)."""

from collections.abc import Iterable

from services.activity.domain.contacts import Tagged, holder_of
from services.activity.domain.context import ProcessRules
from services.activity.domain.refusals import Lack, Missing, MissingField
from services.activity.domain.vocabulary import Tag
from shared.field_values import FieldValue, empty

_TAGS = {Tag.PRIMARY_CONTACT: Missing.PRIMARY_CONTACT, Tag.REQUESTER: Missing.REQUESTER}


def lacks_on_form(
    contacts: frozenset[Tagged], fields: tuple[FieldValue, ...], process: ProcessRules
) -> Iterable[Lack]:
    """What is mandatory beside what is written: who it is about, and custom fields (CT-3, BK-16)."""
    for tag, lack in _TAGS.items() if process.contacts_mandatory else ():
        if not holder_of(contacts, tag):
            yield lack
    for rule in empty(process.fields, fields):
        yield MissingField(rule.name, rule.title)
