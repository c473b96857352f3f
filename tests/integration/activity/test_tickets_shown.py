"""Tickets over HTTP: what is shown to whom, and in which language (design §7, AMB-34)."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx

from services.activity.store_mails import by_id, update
from shared.blobs import BlobStore
from shared.contracts.mail import Attachment
from shared.postgres import transaction
from tests.support.front_desk import TICKET, Caller
from tests.support.office import ACME, Office, received


async def test_a_ticket_is_shown_whole_to_whoever_may_see_its_process(ticket: str, amelie: Caller) -> None:
    answer = await amelie.get(TICKET)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert answer.headers["ETag"] == f'"{shown["version"]}"'
    assert (shown["reference"], shown["status"], shown["process"]) == (ticket, "to_do", "Process request")
    assert {contact["tag"] for contact in shown["contacts"]} >= {"primary_contact", "requester"}
    assert shown["description"] == "Text of one@harbour.test"


async def test_everybody_else_sees_header_data_only(ticket: str, clara: Caller) -> None:
    """AMB-34."""
    shown = (await clara.get(TICKET)).json()
    assert shown == {
        "reference": ticket,
        "kind": "ticket",
        "title": "My printer",
        "status": "to_do",
        "status_label": "To Do",
        "process": "Process request",
        "assignee": None,
        "queue": "desk",
        "due": {
            "at": None,
            "state": "not_set",
            "by_hand": False,
            "paused": None,
            "left_seconds": None,
            "sentence": None,
        },
        "permitted": False,
    }
    assert (await clara.get(f"{TICKET}/timeline")).status_code == 403
    assert (await clara.get(f"{TICKET}/steps")).status_code == 403
    refused = await clara.step("pick_up")
    assert refused.status_code == 403
    assert refused.json()["missing"] == ["process:request"]


async def test_another_organisation_sees_nothing(ticket: str, client: httpx.AsyncClient) -> None:
    eve = Caller(client, "amelie@elsewhere")
    assert (await eve.get(TICKET)).status_code == 404
    assert (await eve.get("/v1/tickets")).status_code == 404
    assert (await eve.step("pick_up")).status_code == 404


async def test_lists_are_filtered_and_paged_newest_first(
    office: Office, amelie: Caller, clara: Caller
) -> None:
    for number in range(5):
        await office.take_in(received(message_id=f"{number}@harbour.test", sender=f"c{number}@harbour.test"))
    await amelie.step("pick_up")
    first = (await amelie.get("/v1/tickets?limit=3")).json()
    rest = (await amelie.get(f"/v1/tickets?limit=3&after={first['next']}")).json()
    seen = [item["reference"] for item in (*first["items"], *rest["items"])]
    assert seen == [f"10000{number}-T" for number in (5, 4, 3, 2, 1)]
    assert rest["next"] is None

    async def found(caller: Caller, query: str) -> list[str]:
        return [item["reference"] for item in (await caller.get(f"/v1/tickets?{query}")).json()["items"]]

    assert await found(amelie, "assignee=amelie") == ["100001-T"]
    assert await found(amelie, "status=in_progress") == ["100001-T"]
    assert await found(amelie, "contact=C3@harbour.test") == ["100004-T"]
    assert await found(amelie, "queue=desk&process=invoice") == []
    # What only a permitted caller may know is no filter for others.
    assert await found(clara, "contact=c3@harbour.test") == []
    assert len(await found(clara, "queue=desk")) == 5
    assert (await amelie.get("/v1/tickets?after=nonsense")).status_code == 400


async def test_the_timeline_shows_mails_notes_and_status_changes(ticket: str, amelie: Caller) -> None:
    """ST-16."""
    await amelie.step("pick_up")
    await amelie.step("note", text="Called her")
    entries = (await amelie.get(f"{TICKET}/timeline")).json()["items"]
    assert [entry["version"] for entry in entries] == sorted((e["version"] for e in entries), reverse=True)
    by_type = {entry["type"]: entry for entry in entries}
    assert by_type["ticket.noted"]["note"] == "Called her"
    assert by_type["ticket.noted"]["actor"] == {"kind": "user", "id": "amelie"}
    opened = by_type["ticket.opened"]["mail"]
    assert opened["sender"]["address"] == "Carla.Customer@harbour.test"
    assert (opened["direction"], opened["text"]) == ("in", "Text of one@harbour.test")
    change = by_type["ticket.status_changed"]
    assert (change["was"], change["status"], change["reason"]) == (
        "to_do",
        "in_progress",
        "updated_by_resource",
    )
    asked = by_type["ticket.mail_requested"]["mail"]
    assert (asked["direction"], asked["purpose"], asked["outcome"]) == ("out", "acknowledgement", "requested")


async def test_files_and_html_of_mails_cannot_act(
    ticket: str, office: Office, amelie: Caller, clara: Caller, tmp_path: Path
) -> None:
    blobs = BlobStore(f"file://{tmp_path}", "ingest")
    html = await blobs.put(ACME, b"<p>Hello</p>", "text/html")
    file = await blobs.put(ACME, b"%PDF", "text/html; charset=x", '../r\xe9sum\xe9".pdf')
    (id_,) = await office.mails(ticket)
    async with transaction(office.pool) as connection:
        (mail,) = await by_id(connection, {(ACME, id_)})
        content = mail.content.model_copy(update={"html": html, "attachments": (Attachment(blob=file),)})
        await update(connection, {mail.key: mail}, [replace(mail, content=content)])
    shown = await amelie.get(f"{TICKET}/mails/{id_}/html")
    assert (shown.status_code, shown.text) == (200, "<p>Hello</p>")
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    saved = await amelie.get(f"{TICKET}/mails/{id_}/attachments/0")
    assert saved.content == b"%PDF"
    assert saved.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "/" not in saved.headers["Content-Disposition"]
    assert saved.headers["Content-Type"] == "application/octet-stream"
    assert saved.headers["X-Content-Type-Options"] == "nosniff"
    assert (await amelie.get(f"{TICKET}/mails/{id_}/attachments/1")).status_code == 404
    assert (await amelie.get(f"{TICKET}/mails/{uuid4()}/html")).status_code == 404
    assert (await clara.get(f"{TICKET}/mails/{id_}/html")).status_code == 403


async def test_labels_come_in_the_readers_language(ticket: str, amelie: Caller) -> None:
    """AMB-2."""
    french = {"Accept-Language": "fr-BE, en;q=0.5"}
    assert (await amelie.get(TICKET, **french)).json()["status_label"] == "À faire"
