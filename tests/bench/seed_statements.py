"""What the seed has PostgreSQL do: Tickets stamped out of stories in the server, a statement for each table.

`lives` are the Tickets to be made, a row each. `told_…` hold the rows that the stores have written of each
story, with marks in place of what differs (stories.py). Chance is drawn from numbers, so the same ones come
out the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.activity.store_activity_rows import NAMES
from services.activity.store_history import HistoryRow
from tests.bench.stories import ACTIVITY, BEGAN, CONTACT, EFFECT, MAIL, REFERENCE, SOMEBODY

TOLD: Mapping[str, str] = MappingProxyType(
    {"activities": "id", "timers": "activity", "activity_contacts": "activity", "mails": "id"}
)
"""Tables whose rows of each story the stores write, to be taken away again, and whose id tells them."""
_MARKS = (ACTIVITY, REFERENCE, CONTACT, SOMEBODY, MAIL, EFFECT)
_JSON = ("first_resolution", "resolution", "written", "previous")


def _template(told: str) -> str:
    """A text as `format` takes it, with its marks in their order."""
    text = f"replace({told}, '%', '%%')"
    for number, mark in enumerate(_MARKS, start=1):
        text = f"replace({text}, '{mark}', '%{number}$s')"
    return text


# Functions use each argument once: then PostgreSQL puts what they do where they are called.
PREPARE = f"""
SET work_mem = '128MB';
SET temp_buffers = '128MB';
-- Of a number, below another one; the salt says for what it is drawn.
CREATE FUNCTION pg_temp.chance(number bigint, salt int, below int) RETURNS int LANGUAGE sql IMMUTABLE
RETURN ((hashint8extended(number, salt) & 9223372036854775807) % below)::int;
-- Of version 7's layout, as all ids are: those of one time stand side by side in an index. That time is how
-- they begin.
CREATE FUNCTION pg_temp.beginning(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE
RETURN lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7';
CREATE FUNCTION pg_temp.id_of(beginning text, what text) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN (beginning || overlay(left(md5(what), 18) PLACING '8' FROM 4 FOR 0))::uuid;
CREATE FUNCTION pg_temp.template(told text) RETURNS text LANGUAGE sql IMMUTABLE RETURN {_template("told")};
CREATE TEMP TABLE words (id int PRIMARY KEY, text text);
CREATE TEMP TABLE phrases (id int PRIMARY KEY, text text);
CREATE TEMP TABLE texts (id int PRIMARY KEY, text text);
CREATE TEMP TABLE draws (story uuid, lane int, open boolean, low int, high int);
CREATE TEMP TABLE people (number bigint, id uuid, address text, first_name text, last_name text);
CREATE TEMP TABLE told_history (LIKE history);
CREATE TEMP TABLE lives (
    number bigint, story uuid, began timestamptz, "user" text, id uuid, reference text, conversation text,
    contact uuid, address text, name text, title text, description text, beginning text, mail uuid
);
""" + "".join(f"CREATE TEMP TABLE told_{table} (LIKE {table});\n" for table in TOLD)

TAKE_AWAY = (
    *(
        f"INSERT INTO told_{table} SELECT * FROM {table} WHERE {id_} = ANY ($1)"
        for table, id_ in TOLD.items()
    ),
    *(f"DELETE FROM {table} WHERE {id_} = ANY ($1)" for table, id_ in {**TOLD, "families": "id"}.items()),
)
"""$1 are the ids of stories, and of the mails."""
NOTED = f"""
ALTER TABLE told_history ALTER event TYPE text USING pg_temp.template(event::text), ADD COLUMN noted int;
UPDATE told_history AS told SET noted = (
    SELECT max(version) FROM told_history AS earlier
    WHERE earlier.activity = told.activity AND earlier.note IS NOT NULL AND earlier.version <= told.version);
ALTER TABLE told_activities ADD COLUMN noted int,
    {", ".join(f"ALTER {name} TYPE text USING pg_temp.template({name}::text)" for name in _JSON)};
UPDATE told_activities SET noted = (
    SELECT max(noted) FROM told_history WHERE told_history.activity = told_activities.id);
ANALYZE words, phrases, texts, draws, told_history, told_activities;
"""
"""With the version of the note that was the newest one by then."""

# $1 now, $2 the first number, $3 how many, $4 how many words
PEOPLE = """
INSERT INTO people (number, id, address, first_name, last_name)
SELECT number, pg_temp.id_of(pg_temp.beginning($1), 'contact/' || number),
    one.text || '.' || number || '@customers.test', initcap(one.text), initcap(other.text)
FROM generate_series($2::bigint, $2::bigint + $3::int - 1) AS number
JOIN words AS one ON one.id = number % $4::int
JOIN words AS other ON other.id = (number * 7 + 3) % $4::int
"""
# $1 now, $2 and $3 the numbers of this page, $4 the first of all, $5 how many and $6 of them open, $7 over
# how many days, $8 processes, $9 contacts, $10 users, $11 phrases, $12 texts; those that come behind the
# others live the story $13.
LIVES = """
INSERT INTO lives (number, story, began, "user", id, reference, conversation, contact, address, name, title,
    description, beginning, mail)
SELECT made.number, made.story, made.began, made."user",
    pg_temp.id_of(made.beginning, 'ticket/' || made.number),
    made.number || '-T', lpad(to_hex(made.number), 16, '0'),
    people.id, people.address, people.first_name || ' ' || people.last_name,
    upper(left(one.text, 1)) || substr(one.text, 2) || ' ' || other.text || ' '
        || lpad(made.number::text, 6, '0'),
    former.text || ' ' || latter.text, made.beginning,
    pg_temp.id_of(made.beginning, 'mail/' || made.number || '/1')
FROM (
    SELECT drawn.number, coalesce(draws.story, $13::uuid) AS story, drawn.began,
        pg_temp.beginning(drawn.began) AS beginning,
        ($10::text[])[1 + pg_temp.chance(drawn.number, 2, cardinality($10::text[]))] AS "user"
    FROM (
        SELECT number, number < $4::bigint + $5::int AS drawn, (number % $8::int)::int AS lane,
            pg_temp.chance(number, 3, $5::int) < $6::int AS open, pg_temp.chance(number, 4, 100) AS draw,
            $1::timestamptz - make_interval(secs => pg_temp.chance(number, 1, $7::int * 86400)) AS began
        FROM generate_series($2::bigint, $3::bigint - 1) AS number
    ) AS drawn
    LEFT JOIN draws ON drawn.drawn AND draws.lane = drawn.lane AND draws.open = drawn.open
        AND drawn.draw >= draws.low AND drawn.draw < draws.high
) AS made
JOIN people ON people.number = $4::bigint + pg_temp.chance(made.number, 5, $9::int)
JOIN phrases AS one ON one.id = pg_temp.chance(made.number, 6, $11::int)
JOIN phrases AS other ON other.id = pg_temp.chance(made.number, 7, $11::int)
JOIN texts AS former ON former.id = pg_temp.chance(made.number, 8, $12::int)
JOIN texts AS latter ON latter.id = pg_temp.chance(made.number, 9, $12::int)
"""


@dataclass(frozen=True)
class Stamped:
    """What a table gets of the lives of a page: a query, with the columns. `about` is what it takes as $1."""

    table: str
    names: tuple[str, ...]
    select: str
    about: str = ""


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
    return f"pg_temp.id_of(lives.beginning, 'mail/' || lives.number || '/' || {version})"


def _note(version: str) -> str:
    return f"pg_temp.id_of(lives.beginning, 'note/' || lives.number || '/' || {version})"


def _filled(template: str, mail: str, effect: str) -> str:
    """A text with a life's own in place of the marks."""
    own = ("lives.id", "lives.reference", "lives.contact", 'lives."user"', mail, effect)
    return f"format({template}, {', '.join(own)})"


def _once(values: str) -> str:
    """Joins what is used more than once, so that it is made once."""
    return f"CROSS JOIN LATERAL (SELECT {values} OFFSET 0) AS own"


def _stamped(
    table: str, names: Iterable[str], own: Mapping[str, str], source: str, about: str = ""
) -> Stamped:
    """Rows like those told, but for what is a life's own."""
    columns = tuple(names)
    values = [own.get(name, f'told."{name}"') for name in columns]
    return Stamped(table, columns, f"SELECT {', '.join(values)} FROM {source}", about)


_ACTIVITY = {
    "id": "lives.id",
    "family": "lives.id",
    "number": "lives.number",
    "reference": "lives.reference",
    "title": "lives.title",
    "description": "lives.description",
    "conversation": "lives.conversation",
    "created_at": "lives.began",
    "opening_mail": "lives.mail",
    **{
        name: f"""replace(told.{name}, '{SOMEBODY}', lives."user")"""
        for name in ("assignee", "owner", "keep_with_me", "last_updater")
    },
    **{name: _filled(f"told.{name}", "lives.mail", "own.noted") for name in _JSON},
}
_NEWEST_NOTE = f"CASE WHEN told.noted IS NOT NULL THEN {_note('told.noted')} END"
_OWN_MAIL = f"CASE WHEN told.mail IS NOT NULL THEN {_mail('told.version')} END"
_HISTORY = {
    "activity": "lives.id",
    "at": f"told.at + (lives.began - '{BEGAN.isoformat()}')",
    "actor": f"""replace(told.actor, '{SOMEBODY}', lives."user")""",
    "mail": "own.mail",
    "note": "CASE WHEN told.note IS NOT NULL THEN own.noted END",
    "event": _filled("told.event", "own.mail", "coalesce(own.mail, own.noted)"),
}
_OUT = "event.type = 'ticket.mail_requested'"
_MAILS = {
    "id": "own.id",
    "conversation": "lives.conversation",
    "message_id": f"own.id || CASE WHEN {_OUT} THEN '@us.test' ELSE '@customers.test' END",
    "references": f"CASE WHEN {_OUT} THEN jsonb_build_array(lives.mail || '@customers.test') ELSE '[]' END",
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

CONTACTS = Stamped(
    "contacts",
    ("organisation", "id", "address", "first_name", "last_name", "auto_created"),
    "SELECT $1::text, id, address, first_name, last_name, true FROM people",
)
STAMP = (
    _stamped("families", ("organisation", "id"), {"id": "lives.id"}, _BY_ID),
    _stamped(
        "activities",
        NAMES,
        _ACTIVITY,
        f"{_BY_ID} {_once(f'{_NEWEST_NOTE} AS noted')}",
    ),
    _stamped(
        "timers",
        ("organisation", "activity", "generation", "due_at", "closes", "mailbox"),
        {"activity": "lives.id"},
        "lives JOIN told_timers AS told ON told.activity = lives.story",
    ),
    _stamped(
        "activity_contacts",
        ("organisation", "activity", "tag", "contact"),
        {"activity": "lives.id", "contact": "lives.contact"},
        "lives JOIN told_activity_contacts AS told ON told.activity = lives.story",
    ),
    _stamped(
        "mails",
        MAIL_NAMES,
        _MAILS,
        f"""{_MAIL_EVENTS} JOIN told_mails AS told ON (told.direction = 'out') = ({_OUT})
        JOIN texts AS former ON former.id = pg_temp.chance(lives.number + event.version, 8, $1::int)
        JOIN texts AS latter ON latter.id = pg_temp.chance(lives.number + event.version, 9, $1::int)
        {_once(f"{_mail('event.version')} AS id")}""",
        "texts",
    ),
    _stamped(
        "activity_mails",
        ("organisation", "activity", "mail", "mailbox"),
        {"activity": "lives.id", "mail": _mail("event.version")},
        f"{_MAIL_EVENTS} JOIN told_mails AS told ON told.direction = 'in'",
    ),
    _stamped(
        "correspondents",
        ("organisation", "activity", "address", "mailbox"),
        {"activity": "lives.id", "address": "one.address", "mailbox": "one.mailbox"},
        f"""{_BY_ID} CROSS JOIN LATERAL (VALUES (lives.address, NULL), ($1::text, told.mailbox))
        AS one (address, mailbox)""",
        "address",
    ),
    _stamped(
        "effects",
        ("organisation", "mail", "target"),
        {"mail": _mail("event.version"), "target": "$1::text"},
        f"""{_MAIL_EVENTS} AND NOT ({_OUT}) JOIN told_mails AS told ON told.direction = 'in'""",
        "address",
    ),
    _stamped(
        "notes",
        ("organisation", "id", "activity", "text"),
        {"activity": "lives.id", "id": _note("told.version"), "text": "'Looked at it.'"},
        f"{_EVENTS} AND told.note IS NOT NULL",
    ),
    _stamped(
        "history",
        HistoryRow._fields,
        _HISTORY,
        f"{_EVENTS} {_once(f'{_OWN_MAIL} AS mail, {_NEWEST_NOTE} AS noted')}",
    ),
)
"""A query for each table, history last: see `Stamp.page`."""
FILLED = ("contacts", *(each.table for each in STAMP))
