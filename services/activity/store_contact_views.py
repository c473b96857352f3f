"""Contacts as lists show them: in order of address, or found while somebody types (CT-9, CT-19)."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.activity.store_contacts import COLUMNS, Contact
from shared.postgres import Connection

_TEXT = "search_text(first_name, last_name, address)"
# Whose a contact is says its row, unless it is an agent's, which the configuration knows (CT-10).
_SHOWN = """merged_into IS NULL AND erased_at IS NULL AND address <> ALL ($4::text[])
  AND (company IS NULL OR company = ANY ($2::text[]) OR address = ANY ($3::text[]))"""
_LIST = f"""
SELECT {COLUMNS} FROM contacts
WHERE organisation = $1 AND {_SHOWN} AND ($5::text IS NULL OR address > $5)
ORDER BY address LIMIT $6
"""  # noqa: S608 - our own text
# As many as somebody may want to look through: who types on narrows it down, and common words stay cheap.
_FOUND = f"""
SELECT {COLUMNS}, {_TEXT} AS searched FROM contacts
WHERE organisation = $1 AND {_SHOWN} AND search_pieces(organisation, {_TEXT}) @> $5::text[]
  AND {_TEXT} LIKE ALL ($6::text[])
LIMIT 200
"""  # noqa: S608 - our own text
_FOLDED = "SELECT search_text($1)"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose contacts are shown: everybody's, those of `companies`, and those of users who belong there.

    `within` are the addresses of such users, `beyond` those of users of other companies (CT-10).
    """

    companies: frozenset[str]
    within: frozenset[str]
    beyond: frozenset[str]

    @property
    def asked(self) -> tuple[list[str], list[str], list[str]]:
        """As the statements want it."""
        return sorted(self.companies), sorted(self.within), sorted(self.beyond)


async def listed(
    connection: Connection, organisation: str, reach: Reach, after: str | None, limit: int
) -> list[Contact]:
    """The contacts within reach, in order of address."""
    rows = await connection.fetch(_LIST, organisation, *reach.asked, after, limit)
    return [Contact(**dict(row)) for row in rows]


async def found(
    connection: Connection, organisation: str, reach: Reach, typed: str, limit: int
) -> list[Contact]:
    """Those of them with all typed words in names or address: first who has words that begin so."""
    folded = await connection.fetchval(_FOLDED, typed)
    words = folded.split()
    if not words:
        return []
    known: dict[str, tuple[str, Contact]] = {}
    for begins in (True, False):
        asked = (_pieces(organisation, words, begins=begins), [_pattern(each, begins) for each in words])
        for row in await connection.fetch(_FOUND, organisation, *reach.asked, *asked):
            fields = dict(row)
            searched = fields.pop("searched")
            known.setdefault(fields["address"], (searched, Contact(**fields)))
        if len(known) >= limit:
            break
    ranked = sorted(known.values(), key=lambda each: _rank(each[1], each[0], typed, words))
    return [contact for _, contact in ranked[:limit]]


def _pieces(organisation: str, words: Sequence[str], *, begins: bool) -> list[str]:
    """The pieces that whoever is meant must have, as `search_pieces` makes them."""
    found = set()
    for word in words:
        found |= {word[place : place + 3] for place in range(len(word) - 2)}
        if begins or len(word) < 3:
            found.add(f"^{word[:3]}")
    return sorted(f"{organisation} {piece}" for piece in found)


def _pattern(word: str, begins: bool) -> str:
    # Folded words are letters and digits: nothing in them has a meaning for LIKE.
    return f"% {word}%" if begins or len(word) < 3 else f"%{word}%"


def _rank(
    contact: Contact, searched: str, typed: str, words: Sequence[str]
) -> tuple[bool, int, str, str, str]:
    begun = sum(f" {word}" in searched for word in words)
    return (
        contact.address != typed.strip().lower(),
        -begun,
        contact.last_name.lower(),
        contact.first_name.lower(),
        contact.address,
    )
