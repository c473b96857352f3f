"""Search as somebody types: by reference, title, contact and mail, in the processes that the caller may read.

Words stand in their indexes by age (docs/decisions/0027), and are looked up from the newest age back, until
enough is found: a common word costs no more than another, and what many a word begins with no more than a
whole one. What the caller may not read crowds out nothing.

Somebody waits for each letter, so words are looked up in one statement: each of its steps begins only where
those before it have not found enough.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.postgres import Connection

LOOKS = (500, 10_000, None)
"""How many contacts, and mails, that match are looked through, the newest ages first; None is all.

One after another, until enough is found: nobody but who may read next to nothing gets to the last one.
"""
MOST_CONTACTS = 50
SHORTEST = 3
"""Letters that a word has at least; a shorter one would match nearly everything."""
MOST_WORDS = 8
_MOST_DIGITS = 12

_LETTERS = re.compile(r"[^\W_]+")
_REFERENCE = re.compile(r"(\d{1,12})(?:-[tc]?(?:-a?[\d.]*)?)?", re.IGNORECASE | re.ASCII)

# How often a word is there of which only the beginning is known, no statistics say. So the plan is not left
# to them, and is made once: words are looked up in their index, and what belongs to a match one by one. With
# less memory the index would give whole pages of a large table, all of whose texts were taken into words.
_BOUNDED = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true),
    set_config('work_mem', '64MB', true)
"""
# From one row to the next of another age, through the index of ids.
_AGES_OF = """
    WITH RECURSIVE newest (id) AS (
        (SELECT id FROM {table} WHERE organisation = $1 ORDER BY id DESC LIMIT 1)
        UNION ALL
        SELECT (
            SELECT id FROM {table}
            WHERE organisation = $1 AND id < rpad(age_of(newest.id), 32, '0')::uuid ORDER BY id DESC LIMIT 1
        ) FROM newest WHERE id IS NOT NULL
    )
    SELECT age_of(id) AS age FROM newest WHERE id IS NOT NULL
"""
_AGES = "\nUNION\n".join(f"({_AGES_OF.format(table=each)})" for each in ("activities", "contacts", "mails"))
_BY_NUMBER = """
SELECT activities.* FROM unnest($3::bigint[], $4::bigint[]) AS span (first, last)
CROSS JOIN LATERAL (
    (SELECT * FROM activities
    WHERE organisation = $1 AND number BETWEEN span.first AND span.last AND process = ANY ($2::text[])
        AND kind <> 'action' AND reference ^@ $6::text
    ORDER BY number DESC LIMIT $5)
    UNION ALL
    (SELECT * FROM activities
    WHERE organisation = $1 AND number BETWEEN span.first AND span.last AND process = ANY ($2::text[])
        AND kind = 'action' AND reference ^@ $6::text
    ORDER BY number DESC, id DESC LIMIT $5)
) AS activities
ORDER BY span.first, number DESC, kind = 'action', id DESC LIMIT $5
"""
# Of all below: $1 organisation, $2 processes, $3 the words, of the newest ages first, $4 how many are wanted,
# $5 those that are found already, $6 how many matches are looked through.
_NEWEST_FIRST = "unnest($3::text[]::tsquery[]) AS typed (words)"
_IN_TITLE = "dated_words(id, title) @@ typed.words"
_IN_CONTACT = """dated_words(id,
    first_name || ' ' || last_name || ' ' || translate(address, '@.-_+', '     ')) @@ typed.words"""
_IN_MAIL = """dated_words(id,
    left((content ->> 'subject') || ' ' || coalesce(content ->> 'text', ''), 20000)) @@ typed.words"""
_TITLED = f"""
titled AS MATERIALIZED (
    SELECT of_one.id, of_one.number FROM {_NEWEST_FIRST}
    CROSS JOIN LATERAL (
        SELECT id, number FROM activities
        WHERE organisation = $1 AND process = ANY ($2::text[]) AND id <> ALL ($5::uuid[]) AND {_IN_TITLE}
        ORDER BY number DESC LIMIT $4::int
    ) AS of_one
    LIMIT $4::int
)"""  # noqa: S608 - our own text
# Of contacts that were merged, each stands for all (CT-20).
_OF_CONTACTS = f"""
people AS MATERIALIZED (
    SELECT found.id, found.merged_into FROM {_NEWEST_FIRST}
    CROSS JOIN LATERAL (
        SELECT id, merged_into FROM contacts WHERE organisation = $1 AND {_IN_CONTACT}
    ) AS found
    WHERE (SELECT count(*) FROM titled) < $4::int
    LIMIT $6::int
),
known AS MATERIALIZED (
    SELECT same.id FROM (SELECT DISTINCT coalesce(merged_into, id) FROM people) AS person (id)
    CROSS JOIN LATERAL (
        SELECT person.id
        UNION ALL
        SELECT was.id FROM contacts AS was WHERE was.organisation = $1 AND was.merged_into = person.id
    ) AS same (id)
    WHERE EXISTS (
        SELECT FROM activity_contacts AS tagged
        JOIN activities ON activities.organisation = $1 AND activities.id = tagged.activity
        WHERE tagged.organisation = $1 AND tagged.contact = same.id AND activities.process = ANY ($2::text[])
    )
    LIMIT {MOST_CONTACTS}
),
of_contacts AS MATERIALIZED (
    SELECT DISTINCT of_one.id, of_one.number FROM known
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (tagged.activity) activities.id, activities.number FROM activity_contacts AS tagged
        JOIN activities ON activities.organisation = $1 AND activities.id = tagged.activity
        WHERE tagged.organisation = $1 AND tagged.contact = known.id AND activities.process = ANY ($2::text[])
            AND activities.id <> ALL ($5::uuid[])
            AND activities.id <> ALL (ARRAY (SELECT id FROM titled))
        ORDER BY tagged.activity DESC LIMIT $4::int
    ) AS of_one
    ORDER BY of_one.number DESC LIMIT $4::int
)"""  # noqa: S608 - our own text
_OF_MAILS = f"""
mailed AS MATERIALIZED (
    SELECT found.id FROM {_NEWEST_FIRST}
    CROSS JOIN LATERAL (SELECT id FROM mails WHERE organisation = $1 AND {_IN_MAIL}) AS found
    WHERE (SELECT count(*) FROM titled) + (SELECT count(*) FROM of_contacts) < $4::int
    LIMIT $6::int
),
of_mails AS MATERIALIZED (
    SELECT DISTINCT activities.id, activities.number FROM mailed
    JOIN activity_mails AS stands ON stands.organisation = $1 AND stands.mail = mailed.id
    JOIN activities ON activities.organisation = $1 AND activities.id = stands.activity
    WHERE activities.process = ANY ($2::text[]) AND activities.id <> ALL ($5::uuid[])
        AND activities.id <> ALL (ARRAY (SELECT id FROM titled UNION ALL SELECT id FROM of_contacts))
    ORDER BY activities.number DESC LIMIT $4::int
)"""  # noqa: S608 - our own text
# There is always a row, which says how many matches were looked through, in whatever processes.
_BY_WORDS = f"""
WITH {_TITLED}, {_OF_CONTACTS}, {_OF_MAILS}
SELECT activities.*, hit.matched, matching.looked
FROM (
    SELECT greatest((SELECT count(*) FROM people), (SELECT count(*) FROM mailed))
) AS matching (looked)
LEFT JOIN (
    SELECT id, 1, 'title' FROM titled
    UNION ALL SELECT id, 2, 'contact' FROM of_contacts
    UNION ALL SELECT id, 3, 'mail' FROM of_mails
) AS hit (id, rank, matched) ON true
LEFT JOIN activities ON activities.organisation = $1 AND activities.id = hit.id
ORDER BY hit.rank, activities.number DESC LIMIT $4::int
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Found:
    """A row of `activities` and the first that matched: `reference`, `title`, `contact` or `mail`."""

    row: Any
    matched: str


async def search(
    connection: Connection, organisation: str, processes: tuple[str, ...], text: str, limit: int
) -> list[Found]:
    """Up to `limit` activities of these processes: by reference first, then by title, contact, mail.

    Within each the newest come first. Settings of the transaction are changed: nothing else belongs into it.
    """
    asked = (organisation, list(processes))
    words, spans = _words(text), _spans(text)
    numbered: dict[UUID, Found] = {}
    if spans:
        first, last = map(list, zip(*spans, strict=True))
        called = text.strip().upper() if "-" in text else ""
        for row in await connection.fetch(_BY_NUMBER, *asked, first, last, limit, called):
            numbered.setdefault(row["id"], Found(row, "reference"))
        if numbered and "-" in text:
            return list(numbered.values())  # it is a whole reference
    found: list[Found] = []
    wanted = limit - len(numbered)
    if words and wanted:
        await connection.fetchrow(_BOUNDED)
        ages = [row["age"] for row in await connection.fetch(_AGES, organisation)]
        about = (list(_queries(words, sorted(ages, reverse=True))), wanted, list(numbered))
        for most in LOOKS:
            rows = await connection.fetch(_BY_WORDS, *asked, *about, most)
            found = [Found(row, row["matched"]) for row in rows if row["matched"]]
            if len(found) == wanted or most is None or rows[0]["looked"] < most:
                break
    return [*numbered.values(), *found]


def _spans(text: str) -> list[tuple[int, int]]:
    """The numbers that begin with the digits of what may become a reference, as spans; itself first."""
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return []
    number, digits = int(match[1]), len(match[1])
    whole = "-" in text
    longer = 0 if whole else _MOST_DIGITS - digits
    return [(number * 10**more, (number + 1) * 10**more - 1) for more in range(longer + 1)]


def _words(text: str) -> list[str]:
    """Those that are long enough, up to as many as anybody types."""
    return [word for word in _LETTERS.findall(text.lower()) if len(word) >= SHORTEST][:MOST_WORDS]


def _queries(words: Sequence[str], ages: Sequence[str]) -> Iterator[str]:
    """For the newest age, then for twice as many each time: every word has to be the beginning of one there.

    Each query costs something by itself, and so does each age in it that has nothing.
    """
    begin, size = 0, 1
    while begin < len(ages):
        among = ages[begin : begin + size]
        yield " | ".join("(" + " & ".join(f"'{age}:{word}':*" for word in words) + ")" for age in among)
        begin, size = begin + size, 2 * size
