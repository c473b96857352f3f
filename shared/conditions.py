"""Conditions on custom fields: what the steps of Cases, and the Actions in them, depend on.

A condition is written in a small part of the language of the library `rule-engine`: custom fields, texts,
numbers and dates are compared, and put together by `and`, `or` and `not`. It has no functions, no attributes
and no regular expressions, it does not reckon and it does not know what time it is. So it comes to the same
whenever it is worked out, and soon.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from shared.condition_words import MOST_CHARACTERS, MOST_OPERATORS, Refused, written
from shared.contracts.activity_organisation import CustomField, FieldType

if TYPE_CHECKING:
    from shared.condition_rules import Condition

__all__ = ["MOST_CHARACTERS", "MOST_OPERATORS", "ConditionFailed", "Value", "check", "holds", "written"]

Value: TypeAlias = bool | int | str
"""As custom fields keep it: decimals, dates (ISO 8601) and times (RFC 3339, UTC) are texts."""

_REMEMBERED = 1_000


class ConditionFailed(Exception):
    """A condition cannot be worked out. The message is a sentence, without any value of a custom field."""


def check(text: str, fields: Iterable[CustomField]) -> str | None:
    """What is wrong with a condition on these custom fields, in a sentence; None when nothing is.

    Whatever the fields are filled with, if with anything, a condition without fault can be worked out.
    """
    found = _compiled(text, tuple(fields))
    return found if isinstance(found, str) else None


def holds(text: str, fields: Iterable[CustomField], values: Mapping[str, Value | None]) -> bool:
    """Whether a condition is met by these values of custom fields, by their names.

    What is missing among them, or null, is not filled in. Raises `ConditionFailed`, and nothing else.
    """
    found = _compiled(text, tuple(fields))
    if isinstance(found, str):
        raise ConditionFailed(f"The condition cannot be read: {found}.")
    given = {symbol: _read(field, values.get(field.name)) for symbol, field in found.fields.items()}
    try:
        return bool(found.rule.matches(given))
    except Exception as error:
        raise ConditionFailed(f"The condition cannot be worked out: {type(error).__name__}.") from error


@lru_cache(_REMEMBERED)
def _compiled(text: str, fields: tuple[CustomField, ...]) -> "Condition | str":
    """The condition, or what is wrong with it: both are worth remembering.

    The library is imported with the first condition: making its tables takes half a second, which whoever has
    no condition need not wait for.
    """
    from shared.condition_rules import compiled

    try:
        return compiled(text, fields)
    except Refused as refused:
        return str(refused)


def _read(field: CustomField, value: Value | None) -> bool | str | Decimal | datetime | None:
    """A value as conditions compare it."""
    if value is None:
        return None
    try:
        return _READERS.get(field.type, _text)(value)
    except (TypeError, ValueError, ArithmeticError):
        raise ConditionFailed(f"What stands in {field.name!r} is not of its type, {field.type}.") from None


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(value: Value) -> Decimal:
    number = Decimal(value)
    if isinstance(value, bool) or not number.is_finite():
        raise TypeError
    return number


def _date(value: Value) -> datetime:
    return datetime.combine(date.fromisoformat(_text(value)), datetime.min.time(), UTC)


def _moment(value: Value) -> datetime:
    return datetime.fromisoformat(_text(value)).astimezone(UTC)


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_READERS: Mapping[FieldType, Callable[[Value], bool | str | Decimal | datetime]] = {
    FieldType.CHECK_BOX: _truth,
    FieldType.DATE: _date,
    FieldType.DATE_TIME: _moment,
    FieldType.DECIMAL: _number,
    FieldType.WHOLE_NUMBER: _number,
}
"""All else is text."""
