"""Search as somebody types: by reference, title, contact and mail, in the processes that the caller may read.

Every statement is bounded, however common a word is. The newest titles are looked at
first; of the others, of contacts and of mails a part is taken where more match than anybody reads through.
"""

import re
from dataclasses import dataclass
from typing import Any

from shared.postgres import Connection

MOST_MATCHES = 1_000
"""Contacts or mails that are looked through for one search."""
MOST_CONTACTS = 50
NEWEST = 200
"""Tickets whose titles are looked at first: of a common word the newest are found."""
SHORTEST = 3
"""Letters that a word has at least; a shorter one would match nearly everything."""
MOST_WORDS = 8
_MOST_DIGITS = 12

_WORD = re.compile(r"\w+")
_REFERENCE = re.compile(r"(\d{1,12})(?:-[a-z]?)?", re.IGNORECASE | re.ASCII)

# How often a word is there of which only the beginning is known, no statistics say. So the plan is not left
# to them: words are looked up in their index, which gives no more than a part where there are too many.
_BOUNDED = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_indexscan', $2, true), set_config('gin_fuzzy_search_limit', $1, true),
    set_config('jit', 'off', true)
"""
_BY_NUMBER = """
SELECT activities.* FROM unnest($3::bigint[], $4::bigint[]) AS span (first, last)
CROSS JOIN LATERAL (
    SELECT * FROM activities
    WHERE organisation = $1 AND number BETWEEN span.first AND span.last AND process = ANY ($2::text[])
    ORDER BY number DESC LIMIT $5
) AS activities
ORDER BY span.first, number DESC LIMIT $5
"""
_AMONG_NEWEST = """
SELECT * FROM (
    SELECT * FROM activities
    WHERE organisation = $1 AND process = ANY ($2::text[]) ORDER BY number DESC LIMIT $5
) AS newest
WHERE to_tsvector('simple', title) @@ to_tsquery('simple', $3::text)
ORDER BY number DESC LIMIT $4
"""
_BY_TITLE = """
WITH found AS MATERIALIZED (
    SELECT * FROM activities
    WHERE organisation = $1 AND process = ANY ($2::text[])
        AND to_tsvector('simple', title) @@ to_tsquery('simple', $3::text)
    LIMIT $5
)
SELECT * FROM found ORDER BY number DESC LIMIT $4
"""
_CONTACTS = """
SELECT id FROM contacts
WHERE organisation = $1 AND to_tsvector('simple',
        first_name || ' ' || last_name || ' ' || translate(address, '@.-_+', '     '))
    @@ to_tsquery('simple', $2::text)
LIMIT $3
"""
_OF_CONTACTS = """
SELECT DISTINCT ON (activities.number) activities.* FROM unnest($3::uuid[]) AS found (id)
CROSS JOIN LATERAL (
    SELECT tagged.activity FROM activity_contacts AS tagged
    WHERE tagged.organisation = $1 AND tagged.contact = found.id
    ORDER BY tagged.activity DESC LIMIT $4
) AS tagged
JOIN activities ON activities.organisation = $1 AND activities.id = tagged.activity
WHERE activities.process = ANY ($2::text[])
ORDER BY activities.number DESC LIMIT $4
"""
_MAILS = """
SELECT id FROM mails
WHERE organisation = $1 AND to_tsvector('simple',
        left((content ->> 'subject') || ' ' || coalesce(content ->> 'text', ''), 20000))
    @@ to_tsquery('simple', $2::text)
LIMIT $3
"""
_OF_MAILS = """
SELECT DISTINCT ON (activities.number) activities.* FROM unnest($3::uuid[]) AS found (id)
JOIN activity_mails AS stands ON stands.organisation = $1 AND stands.mail = found.id
JOIN activities ON activities.organisation = $1 AND activities.id = stands.activity
WHERE activities.process = ANY ($2::text[])
ORDER BY activities.number DESC LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A row of `activities` and the first that matched: `reference`, `title`, `contact` or `mail`."""

    row: Any
    matched: str


async def search(
    connection: Connection, organisation: str, processes: tuple[str, ...], text: str, limit: int
) -> list[Found]:
    """Up to `limit` Tickets of these processes, those found by reference first, then by title, contact, mail.

    Within each the newest come first. Settings of the transaction are changed: nothing else belongs into it.
    """
    found: dict[int, Found] = {}

    def add(matched: str, rows: list[Any]) -> None:
        for row in rows:
            if len(found) < limit:
                found.setdefault(row["number"], Found(row, matched))

    asked = (organisation, list(processes))
    words, spans = _query(text), _spans(text)
    if spans:
        first, last = map(list, zip(*spans, strict=True))
        add("reference", await connection.fetch(_BY_NUMBER, *asked, first, last, limit))
        if found and "-" in text:
            return list(found.values())  # it is a whole reference
    if words and len(found) < limit:
        add("title", await connection.fetch(_AMONG_NEWEST, *asked, words, limit, NEWEST))
    if words and len(found) < limit:
        await _bounded(connection, by_word=True)
        add("title", await connection.fetch(_BY_TITLE, *asked, words, limit, MOST_MATCHES))
    for matched, finding, following, most in (
        ("contact", _CONTACTS, _OF_CONTACTS, MOST_CONTACTS),
        ("mail", _MAILS, _OF_MAILS, MOST_MATCHES),
    ):
        if words and len(found) < limit:
            await _bounded(connection, by_word=True)
            rows = await connection.fetch(finding, organisation, words, most)
            await _bounded(connection, by_word=False)
            add(matched, await connection.fetch(following, *asked, [row["id"] for row in rows], limit))
    return list(found.values())


async def _bounded(connection: Connection, *, by_word: bool) -> None:
    await connection.fetchrow(_BOUNDED, str(MOST_MATCHES), "off" if by_word else "on")


def _spans(text: str) -> list[tuple[int, int]]:
    """The numbers that begin with the digits of what may become a reference, as spans; itself first."""
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return []
    number, digits = int(match[1]), len(match[1])
    whole = "-" in text
    longer = 0 if whole else _MOST_DIGITS - digits
    return [(number * 10**more, (number + 1) * 10**more - 1) for more in range(longer + 1)]


def _query(text: str) -> str | None:
    """Every word has to be the beginning of one there; None without a word that is long enough."""
    words = [word for word in _WORD.findall(text.lower()) if len(word) >= SHORTEST]
    return " & ".join(f"'{word}':*" for word in words[:MOST_WORDS]) or None
