"""Search as somebody types: by reference, title, contact and mail, in the processes that the caller may read.

The newest titles are looked at first; of the others, of contacts and of mails a part is taken where more
match than anybody reads through, so that a common word costs no more than another. Where that part had not
enough that the caller may read, all of it is looked through: what he may not read crowds out nothing.
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
_IN_CONTACT = """to_tsvector('simple',
    first_name || ' ' || last_name || ' ' || translate(address, '@.-_+', '     '))"""
_IN_MAIL = """to_tsvector('simple',
    left((content ->> 'subject') || ' ' || coalesce(content ->> 'text', ''), 20000))"""
# Of contacts that were merged, each stands for all (CT-20).
_CONTACTS = f"""
SELECT DISTINCT same.id FROM (
    SELECT id, merged_into FROM contacts
    WHERE organisation = $1 AND {_IN_CONTACT} @@ to_tsquery('simple', $3::text)
) AS found
CROSS JOIN LATERAL (
    SELECT coalesce(found.merged_into, found.id)
    UNION ALL
    SELECT was.id FROM contacts AS was
    WHERE was.organisation = $1 AND was.merged_into = coalesce(found.merged_into, found.id)
) AS same (id)
WHERE EXISTS (
    SELECT FROM activity_contacts AS tagged
    JOIN activities ON activities.organisation = $1 AND activities.id = tagged.activity
    WHERE tagged.organisation = $1 AND tagged.contact = same.id AND activities.process = ANY ($2::text[])
)
LIMIT $4
"""  # noqa: S608 - our own text
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
_MAILS = f"""
SELECT id FROM mails
WHERE organisation = $1 AND {_IN_MAIL} @@ to_tsquery('simple', $3::text)
  AND EXISTS (
    SELECT FROM activity_mails AS stands
    JOIN activities ON activities.organisation = $1 AND activities.id = stands.activity
    WHERE stands.organisation = $1 AND stands.mail = mails.id AND activities.process = ANY ($2::text[])
  )
LIMIT $4
"""  # noqa: S608 - our own text
_OF_MAILS = """
SELECT DISTINCT ON (activities.number) activities.* FROM unnest($3::uuid[]) AS found (id)
JOIN activity_mails AS stands ON stands.organisation = $1 AND stands.mail = found.id
JOIN activities ON activities.organisation = $1 AND activities.id = stands.activity
WHERE activities.process = ANY ($2::text[])
ORDER BY activities.number DESC LIMIT $4
"""
# Whether a part was taken: then about as many as may be looked through matched.
_MATCHES = {
    table: f"""
        SELECT count(*) FROM (
            SELECT FROM {table} WHERE {text} @@ to_tsquery('simple', $1::text) LIMIT $2
        ) AS matching
        """  # noqa: S608 - our own text
    for table, text in (
        ("activities", "to_tsvector('simple', title)"),
        ("contacts", _IN_CONTACT),
        ("mails", _IN_MAIL),
    )
}


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
    for part in (MOST_MATCHES, 0):
        if not words or len(found) >= limit or (part == 0 and not await _cut(connection, words)):
            break
        await _looking(connection, part, by_word=True)
        add("title", await connection.fetch(_BY_TITLE, *asked, words, limit, MOST_MATCHES))
        for matched, finding, following, most in (
            ("contact", _CONTACTS, _OF_CONTACTS, MOST_CONTACTS),
            ("mail", _MAILS, _OF_MAILS, MOST_MATCHES),
        ):
            if len(found) < limit:
                await _looking(connection, part, by_word=True)
                rows = await connection.fetch(finding, *asked, words, most)
                await _looking(connection, part, by_word=False)
                add(matched, await connection.fetch(following, *asked, [row["id"] for row in rows], limit))
    return list(found.values())


async def _cut(connection: Connection, words: str) -> bool:
    """Whether more match than were looked through, in whatever processes."""
    await _looking(connection, MOST_MATCHES, by_word=True)
    for statement in _MATCHES.values():
        if await connection.fetchval(statement, words, MOST_MATCHES) >= MOST_MATCHES // 2:
            return True
    return False


async def _looking(connection: Connection, part: int, *, by_word: bool) -> None:
    """How the next statement looks: `part` is about how many matches it looks through at most, 0 all."""
    await connection.fetchrow(_BOUNDED, str(part), "off" if by_word else "on")


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
