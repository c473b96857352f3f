"""Hostile and broken mail of every kind that is known in public, made on demand."""

from tests.support.hostile.answers import ANSWERS
from tests.support.hostile.charsets import CHARSETS, ENCODED_WORDS
from tests.support.hostile.encodings import CONTAINERS, ENCODINGS
from tests.support.hostile.fields import DATES, FIELDS, PEOPLE
from tests.support.hostile.kind import Kind
from tests.support.hostile.lines import LINES
from tests.support.hostile.names import NAMES
from tests.support.hostile.pages import PAGES
from tests.support.hostile.reports import REPORTS
from tests.support.hostile.sizes import SIZES
from tests.support.hostile.structure import STRUCTURE

KINDS: tuple[Kind, ...] = (
    *CHARSETS,
    *ENCODED_WORDS,
    *ENCODINGS,
    *CONTAINERS,
    *STRUCTURE,
    *LINES,
    *DATES,
    *PEOPLE,
    *FIELDS,
    *NAMES,
    *PAGES,
    *REPORTS,
    *ANSWERS,
)
"""All but those of tens of megabytes."""

__all__ = ["CONTAINERS", "KINDS", "SIZES", "Kind"]
