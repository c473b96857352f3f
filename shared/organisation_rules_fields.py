"""Rules about custom fields (BK-14)."""

from collections.abc import Iterator

from shared.contracts.activity_organisation import Column, CustomField, Definition, FieldType
from shared.organisation_finding import Finding, Path, Rule, level_is_bad, repeated

_CHOSEN = (FieldType.LIST, FieldType.MULTI_LEVEL_LIST)
_NO_CELLS = (FieldType.TABLE, FieldType.ENTITY_RELATIONSHIP)


def fields_say_what_their_type_wants(definition: Definition) -> Iterator[Finding]:
    """Lists have options, tables columns, relationships what they lead to; and nothing else has them."""
    for index, custom in enumerate(definition.fields):
        where: Path = ("fields", index)
        yield from _options(where, custom)
        if (custom.type is FieldType.TABLE) != bool(custom.columns):
            yield Finding(
                (*where, "columns"),
                "a table has columns" if custom.type is FieldType.TABLE else "only a table has columns",
            )
        if (custom.type is FieldType.ENTITY_RELATIONSHIP) != (custom.entity is not None):
            yield Finding(
                (*where, "entity"),
                "an entity_relationship says which entity it leads to"
                if custom.type is FieldType.ENTITY_RELATIONSHIP
                else "only an entity_relationship leads to an entity",
            )
        yield from repeated((*where, "columns"), (each.name for each in custom.columns), repr(custom.name))
        for position, column in enumerate(custom.columns):
            place: Path = (*where, "columns", position)
            if column.type in _NO_CELLS:
                yield Finding((*place, "type"), f"a cell cannot be of type {column.type}")
            yield from _options(place, column)


def _options(where: Path, custom: CustomField | Column) -> Iterator[Finding]:
    place: Path = (*where, "options")
    if custom.type not in _CHOSEN:
        if custom.options:
            yield Finding(place, f"only lists have options, and {custom.name!r} is of type {custom.type}")
        return
    if not custom.options:
        yield Finding(place, f"{custom.name!r} is a {custom.type} without options")
    yield from repeated(place, custom.options, f"options of {custom.name!r}")
    for position, option in enumerate(custom.options):
        if custom.type is FieldType.MULTI_LEVEL_LIST and level_is_bad(option):
            yield Finding((*place, position), f"{option!r} is not written as 'A / B'")
        elif not option.strip() or option != option.strip():
            yield Finding((*place, position), f"{option!r} is empty, or has white space at an end")


def processes_use_a_field_once(definition: Definition) -> Iterator[Finding]:
    for index, process in enumerate(definition.processes):
        where: Path = ("processes", index, "fields")
        yield from repeated(where, (use.field for use in process.fields), f"process {process.name!r}")


RULES: tuple[Rule, ...] = (fields_say_what_their_type_wants, processes_use_a_field_once)
