"""Search as somebody types: by reference, title, contact and mail, in the processes that the caller may read.

The newest titles are looked at first; of the others, of contacts and of mails a part is taken where more
match than anybody reads through, so that a common word costs no more than another. Where that part had not
enough that the caller may read, all of it is looked through: what he may not read crowds out nothing.

Somebody waits for each letter, so words are looked up in one statement: each of its steps begins only where
those before it have not found enough.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from shared.postgres import Connection


class Look(NamedTuple):
    """How far it is looked: about a `part` for each word where more match (0 for all), `most` at most.

    For each Ticket that is wanted, `mails` of the newest are followed to theirs. None is all.
    """

    part: int
    most: int | None
    mails: int | None


LOOKS = (Look(part=500, most=2_000, mails=10), Look(part=0, most=10_000, mails=None), Look(0, None, None))
"""One after another, until enough is found: nobody but who may read next to nothing gets to the last one."""
MOST_CONTACTS = 50
NEWEST = 200
"""Tickets whose titles are looked at first: of a common word the newest are found."""
SHORTEST = 3
"""Letters that a word has at least; a shorter one would match nearly everything."""
MOST_WORDS = 8
_MOST_DIGITS = 12
_FEW = 50
"""Where fewer match a word, it was no part of them but all."""

_WORD = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W_]+")
_REFERENCE = re.compile(r"(\d{1,12})(?:-[tc]?(?:-a?[\d.]*)?)?", re.IGNORECASE | re.ASCII)

# How often a word is there of which only the beginning is known, no statistics say. So the plan is not left
# to them, and is made once: words are looked up in their index, which gives about $1 matches where there are
# more (0 for all), and what belongs to a match is looked up one by one. With less memory the index would give
# whole pages of a large table, all of whose texts were taken into words again.
_BOUNDED = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true),
    set_config('work_mem', '64MB', true), set_config('gin_fuzzy_search_limit', $1, true)
"""
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
# Of all below: $1 organisation, $2 processes, $3 the words, $4 how many are wanted, $5 those that are
# found already, $6 letters that a title with these words has; how many matches are looked through ($7), and
# mails followed ($8).
_TYPED = "to_tsquery('simple', $3::text)"
_IN_TITLE = f"to_tsvector('simple', title) @@ {_TYPED}"
_IN_CONTACT = f"""to_tsvector('simple',
    first_name || ' ' || last_name || ' ' || translate(address, '@.-_+', '     ')) @@ {_TYPED}"""
_IN_MAIL = f"""to_tsvector('simple',
    left((content ->> 'subject') || ' ' || coalesce(content ->> 'text', ''), 20000)) @@ {_TYPED}"""
# `latest` stands apart, so that its titles come from no index of words, which gives but a part of them.
_TITLED = f"""
latest AS MATERIALIZED (
    SELECT id, number, title FROM (
        SELECT of_one.id FROM unnest($2::text[]) AS lane (name)
        CROSS JOIN LATERAL (
            SELECT id, number FROM activities
            WHERE organisation = $1 AND process = lane.name ORDER BY number DESC LIMIT {NEWEST}
        ) AS of_one
        ORDER BY of_one.number DESC LIMIT {NEWEST}
    ) AS last (id)
    JOIN activities USING (id) WHERE organisation = $1
),
newest AS MATERIALIZED (
    SELECT id, number FROM latest
    WHERE id <> ALL ($5::uuid[]) AND lower(title) LIKE ALL ($6::text[]) AND {_IN_TITLE}
),
titles AS MATERIALIZED (
    SELECT id, number, organisation = $1 AND process = ANY ($2::text[]) AS readable FROM activities
    WHERE (SELECT count(*) FROM newest) < $4::int AND {_IN_TITLE}
    LIMIT $7::int
),
titled AS MATERIALIZED (
    SELECT id, number FROM newest
    UNION
    SELECT id, number FROM titles WHERE readable AND id <> ALL ($5::uuid[])
    ORDER BY number DESC LIMIT $4::int
)"""  # noqa: S608 - our own text
# Of contacts that were merged, each stands for all (CT-20).
_OF_CONTACTS = f"""
people AS MATERIALIZED (
    SELECT id, merged_into, organisation = $1 AS ours FROM contacts
    WHERE (SELECT count(*) FROM titled) < $4::int AND {_IN_CONTACT}
    LIMIT $7::int
),
known AS MATERIALIZED (
    SELECT DISTINCT same.id FROM people
    CROSS JOIN LATERAL (
        SELECT coalesce(people.merged_into, people.id)
        UNION ALL
        SELECT was.id FROM contacts AS was
        WHERE was.organisation = $1 AND was.merged_into = coalesce(people.merged_into, people.id)
    ) AS same (id)
    WHERE people.ours AND EXISTS (
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
    SELECT id, at, organisation = $1 AS ours FROM mails
    WHERE (SELECT count(*) FROM titled) + (SELECT count(*) FROM of_contacts) < $4::int AND {_IN_MAIL}
    LIMIT $7::int
),
of_mails AS MATERIALIZED (
    SELECT DISTINCT id, number FROM (
        SELECT activities.id, activities.number
        FROM (SELECT id FROM mailed WHERE ours ORDER BY at DESC) AS followed
        JOIN activity_mails AS stands ON stands.organisation = $1 AND stands.mail = followed.id
        JOIN activities ON activities.organisation = $1 AND activities.id = stands.activity
        WHERE activities.process = ANY ($2::text[]) AND activities.id <> ALL ($5::uuid[])
            AND activities.id <> ALL (ARRAY (SELECT id FROM titled UNION ALL SELECT id FROM of_contacts))
        LIMIT $8::int
    ) AS readable
    ORDER BY number DESC LIMIT $4::int
)"""  # noqa: S608 - our own text
# There is always a row, which says how many matches were looked through, in whatever processes.
_BY_WORDS = f"""
WITH {_TITLED}, {_OF_CONTACTS}, {_OF_MAILS}
SELECT activities.*, hit.matched, matching.looked
FROM (
    SELECT greatest(
        (SELECT count(*) FROM titles), (SELECT count(*) FROM people), (SELECT count(*) FROM mailed))
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
    letters = [f"%{run}%" for word in words for run in _LETTERS.findall(word)]
    about = (_query(words), wanted, list(numbered), letters)
    for look in LOOKS if words and wanted else ():
        await connection.fetchrow(_BOUNDED, str(look.part * len(letters)))
        mails = look.mails and look.mails * wanted
        rows = await connection.fetch(_BY_WORDS, *asked, *about, look.most, mails)
        found = [Found(row, row["matched"]) for row in rows if row["matched"]]
        if len(found) == wanted or _was_all(look, rows[0]["looked"], len(letters)):
            break
    return [*numbered.values(), *found]


def _was_all(look: Look, looked: int, words: int) -> bool:
    """Whether nothing matches but what was looked through.

    Of a part, that is known of one word alone: the matches of each are thinned out by themselves, so that of
    what matches several any may be missing.
    """
    if look.part:
        return words == 1 and looked < _FEW
    return look.most is None or looked < look.most


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
    return [word for word in _WORD.findall(text.lower()) if len(word) >= SHORTEST][:MOST_WORDS]


def _query(words: list[str]) -> str:
    """Every word has to be the beginning of one there."""
    return " & ".join(f"'{word}':*" for word in words)
