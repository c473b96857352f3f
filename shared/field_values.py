"""Custom fields: what may stand in each type, and how it is kept (BK-14, BK-15).

The configuration gives such values, too, so that its rules and activity read them alike.

A value is kept in one form, whatever form it came in: a truth, a whole number, or a text. So two values are
equal when they say the same.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from urllib.parse import urlsplit

from shared.contracts.field_types import FieldType

Value = bool | int | str
"""As it is kept: decimals, dates (ISO 8601) and times (RFC 3339, UTC) are texts."""
Given = bool | int | float | str | None
"""As it is given; None and blank text take a value away."""

SHORT_TEXT = 255
LONG_TEXT = 100_000
HYPERLINK = 2000
EMAIL = 254
"""Characters, at most (AMB-41 for addresses)."""
DIGITS = 38
"""Of a decimal number, at most, on both sides of its point together."""
LEVELS = " / "
"""What stands between the levels of a multi-level option."""

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """A field as a process uses it. `options` are those of a list; levels are joined with ` / `."""

    name: str
    title: str
    type: FieldType
    options: tuple[str, ...] = ()
    mandatory: bool = False


@dataclass(frozen=True, slots=True)
class FieldValue:
    """What stands in a field. None, in a change only, takes away what stood there."""

    name: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with a given value. The value itself is not repeated: it may be personal data."""

    field: str
    type: str | None
    wrong: str

    @property
    def sentence(self) -> str:
        kind = f" ({self.type})" if self.type else ""
        return f"{self.field}{kind}: {self.wrong}."


class _Wrong(Exception):
    """A value that its field does not take; says why."""


def read(
    rules: Iterable[FieldRule], given: Mapping[str, Given]
) -> tuple[tuple[FieldValue, ...], tuple[FieldFault, ...]]:
    """The values in the form they are kept in, and every fault; both in the order of names."""
    known = {rule.name: rule for rule in rules}
    values: list[FieldValue] = []
    faults: list[FieldFault] = []
    for name, value in sorted(given.items()):
        rule = known.get(name)
        if rule is None:
            faults.append(FieldFault(name, None, "the process has no such field"))
            continue
        try:
            values.append(FieldValue(name, _read(rule, value)))
        except _Wrong as wrong:
            faults.append(FieldFault(name, rule.type.value, str(wrong)))
    return tuple(values), tuple(faults)


def empty(rules: Iterable[FieldRule], present: Iterable[FieldValue]) -> tuple[FieldRule, ...]:
    """The mandatory fields that nothing stands in (BK-16)."""
    filled = {each.name for each in present if each.value is not None}
    return tuple(rule for rule in rules if rule.mandatory and rule.name not in filled)


def _read(rule: FieldRule, given: Given) -> Value | None:
    reader = _READERS.get(rule.type)
    if reader is None:
        raise _Wrong("fields of this type are not supported")
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if isinstance(given, str) and "\x00" in given:
        raise _Wrong("it holds the character NUL")
    return reader(rule, given)


def _check_box(_: FieldRule, given: Given) -> Value:
    if not isinstance(given, bool):
        raise _Wrong("it has to be true or false")
    return given


def _date(_: FieldRule, given: Given) -> Value:
    text = _text(given, "a date such as 2026-11-22")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return _moment(text, "a date such as 2026-11-22").date().isoformat()  # AMB-27: the time is dropped


def _date_time(_: FieldRule, given: Given) -> Value:
    wanted = "a date and time with its offset, such as 2026-11-22T14:30:00Z"
    moment = _moment(_text(given, wanted), wanted)
    if moment.tzinfo is None:
        raise _Wrong(f"it has to be {wanted}")
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise _Wrong("it lies beyond the calendar") from None


def _moment(text: str, wanted: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _Wrong(f"it has to be {wanted}") from None


def _decimal(_: FieldRule, given: Given) -> Value:
    wanted = "it has to be a number such as 12.50"
    if isinstance(given, bool) or (isinstance(given, float) and not isfinite(given)):
        raise _Wrong(wanted)
    text = str(given).strip()
    if "_" in text or len(text) > 2 * DIGITS:
        raise _Wrong(wanted)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _Wrong(wanted) from None
    if not number.is_finite():
        raise _Wrong(wanted)
    if number == 0:
        return "0"
    digits, exponent = number.as_tuple().digits, number.as_tuple().exponent
    assert isinstance(exponent, int), "it is finite"
    if len(digits) + max(exponent, 0) > DIGITS or -exponent > DIGITS:
        raise _Wrong(f"it has more than {DIGITS} digits")
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _whole_number(_: FieldRule, given: Given) -> Value:
    wanted = "it has to be a whole number"
    if isinstance(given, bool | float) or not _WHOLE.fullmatch(str(given).strip()):
        raise _Wrong(wanted)
    number = int(str(given).strip())
    if not -(1 << 63) <= number < 1 << 63:
        raise _Wrong("it has to fit in 64 bits")
    return number


def _email(_: FieldRule, given: Given) -> Value:
    wanted = "an address such as jane@example.com"
    text = _text(given, wanted, EMAIL)
    if not _ADDRESS.fullmatch(text):
        raise _Wrong(f"it has to be {wanted}")
    return text


def _hyperlink(_: FieldRule, given: Given) -> Value:
    wanted = "a whole URL that begins with http:// or https://"
    text = _text(given, wanted, HYPERLINK)
    try:
        parts = urlsplit(text)
        reachable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        reachable = False
    if not reachable or any(each.isspace() or not each.isprintable() for each in text):
        raise _Wrong(f"it has to be {wanted}")
    return text


def _option(rule: FieldRule, given: Given) -> Value:
    text = _text(given, "one of its options")
    if text not in rule.options:
        raise _Wrong("it has to be one of its options")
    return text


def _levels(rule: FieldRule, given: Given) -> Value:
    text = _text(given, "one of its options")
    path = LEVELS.join(level.strip() for level in text.split("/"))
    return _option(rule, text if text in rule.options else path)


def _short_text(_: FieldRule, given: Given) -> Value:
    text = _text(given, "text", SHORT_TEXT)
    if len(text.splitlines()) > 1:
        raise _Wrong("it has to be one line")
    return text


def _long_text(_: FieldRule, given: Given) -> Value:
    return _text(given, "text", LONG_TEXT)


def _text(given: Given, wanted: str, most: int = LONG_TEXT) -> str:
    if not isinstance(given, str):
        raise _Wrong(f"it has to be {wanted}")
    text = given.strip()
    if len(text) > most:
        raise _Wrong(f"it is longer than {most} characters")
    return text


_READERS: Mapping[FieldType, Callable[[FieldRule, Given], Value]] = {
    FieldType.CHECK_BOX: _check_box,
    FieldType.DATE: _date,
    FieldType.DATE_TIME: _date_time,
    FieldType.DECIMAL: _decimal,
    FieldType.EMAIL: _email,
    FieldType.HYPERLINK: _hyperlink,
    FieldType.LIST: _option,
    FieldType.LONG_TEXT: _long_text,
    FieldType.MULTI_LEVEL_LIST: _levels,
    FieldType.SHORT_TEXT: _short_text,
    FieldType.WHOLE_NUMBER: _whole_number,
}
"""What has no reader here is not supported (BK-15)."""
