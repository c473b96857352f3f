"""Search by reference, title, contact and mail, in the processes that the caller may read (AMB-34)."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.activity import store_search
from shared.contracts import activity_requests as asked
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.office import BILLING, HELP, NOON, Office, received

DORA, EVA = "dora.dock@harbour.test", "eva@quay.test"


@pytest.fixture
async def client(office: Office, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    dora = received("Printer on fire", message_id="one@harbour.test", sender=DORA, name="Dora Dock")
    eva = received("Invoice 4711", message_id="two@quay.test", to=(BILLING,), sender=EVA, name="Eva Quay")
    await office.take_in(dora)
    await office.take_in(eva)
    async with connected(front_desk(office, tmp_path)) as client:
        yield client


async def found(client: httpx.AsyncClient, text: str, by: str = "amelie") -> list[tuple[str, str]]:
    answer = await client.get("/v1/search", params={"q": text}, headers={"Authorization": f"Bearer {by}"})
    assert answer.status_code == 200, answer.text
    return [(item["activity"]["reference"], item["matched"]) for item in answer.json()["items"]]


async def test_a_ticket_is_found_by_what_somebody_has_typed_so_far(client: httpx.AsyncClient) -> None:
    one, two = "100001-T", "100002-T"
    assert await found(client, "100001-t") == [(one, "reference")]
    assert await found(client, "1000") == [(two, "reference"), (one, "reference")]
    assert await found(client, "prin") == [(one, "title")]
    assert await found(client, "FIRE print") == [(one, "title")]
    assert await found(client, "fire invoice") == []
    assert await found(client, "dor doc") == [(one, "contact")]
    assert await found(client, "dora.dock@harb") == [(one, "contact")]
    assert await found(client, "text two") == [(two, "mail")]
    assert await found(client, "4711") == [(two, "title")]


async def test_nothing_is_found_that_the_caller_may_not_read(client: httpx.AsyncClient) -> None:
    """AMB-34."""
    for text in ("100002-T", "invoice", "eva", "text two"):
        assert await found(client, text), text
        assert await found(client, text, by="bruno") == [], text


async def test_words_that_say_nothing_find_nothing_and_break_nothing(client: httpx.AsyncClient) -> None:
    for text in ("a", "' & !", "\\", "😀", "___", "'; DROP TABLE mails", "x" * 200, "a:*|b"):
        assert await found(client, text) == []
    headers = {"Authorization": "Bearer amelie"}
    for text in ("", "   ", "x" * 201, "a\x00b"):
        assert (await client.get("/v1/search", params={"q": text}, headers=headers)).status_code == 422


async def test_a_title_that_was_changed_is_found_by_its_new_words(
    office: Office, client: httpx.AsyncClient
) -> None:
    await office.step(asked.ActivityEdit, "100001-T", title="Scanner is cold")
    assert await found(client, "scanner") == [("100001-T", "title")]
    assert [each for each in await found(client, "printer") if each[1] == "title"] == []


async def test_of_what_matches_the_newest_are_found_however_long_the_others_have_been_there(
    office: Office, client: httpx.AsyncClient
) -> None:
    """Ages of an index (decision 27) are nothing that anybody sees."""
    for number in range(30):
        at = NOON + timedelta(days=9 * number)
        office.clock.set(at)
        mail = received("Scanner", message_id=f"{number}@harbour.test", conversation=f"{number:016x}", at=at)
        await office.take_in(mail)
    newest = [(f"{number}-T", "title") for number in range(100032, 100002, -1)]
    assert await found(client, "scan") == newest[:20]
    assert await found(client, "printer") == [("100001-T", "title")]
    assert await found(client, "fire") == [("100001-T", "title")]


async def test_words_without_an_end_can_be_searched_and_harm_nothing(
    office: Office, client: httpx.AsyncClient
) -> None:
    """PostgreSQL refuses words of more than 2047 octets where they are made one by one."""
    words = ("w" * 2046, "ŵ" * 1023, "😀w" * 700, "w" * 5000, "w' 'w\\ " * 400, " ", "")
    for number, word in enumerate(words):
        mail = received(word[:900], message_id=f"{number}@x.test", conversation=f"{number:016x}")
        content = mail.message.content.model_copy(update={"text": f"Endless {word}"})
        message = mail.message.model_copy(update={"content": content})
        await office.take_in(dataclasses.replace(mail, message=message))
    assert len([each for each in await found(client, "endless") if each[1] == "mail"]) == len(words)
    assert await found(client, "wwwww")


async def test_who_works_on_nothing_is_turned_away(client: httpx.AsyncClient) -> None:
    assert (await Caller(client, "stranger").get("/v1/search?q=printer")).status_code == 403


async def test_what_one_may_not_read_crowds_out_nothing(office: Office, client: httpx.AsyncClient) -> None:
    """AMB-34: however many match that are somebody else's, titles, contacts and mails alike."""
    for number in range(60):
        sender = f"crowd{number}@quay.test"
        await office.take_in(
            received("Invoice", message_id=f"{sender}", to=(BILLING,), sender=sender, name="Cora Crowd")
        )
    await office.take_in(
        received(
            "Hello",
            message_id="last@x.test",
            sender="cora@crowd.test",
            name="Cora Crowd",
            conversation="0" * 16,
        )
    )
    mine = (await office.tickets())[-1]["reference"]
    assert await found(client, "crowd", by="bruno") == [(mine, "contact")]
    assert len(await found(client, "crowd")) == 20


async def test_a_contact_is_found_by_all_his_tickets_that_one_may_read(
    office: Office, client: httpx.AsyncClient
) -> None:
    """AMB-34: he stands on each with several tags, and on many newer ones that are somebody else's."""
    for number in range(33):
        mail = received(
            "Hello",
            message_id=f"{number}@harbour.test",
            to=(HELP if number < 8 else BILLING,),
            sender=DORA,
            name="Dora Dock",
            conversation=f"{number:016x}",
        )
        await office.take_in(mail)
    mine = [f"{number}-T" for number in (*range(100010, 100002, -1), 100001)]
    assert await found(client, "dora dock", by="bruno") == [(each, "contact") for each in mine]


async def test_a_ticket_with_very_many_mails_crowds_out_no_other(
    office: Office, client: httpx.AsyncClient
) -> None:
    await office.pool.execute(
        """
        WITH written AS (
            INSERT INTO mails (organisation, id, direction, "references", conversation, mailbox, at,
                recipients, content, doubts)
            SELECT 'acme', uuidv7(), 'in', '[]', repeat('0', 16), 'billing', now(), '{}',
                '{"subject": "Text", "text": "Text"}', '[]' FROM generate_series(1, 500)
            RETURNING id
        )
        INSERT INTO activity_mails (organisation, activity, mail, mailbox)
        SELECT 'acme', activities.id, written.id, 'billing' FROM written, activities WHERE number = 100002
        """
    )
    assert await found(client, "text") == [("100002-T", "mail"), ("100001-T", "mail")]


@pytest.mark.parametrize(
    ("fill", "matched"),
    [
        (
            """
            INSERT INTO contacts (organisation, id, address, first_name, last_name, auto_created)
            SELECT 'acme', uuidv7(), 'n' || n || '@x.test', 'Dora', 'Dock', false FROM numbers
            """,
            "contact",
        ),
        (
            """
            INSERT INTO contacts (organisation, id, address, first_name, last_name, auto_created)
            SELECT 'acme', uuidv7(), last_name || n || '@x.test', first_name, last_name, false
            FROM numbers CROSS JOIN (VALUES ('Dora', 'X'), ('X', 'Dock')) AS halves (first_name, last_name)
            """,
            "contact",
        ),
        (
            """
            INSERT INTO mails (organisation, id, direction, "references", conversation, mailbox, at,
                recipients, content, doubts)
            SELECT 'acme', uuidv7(), 'in', '[]', repeat('0', 16), 'help', now(), '{}',
                '{"subject": "Text of one", "text": "Text of one"}', '[]' FROM numbers
            """,
            "mail",
        ),
    ],
    ids=["contacts", "contacts that have one of the words", "mails"],
)
@pytest.mark.parametrize("most", [10_000, 100])
async def test_a_needle_is_found_in_a_haystack_of_others(
    office: Office,
    client: httpx.AsyncClient,
    fill: str,
    matched: str,
    most: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AMB-34: a part of what matches is looked through first, then most of it, and at last all."""
    first, _, last = store_search.LOOKS
    monkeypatch.setattr(store_search, "LOOKS", (first, most, last))
    await office.pool.execute("CREATE TABLE numbers AS SELECT generate_series(1, 5000) AS n")
    await office.pool.execute(fill)
    for table in ("contacts", "mails"):
        await office.pool.execute(f"VACUUM (ANALYZE) {table}")  # into its indexes, too
    typed = {"contact": "dora dock", "mail": "text one"}[matched]
    for _ in range(5):  # which part is taken, is chance
        assert ("100001-T", matched) in await found(client, typed, by="bruno")
