"""What the seed has PostgreSQL do: Tickets stamped out of stories in the server, a statement for each table.

`lives` are the Tickets to be made, a row each. `told_…` hold the rows that the stores have written of each
story, with marks in place of what differs (stories.py). Chance is drawn from numbers, so the same ones come
out the same.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from services.activity.store_activity_rows import NAMES
from services.activity.store_history import HistoryRow
from tests.bench.stories import ACTIVITY, BEGAN, CONTACT, EFFECT, MAIL, REFERENCE, SOMEBODY

TOLD: Mapping[str, str] = MappingProxyType(
    {"activities": "id", "timers": "activity", "activity_contacts": "activity", "mails": "id"}
)
"""Tables whose rows of each story the stores write, to be taken away again, and whose id tells them."""

PREPARE = """
-- Of a number, below another one; the salt says for what it is drawn.
CREATE FUNCTION pg_temp.chance(number bigint, salt int, below int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN ((hashint8extended(number, salt) & 9223372036854775807) % below)::int;
-- Of version 7's layout, as all ids are: those of one time stand side by side in an index.
CREATE FUNCTION pg_temp.id_at(at timestamptz, what text) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
    || '7' || substr(md5(what), 1, 3) || '8' || substr(md5(what), 4, 15))::uuid;
CREATE TEMP TABLE words (id int PRIMARY KEY, text text) ON COMMIT DROP;
CREATE TEMP TABLE phrases (id int PRIMARY KEY, text text) ON COMMIT DROP;
CREATE TEMP TABLE texts (id int PRIMARY KEY, text text) ON COMMIT DROP;
CREATE TEMP TABLE draws (story uuid, lane int, open boolean, low int, high int) ON COMMIT DROP;
CREATE TEMP TABLE told_history (LIKE history) ON COMMIT DROP;
CREATE TEMP TABLE lives (
    number bigint, story uuid, began timestamptz, "user" text, id uuid, reference text, conversation text,
    contact uuid, address text, name text, title text, description text
) ON COMMIT DROP;
""" + "".join(f"CREATE TEMP TABLE told_{table} (LIKE {table}) ON COMMIT DROP;\n" for table in TOLD)

TAKE_AWAY = (
    *(
        f"INSERT INTO told_{table} SELECT * FROM {table} WHERE {id_} = ANY ($1)"
        for table, id_ in TOLD.items()
    ),
    *(f"DELETE FROM {table} WHERE {id_} = ANY ($1)" for table, id_ in {**TOLD, "families": "id"}.items()),
)
"""$1 are the ids of stories, and of the mails."""
NOTED = """
ALTER TABLE told_history ADD COLUMN noted int;
UPDATE told_history AS told SET noted = (
    SELECT max(version) FROM told_history AS earlier
    WHERE earlier.activity = told.activity AND earlier.note IS NOT NULL AND earlier.version <= told.version);
ALTER TABLE told_activities ADD COLUMN noted int;
UPDATE told_activities SET noted = (
    SELECT max(noted) FROM told_history WHERE told_history.activity = told_activities.id);
ANALYZE words, phrases, texts, draws, told_history, told_activities;
"""
"""With the version of the note that was the newest one by then."""

# $1 organisation, $2 now, $3 the first number, $4 how many, $5 how many words
CONTACTS = """
INSERT INTO contacts (organisation, id, address, first_name, last_name, auto_created)
SELECT $1, pg_temp.id_at($2, 'contact/' || number), one.text || '.' || number || '@customers.test',
    initcap(one.text), initcap(other.text), true
FROM generate_series($3::bigint, $3::bigint + $4::int - 1) AS number
JOIN words AS one ON one.id = number % $5::int
JOIN words AS other ON other.id = (number * 7 + 3) % $5::int
"""
# $1 organisation, $2 now, $3 and $4 the numbers of this page, $5 the first of all, $6 how many and $7 of them
# open, $8 over how many days, $9 processes, $10 contacts, $11 users, $12 phrases, $13 texts; those that come
# behind the others live the story $14.
LIVES = """
INSERT INTO lives (number, story, began, "user", id, reference, conversation, contact, address, name, title,
    description)
SELECT made.number, made.story, made.began, made."user", pg_temp.id_at(made.began, 'ticket/' || made.number),
    made.number || '-T', lpad(to_hex(made.number), 16, '0'),
    contacts.id, contacts.address, contacts.first_name || ' ' || contacts.last_name,
    upper(left(one.text, 1)) || substr(one.text, 2) || ' ' || other.text || ' '
        || lpad(made.number::text, 6, '0'),
    former.text || ' ' || latter.text
FROM (
    SELECT drawn.number, coalesce(draws.story, $14::uuid) AS story,
        $2::timestamptz - make_interval(secs => pg_temp.chance(drawn.number, 1, $8::int * 86400)) AS began,
        ($11::text[])[1 + pg_temp.chance(drawn.number, 2, cardinality($11::text[]))] AS "user"
    FROM (
        SELECT number, number < $5::bigint + $6::int AS drawn, (number % $9::int)::int AS lane,
            pg_temp.chance(number, 3, $6::int) < $7::int AS open, pg_temp.chance(number, 4, 100) AS draw
        FROM generate_series($3::bigint, $4::bigint - 1) AS number
    ) AS drawn
    LEFT JOIN draws ON drawn.drawn AND draws.lane = drawn.lane AND draws.open = drawn.open
        AND drawn.draw >= draws.low AND drawn.draw < draws.high
) AS made
JOIN contacts ON contacts.organisation = $1
    AND contacts.id = pg_temp.id_at($2, 'contact/' || ($5::bigint + pg_temp.chance(made.number, 5, $10::int)))
JOIN phrases AS one ON one.id = pg_temp.chance(made.number, 6, $12::int)
JOIN phrases AS other ON other.id = pg_temp.chance(made.number, 7, $12::int)
JOIN texts AS former ON former.id = pg_temp.chance(made.number, 8, $13::int)
JOIN texts AS latter ON latter.id = pg_temp.chance(made.number, 9, $13::int)
"""
INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = current_schema()::regnamespace AND NOT indisunique AND relkind = 'r'
ORDER BY indrelid, indexrelid
"""


MAIL_NAMES = (
    *(
        "organisation",
        "id",
        "direction",
        "message_id",
        "references",
        "conversation",
        "mailbox",
        "at",
        "sender",
    ),
    *("recipients", "content", "automatic", "purpose", "outcome", "delivery", "doubts"),
)


def _mail(version: str) -> str:
    """The id of a life's mail that came in, or was asked for, with a version."""
    return f"pg_temp.id_at(lives.began, 'mail/' || lives.number || '/' || {version})"


def _note(version: str) -> str:
    return f"pg_temp.id_at(lives.began, 'note/' || lives.number || '/' || {version})"


def _marked(text: str, effect: str, mail: str = _mail("1")) -> str:
    """A text with a life's own in place of the marks."""
    for mark, own in (
        (ACTIVITY, "lives.id::text"),
        (REFERENCE, "lives.reference"),
        (CONTACT, "lives.contact::text"),
        (SOMEBODY, 'lives."user"'),
        (MAIL, f"{mail}::text"),
        (EFFECT, effect),
    ):
        text = f"replace({text}, '{mark}', {own})"
    return text


def _insert(table: str, names: Iterable[str], own: Mapping[str, str], source: str) -> str:
    """Rows like those told, but for what is a life's own."""
    columns = [f'"{name}"' for name in names]
    values = [own.get(name, f'told."{name}"') for name in names]
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source}"


_NEWEST_NOTE = f"coalesce({_note('told.noted')}::text, '')"
_TOLD = "lives JOIN told_{} AS told ON told.{} = lives.story"
_ACTIVITY = {
    "id": "lives.id",
    "family": "lives.id",
    "number": "lives.number",
    "reference": "lives.reference",
    "title": "lives.title",
    "description": "lives.description",
    "conversation": "lives.conversation",
    "created_at": "lives.began",
    "opening_mail": _mail("1"),
    **{name: _marked(f"told.{name}", "''") for name in ("assignee", "owner", "keep_with_me", "last_updater")},
    **{
        name: f"{_marked(f'told.{name}::text', _NEWEST_NOTE)}::jsonb"
        for name in ("first_resolution", "resolution", "written", "previous")
    },
}
_HISTORY = {
    "activity": "lives.id",
    "at": f"told.at + (lives.began - '{BEGAN.isoformat()}')",
    "actor": _marked("told.actor", "''"),
    "mail": f"CASE WHEN told.mail IS NOT NULL THEN {_mail('told.version')} END",
    "note": f"CASE WHEN told.note IS NOT NULL THEN {_note('told.version')} END",
    "event": "{}::jsonb".format(
        _marked(
            "told.event::text",
            f"CASE WHEN told.mail IS NULL THEN {_NEWEST_NOTE} ELSE {_mail('told.version')}::text END",
            _mail("told.version"),
        )
    ),
}
_OUT = "event.type = 'ticket.mail_requested'"
_MAILS = {
    "id": _mail("event.version"),
    "conversation": "lives.conversation",
    "message_id": f"{_mail('event.version')} || CASE WHEN {_OUT} THEN '@us.test' ELSE '@customers.test' END",
    "references": f"CASE WHEN {_OUT} THEN jsonb_build_array({_mail('1')} || '@customers.test') ELSE '[]' END",
    "at": _HISTORY["at"].replace("told", "event"),
    "sender": "told.sender || jsonb_build_object('address', lives.address, 'name', lives.name)",
    "recipients": f"""CASE WHEN {_OUT} THEN told.recipients || jsonb_build_object('to', jsonb_build_array(
        jsonb_build_object('address', lives.address, 'name', lives.name))) ELSE told.recipients END""",
    "content": f"""CASE WHEN {_OUT} THEN told.content ELSE told.content || jsonb_build_object(
        'subject', lives.title, 'text', former.text || ' ' || latter.text) END""",
}
_BY_ID = "lives JOIN told_activities AS told ON told.id = lives.story"
_EVENTS = "lives JOIN told_history AS told ON told.activity = lives.story"
_MAIL_EVENTS = "lives JOIN told_history AS event ON event.activity = lives.story AND event.mail IS NOT NULL"

STAMP = (
    (_insert("families", ("organisation", "id"), {"id": "lives.id"}, _BY_ID), ""),
    (_insert("activities", NAMES, _ACTIVITY, _BY_ID), ""),
    (
        _insert(
            "timers",
            ("organisation", "activity", "generation", "due_at", "closes", "mailbox"),
            {"activity": "lives.id"},
            "lives JOIN told_timers AS told ON told.activity = lives.story",
        ),
        "",
    ),
    (
        _insert(
            "activity_contacts",
            ("organisation", "activity", "tag", "contact"),
            {"activity": "lives.id", "contact": "lives.contact"},
            "lives JOIN told_activity_contacts AS told ON told.activity = lives.story",
        ),
        "",
    ),
    (
        _insert(
            "mails",
            MAIL_NAMES,
            _MAILS,
            f"""{_MAIL_EVENTS} JOIN told_mails AS told ON (told.direction = 'out') = ({_OUT})
        JOIN texts AS former ON former.id = pg_temp.chance(lives.number + event.version, 8, $1::int)
        JOIN texts AS latter ON latter.id = pg_temp.chance(lives.number + event.version, 9, $1::int)""",
        ),
        "texts",
    ),
    (
        _insert(
            "activity_mails",
            ("organisation", "activity", "mail", "mailbox"),
            {"activity": "lives.id", "mail": _mail("event.version")},
            f"{_MAIL_EVENTS} JOIN told_mails AS told ON told.direction = 'in'",
        ),
        "",
    ),
    (
        _insert(
            "correspondents",
            ("organisation", "activity", "address", "mailbox"),
            {"activity": "lives.id", "address": "one.address", "mailbox": "one.mailbox"},
            f"""{_BY_ID} CROSS JOIN LATERAL (VALUES (lives.address, NULL), ($1::text, told.mailbox))
        AS one (address, mailbox)""",
        ),
        "address",
    ),
    (
        _insert(
            "effects",
            ("organisation", "mail", "target"),
            {"mail": _mail("event.version"), "target": "$1::text"},
            f"""{_MAIL_EVENTS} AND NOT ({_OUT}) JOIN told_mails AS told ON told.direction = 'in'""",
        ),
        "address",
    ),
    (
        _insert(
            "notes",
            ("organisation", "id", "activity", "text"),
            {"activity": "lives.id", "id": _note("told.version"), "text": "'Looked at it.'"},
            f"{_EVENTS} AND told.note IS NOT NULL",
        ),
        "",
    ),
    (_insert("history", HistoryRow._fields, _HISTORY, _EVENTS), ""),
)
"""A statement for each table, history last, with what it takes as $1: see `Seed.page`."""
