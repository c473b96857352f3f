"""The rights in Kafka of those who speak to it, as people, programs and Kafka's own command take them."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from deploy.instance import SERVICES, Unclear
from shared.rights import OPERATOR, ROLES, Right, rights

Granted = tuple[str, Right]
"""A principal and what it may do."""

_TOOL = 'kafka-acls.sh --bootstrap-server "$KAFKA" --command-config "$ADMIN" --add'


def principals(named: Iterable[str] | None) -> list[tuple[str, str]]:
    """Roles with their principals: `role=name` as given, else services and operator by their own names.

    Raises `Unclear`.
    """
    found: dict[str, list[str]] = {role: [] for role in ROLES}
    for each in named or ():
        role, _, name = each.partition("=")
        if role not in found or not name:
            raise Unclear(f"{each!r} names nobody: say ROLE=NAME, with a role of {', '.join(ROLES)}.")
        found[role].append(name)
    for role in (*SERVICES, OPERATOR):
        found[role] = found[role] or [role]
    return [(role, _principal(name)) for role, names in found.items() for name in names]


def granted(named: Sequence[tuple[str, str]], prefix: str) -> list[Granted]:
    """Everybody's rights, role by role."""
    return [(principal, right) for role, principal in named for right in rights(role, prefix)]


def as_rows(all_of_them: Iterable[Granted]) -> list[tuple[str, str, str, str]]:
    """Principal, kind, name and operations, for a table."""
    return [(who, right.kind, right.name, ", ".join(right.operations)) for who, right in all_of_them]


def as_json(all_of_them: Iterable[Granted]) -> str:
    """One object each, for programs."""
    said: list[Mapping[str, object]] = [
        {"principal": who, "resource": right.kind, "name": right.name, "operations": list(right.operations)}
        for who, right in all_of_them
    ]
    return json.dumps(said, indent=2)


def as_commands(all_of_them: Iterable[Granted]) -> list[str]:
    """Lines of a shell: what one principal may do alike is one call, because each starts a Java."""
    alike = sorted(all_of_them, key=_alike)
    lines = []
    for (who, kind, operations), same in groupby(alike, key=_alike):
        asked = [f"--operation {each}" for each in operations]
        asked += [f"--{kind} {shlex.quote(right.name)}" for _, right in same]
        lines.append(f"{_TOOL} --allow-principal {shlex.quote(who)} {' '.join(asked)}")
    return lines


def _alike(one: Granted) -> tuple[str, str, tuple[str, ...]]:
    who, right = one
    return who, right.kind, right.operations


def _principal(name: str) -> str:
    return name if name.startswith("User:") else f"User:{name}"
