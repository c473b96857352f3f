"""Makes rules of conditions, and sees that what they compare can be compared.

The library takes any comparison of things of two types as not met; whoever writes a condition wants to know.
"""

from dataclasses import dataclass
from decimal import Context as DecimalContext
from enum import StrEnum
from typing import Any

from rule_engine import Context, Rule, ast, errors

from shared.condition_words import Refused, at, fields_of
from shared.contracts.activity_organisation import CustomField, FieldType


class Kind(StrEnum):
    """What a part of a condition is; every type of custom field is one of these."""

    TEXT = "a text"
    NUMBER = "a number"
    DATE = "a date"
    TRUTH = "true or false"
    NULL = "null"


_OF_FIELDS = {
    FieldType.CHECK_BOX: Kind.TRUTH,
    FieldType.DATE: Kind.DATE,
    FieldType.DATE_TIME: Kind.DATE,
    FieldType.DECIMAL: Kind.NUMBER,
    FieldType.WHOLE_NUMBER: Kind.NUMBER,
    FieldType.EMAIL: Kind.TEXT,
    FieldType.HYPERLINK: Kind.TEXT,
    FieldType.LIST: Kind.TEXT,
    FieldType.LONG_TEXT: Kind.TEXT,
    FieldType.MULTI_LEVEL_LIST: Kind.TEXT,
    FieldType.SHORT_TEXT: Kind.TEXT,
}
"""What is missing here, tables and relationships, cannot stand in a condition."""

_OF_LITERALS = (
    (ast.BooleanExpression, Kind.TRUTH),
    (ast.DatetimeExpression, Kind.DATE),
    (ast.FloatExpression, Kind.NUMBER),
    (ast.StringExpression, Kind.TEXT),
)
_INSTEAD_OF_NOTHING = {Kind.TEXT: '""', Kind.NUMBER: "0", Kind.DATE: 'd"2000-01-01"', Kind.TRUTH: "false"}


@dataclass(frozen=True)
class Condition:
    """A condition that can be worked out, and the custom fields that it reads, as it writes them."""

    rule: Any
    fields: dict[str, CustomField]


def compiled(text: str, fields: tuple[CustomField, ...]) -> Condition:
    """Make the text a condition on these custom fields. Raises `Refused`."""
    used = fields_of(text, fields)
    for symbol, field in used.items():
        if field.type not in _OF_FIELDS:
            raise Refused(f"{symbol!r} is of type {field.type}, which no condition can read")
    try:
        rule = Rule(text, Context(default_timezone="utc", decimal_context=DecimalContext()))
    except errors.RuleSyntaxError as error:
        raise Refused(_syntax(text, error.token)) from None
    except errors.DatetimeSyntaxError as error:
        raise Refused(f'{error.value!r} is no date; they are written as d"2027-01-31"') from None
    except errors.EngineError:
        raise Refused("it compares two things of different types") from None
    if (found := _Kinds(used).of(rule.statement.expression)).kind is not Kind.TRUTH:
        raise Refused(f"it has to be true or false, and {found} is {found.kind}")
    if not used:
        raise Refused("it speaks of no custom field, so that it always comes to the same")
    return Condition(rule, used)


def _syntax(text: str, token: Any) -> str:
    if token is None:
        return "it ends where something should follow"
    return f"{token.value!r} is not expected here ({at(text, token.lexpos)})"


@dataclass(frozen=True)
class _Part:
    """A part of a condition: what it is, whether it may be null, how it was written.

    `field` is set where it is a custom field and nothing else, `literal` where it is a text.
    """

    kind: Kind
    empty: bool
    written: str
    field: CustomField | None = None
    literal: str | None = None

    def __str__(self) -> str:
        return self.written


class _Kinds:
    """Finds out what each part is, the innermost first, and refuses what does not fit together."""

    def __init__(self, fields: dict[str, CustomField]) -> None:
        self._fields = fields

    def of(self, node: Any) -> _Part:
        if isinstance(node, ast.SymbolExpression):
            field = self._fields[node.name]
            return _Part(_OF_FIELDS[field.type], True, node.name, field)
        if isinstance(node, ast.NullExpression):
            return _Part(Kind.NULL, True, "null")
        for literal, kind in _OF_LITERALS:
            if isinstance(node, literal):
                text = node.value if kind is Kind.TEXT else None
                return _Part(kind, False, _shown(node.value), literal=text)
        if isinstance(node, ast.ContainsExpression):
            return self._contained(self.of(node.member), node.container)
        if isinstance(node, ast.UnaryExpression):
            return self._truths(node.type, self.of(node.right))
        if isinstance(node, ast.LogicExpression):
            return self._truths(node.type, self.of(node.left), self.of(node.right))
        if isinstance(node, ast.CoalesceExpression):
            return self._filled(self.of(node.left), self.of(node.right))
        if isinstance(node, ast.ArithmeticComparisonExpression):
            return self._ordered(self.of(node.left), self.of(node.right))
        if isinstance(node, ast.ComparisonExpression):
            return self._equal(self.of(node.left), self.of(node.right))
        raise Refused("it is no condition")

    def _truths(self, operator: str, *parts: _Part) -> _Part:
        for part in parts:
            if part.kind is not Kind.TRUTH:
                raise Refused(f"{operator!r} stands with what is true or false, and {part} is {part.kind}")
        return _truth(f" {operator} ".join(map(str, parts)))

    def _filled(self, left: _Part, right: _Part) -> _Part:
        if left.kind is not right.kind and Kind.NULL not in (left.kind, right.kind):
            raise Refused(
                f"{left} is {left.kind}, and so has to be what counts instead, but {right} is {right.kind}; "
                f"parentheses go around the two, such as (amount ?? 0)"
            )
        kind = right.kind if left.kind is Kind.NULL else left.kind
        return _Part(kind, right.empty, f"({left} ?? {right})")

    def _equal(self, left: _Part, right: _Part) -> _Part:
        _same(left, right)
        for one, other in ((left, right), (right, left)):
            _offered(one, other)
        return _truth("a comparison")

    def _ordered(self, left: _Part, right: _Part) -> _Part:
        _same(left, right)
        for part in (left, right):
            if part.kind not in (Kind.NUMBER, Kind.DATE):
                raise Refused(f"only numbers and dates are less or more, and {part} is {part.kind}")
            _surely(part)
        return _truth("a comparison")

    def _contained(self, member: _Part, container: Any) -> _Part:
        if isinstance(container, ast.ArrayExpression):
            for each in map(self.of, container.value):
                self._equal(member, each)
            return _truth("a comparison")
        whole = self.of(container)
        if whole.kind is not Kind.TEXT or member.kind is not Kind.TEXT:
            raise Refused(f"'in' stands before a list or between two texts, not between {member} and {whole}")
        _surely(member)
        _surely(whole)
        return _truth("a comparison")


def _truth(written: str) -> _Part:
    return _Part(Kind.TRUTH, False, written)


def _same(left: _Part, right: _Part) -> None:
    if left.kind is not right.kind and Kind.NULL not in (left.kind, right.kind):
        raise Refused(f"{left} is {left.kind}, and {right} is {right.kind}: they are never the same")


def _surely(part: _Part) -> None:
    """Refuse what may be null where only something that is there has a meaning."""
    if part.empty:
        instead = _INSTEAD_OF_NOTHING[part.kind]
        raise Refused(f"{part} may not be filled in; say what counts then, such as ({part} ?? {instead})")


def _offered(part: _Part, other: _Part) -> None:
    """Refuse what a list does not offer: it would never be met."""
    options = part.field.options if part.field else ()
    if options and other.literal is not None and other.literal not in options:
        raise Refused(f"{part} has no option {other}; it has {', '.join(map(repr, options))}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
