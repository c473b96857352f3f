"""Custom fields of an activity: what changes in them (BK-14).

What may stand in them, and has to, is said in `shared/field_values.py`.
"""

from collections.abc import Iterable

from shared.field_values import FieldValue, Value


def changed(present: tuple[FieldValue, ...], given: Iterable[FieldValue]) -> tuple[FieldValue, ...]:
    """Of these changes those that change something."""
    now = {each.name: each.value for each in present}
    return tuple(each for each in given if not _same(now.get(each.name), each.value))


def after(present: tuple[FieldValue, ...], changes: Iterable[FieldValue]) -> tuple[FieldValue, ...]:
    """What stands in the fields after changes, in the order of names."""
    values = {each.name: each for each in (*present, *changes)}
    return tuple(values[name] for name in sorted(values) if values[name].value is not None)


def _same(one: Value | None, other: Value | None) -> bool:
    return type(one) is type(other) and one == other  # True is no 1
