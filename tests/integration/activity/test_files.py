"""Files of a Ticket: put there over HTTP, had, called otherwise, taken away (NT-15, NT-16, NT-20)."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.blobs import BlobStore
from shared.contracts import activity_requests as asked
from tests.support.front_desk import connected, front_desk
from tests.support.office import DEFINITION, Office, received

TICKET = "100001-T"
PLACE = f"/v1/tickets/{TICKET}/files"
PLAN = b"%PDF-1.7 the ground floor"


class Visitor:
    """Somebody at the front desk, with files under his arm."""

    def __init__(self, client: httpx.AsyncClient, name: str = "amelie") -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {name}"}

    def being(self, name: str) -> "Visitor":
        return Visitor(self._client, name)

    async def put(
        self,
        data: Any = PLAN,
        *,
        to: str = PLACE,
        key: str | None = None,
        type_: str = "application/pdf",
        **query: Any,
    ) -> httpx.Response:
        headers = {**self._headers, "Idempotency-Key": key or uuid4().hex}
        headers["Content-Type"] = type_.encode("latin-1")
        return await self._client.post(
            to, content=data, headers=headers, params={"name": "plan.pdf", **query}
        )

    async def get(self, path: str) -> httpx.Response:
        return await self._client.get(path, headers=self._headers)

    async def remove(self, file: str, of: str = PLACE) -> httpx.Response:
        headers = {**self._headers, "Idempotency-Key": uuid4().hex}
        return await self._client.delete(f"{of}/{file}", headers=headers)

    async def files(self, reference: str = TICKET) -> list[dict[str, Any]]:
        shown = await self.get(f"/v1/tickets/{reference}")
        files: list[dict[str, Any]] = shown.json()["files"]
        return files


@pytest.fixture
async def visitor(office: Office, tmp_path: Path) -> AsyncIterator[Visitor]:
    await office.take_in(received(message_id="one@harbour.test"))
    async with connected(front_desk(office, tmp_path)) as client:
        yield Visitor(client)


async def added(visitor: Visitor, **more: Any) -> str:
    answer = await visitor.put(**more)
    assert answer.status_code == 201, answer.text
    file: str = answer.json()["file"]
    return file


async def test_a_file_is_put_on_a_ticket_and_had_from_it(
    office: Office, visitor: Visitor, tmp_path: Path
) -> None:
    """NT-15: the Ticket shows it, its timeline and topic tell of it, and its bytes come back to be saved."""
    answer = await visitor.put(tag=["plan", "floor"])
    assert answer.status_code == 201, answer.text
    file = answer.json()["file"]
    assert answer.headers["Location"] == f"{PLACE}/{file}"
    assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'
    (shown,) = await visitor.files()
    sha256 = hashlib.sha256(PLAN).hexdigest()
    assert shown | {"added": None} == {
        "id": file,
        "name": "plan.pdf",
        "media_type": "application/pdf",
        "size": len(PLAN),
        "sha256": sha256,
        "tags": ["plan", "floor"],
        "added": None,
        "by": {"kind": "user", "id": "amelie"},
        "href": f"{PLACE}/{file}",
    }
    saved = await visitor.get(shown["href"])
    assert saved.content == PLAN
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="plan.pdf"')
    assert saved.headers["X-Content-Type-Options"] == "nosniff"
    assert saved.headers["Content-Type"] == "application/pdf"
    assert saved.headers["Content-Length"] == str(len(PLAN))
    (event,) = await office.said("activity.activities.v1", "ticket.file_added")
    assert (event["rule"], event["file"], event["tags"]) == ("NT-15", file, ["plan", "floor"])
    assert event["blob"]["object"] == f"acme/activity/{sha256}"
    assert event["blob"]["name"] == "plan.pdf"
    timeline = (await visitor.get(f"/v1/tickets/{TICKET}/timeline")).json()["items"]
    assert timeline[0]["type"] == "ticket.file_added"
    assert timeline[0]["details"]["blob"]["name"] == "plan.pdf"
    # It has a place of its own, which others only read.
    assert [each.object async for each in BlobStore(f"file://{tmp_path}", "activity").list("acme")] == [
        f"acme/activity/{sha256}"
    ]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\plans\\plan.pdf", "plan.pdf"),
        ("plan\r\nX: y.pdf", "plan_X_ y.pdf"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("///", "file.pdf"),
        ("Grundriß é.pdf", "Grundriß é.pdf"),
    ],
)
async def test_a_files_name_cannot_leave_its_folder(visitor: Visitor, written: str, kept: str) -> None:
    """NT-15."""
    await added(visitor, name=written)
    (shown,) = await visitor.files()
    assert shown["name"] == kept


async def test_a_media_type_that_is_none_is_some_bytes(visitor: Visitor) -> None:
    await added(visitor, type_="text/html\u00e9; charset=utf-8")
    await added(visitor, type_="Text/HTML; charset=utf-8")
    assert {file["media_type"] for file in await visitor.files()} == {"application/octet-stream", "text/html"}


async def test_a_file_may_be_as_large_as_the_organisation_says(
    office: Office, visitor: Visitor, tmp_path: Path
) -> None:
    """NT-15, AMB-40: inclusive, whether its size was said before or not; nothing is left of more."""
    rules = DEFINITION.rules.model_copy(update={"largest_file_mb": 1})
    await office.configure(DEFINITION.model_copy(update={"rules": rules}), version=2)
    most = bytes(1_048_576)

    async def unsaid(data: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(data), 100_000):
            yield data[at : at + 100_000]

    assert (await visitor.put(most)).status_code == 201
    assert (await visitor.put(unsaid(most))).status_code == 201
    before = await office.written()
    for too_large in (most + b"x", unsaid(most + b"x")):
        answer = await visitor.put(too_large)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "1048576" in answer.json()["detail"]
    assert await office.written() == before
    assert len([each async for each in BlobStore(f"file://{tmp_path}", "activity").list("acme")]) == 1


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"data": b""}, 422, "validation_failed"),
        ({"name": ""}, 422, "validation_failed"),
        ({"name": "x" * 1001}, 422, "validation_failed"),
        ({"name": "a\x00b"}, 422, "validation_failed"),
        ({"tag": ["Not A Word"]}, 422, "validation_failed"),
        ({"to": "/v1/tickets/999999-T/files"}, 404, "not_found"),
    ],
)
async def test_what_is_no_file_is_refused(
    office: Office, visitor: Visitor, given: dict[str, Any], status: int, code: str
) -> None:
    before = await office.written()
    answer = await visitor.put(**given)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await office.written() == before


async def test_an_upload_that_is_repeated_is_one_file(office: Office, visitor: Visitor) -> None:
    """With the same key the first answer comes again, also once it is closed; other bytes are refused."""
    first = await visitor.put(key="k")
    again = await visitor.put(key="k")
    assert again.json() == first.json()
    assert len(await visitor.files()) == 1
    other = await visitor.put(b"other bytes", key="k")
    assert other.json()["code"] == "idempotency_key_reused"
    await office.step(asked.TicketResolve, TICKET, method="rejected_as_spam")
    closed = await visitor.put(key="k")
    assert (closed.status_code, closed.json()) == (201, first.json())


async def test_a_closed_ticket_keeps_its_files_and_gets_no_more(office: Office, visitor: Visitor) -> None:
    """NT-20, T38: and who sends one is told before he has sent it all."""
    file = await added(visitor)
    await office.step(asked.TicketResolve, TICKET, method="rejected_as_spam")
    before = await office.written()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        raise AssertionError("nobody wants to read on")

    for answer in (await visitor.put(endless()), await visitor.remove(file)):
        assert (answer.status_code, answer.json()["reason"]) == (409, "closed")
    edited = await office.step(asked.ActivityEditFile, TICKET, file=file, name="other.pdf")
    assert edited["code"] == "closed"
    assert await office.written() == before
    assert (await visitor.get(f"{PLACE}/{file}")).content == PLAN


async def test_a_file_is_called_otherwise_by_a_request(office: Office, visitor: Visitor) -> None:
    """NT-16: over Kafka like over HTTP; its new name leaves no folder either."""
    file = await added(visitor, tag=["plan"])
    answer = await office.step(asked.ActivityEditFile, TICKET, file=file, name="../ground floor.pdf")
    assert answer["type"] == "request.accepted", answer
    (shown,) = await visitor.files()
    assert (shown["name"], shown["tags"]) == ("ground floor.pdf", ["plan"])
    await office.step(asked.ActivityEditFile, TICKET, file=file, tags=("floor",))
    (shown,) = await visitor.files()
    assert (shown["name"], shown["tags"]) == ("ground floor.pdf", ["floor"])
    assert ("file_edited", "NT-16") in await office.rules(TICKET)


async def test_a_file_is_taken_away_for_good(office: Office, visitor: Visitor) -> None:
    """NT-20: over HTTP and over Kafka; who asks for it again is told that there is none."""
    one, two = await added(visitor), await added(visitor, data=b"another")
    removed = await visitor.remove(one)
    assert (removed.status_code, removed.json()["reference"]) == (200, TICKET)
    assert [file["id"] for file in await visitor.files()] == [two]
    for answer in (await visitor.get(f"{PLACE}/{one}"), await visitor.remove(one)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await office.step(asked.ActivityRemoveFile, TICKET, file=two)
    assert answer["type"] == "request.accepted"
    assert await visitor.files() == []
    assert (await office.step(asked.ActivityRemoveFile, TICKET, file=uuid4()))["code"] == "not_found"
    events = await office.said("activity.activities.v1", "ticket.file_removed")
    assert [(each["file"], each["rule"]) for each in events] == [(one, "NT-20"), (two, "NT-20")]
    doomed = await office.pool.fetch("SELECT object FROM doomed_objects")
    assert {row["object"] for row in doomed} == {event["blob"]["object"] for event in events}


async def test_who_may_not_work_on_it_puts_nothing_there(office: Office, visitor: Visitor) -> None:
    """AMB-34: and sees no file of it."""
    file = await added(visitor)
    before = await office.written()
    stranger = visitor.being("clara")
    for answer in (
        await stranger.put(),
        await stranger.get(f"{PLACE}/{file}"),
        await stranger.remove(file),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "files" not in (await stranger.get(f"/v1/tickets/{TICKET}")).json()
    refused = await office.step(asked.ActivityRemoveFile, TICKET, by="clara", file=file)
    assert refused["code"] == "forbidden"
    assert await office.written() == before


async def test_only_who_works_on_it_takes_a_file_away(office: Office, visitor: Visitor) -> None:
    """NT-20, ST-22: somebody else adds one meanwhile."""
    file = await added(visitor)
    await office.step(asked.ActivityPickUp, TICKET)
    bruno = visitor.being("bruno")
    answer = await bruno.remove(file)
    assert (answer.status_code, answer.json()["code"], answer.json()["holder"]) == (409, "conflict", "amelie")
    await added(bruno, data=b"of Bruno")
    assert (await visitor.remove(file)).status_code == 200


async def test_bytes_that_were_just_swept_are_asked_for_again(
    office: Office, visitor: Visitor, tmp_path: Path
) -> None:
    """What was doomed and is there is kept; what the sweep has taken in between is sent once more."""
    file = await added(visitor)
    await visitor.remove(file)
    assert await office.pool.fetchval("SELECT count(*) FROM doomed_objects") == 1
    kept = await added(visitor)
    assert await office.pool.fetchval("SELECT count(*) FROM doomed_objects") == 0
    assert (await visitor.get(f"{PLACE}/{kept}")).content == PLAN


async def test_a_ticket_of_another_organisation_has_no_files_here(visitor: Visitor) -> None:
    file = await added(visitor)
    answer = await visitor.being("amelie@other").get(f"{PLACE}/{file}")
    assert answer.status_code == 404
    assert UUID(file)


async def test_files_go_with_a_reply(office: Office, visitor: Visitor) -> None:
    """NT-15: each once, and only those of this Ticket; what was sent of it is there after it is gone."""
    file = await added(visitor)
    wanted = {"text": "Here it is.", "files": (file, file)}
    answer = await office.step(asked.ActivityReply, TICKET, **wanted)
    assert answer["type"] == "request.accepted", answer
    compose = (await office.asked_of_notify())[-1]
    assert [each["name"] for each in compose["attachments"]] == ["plan.pdf"]
    await visitor.remove(file)
    timeline = (await visitor.get(f"/v1/tickets/{TICKET}/timeline")).json()["items"]
    (sent,) = next(each["mail"] for each in timeline if each["mail"])["attachments"]
    assert (await visitor.get(sent["href"])).content == PLAN
    before = await office.written()
    assert (await office.step(asked.ActivityReply, TICKET, **wanted))["code"] == "not_found"
    assert await office.written() == before


async def test_a_mail_is_refused_that_gets_too_large(office: Office, visitor: Visitor) -> None:
    """NT-15, NT-12, AMB-40: when it is asked for, and nothing is done; without its files it goes."""
    rules = DEFINITION.rules.model_copy(update={"largest_mail_mb": 1})
    await office.configure(DEFINITION.model_copy(update={"rules": rules}), version=2)
    fits, too_much = await added(visitor, data=bytes(750_000)), await added(visitor, data=bytes(800_000))
    before = await office.written()
    for kind in (asked.ActivityReply, asked.TicketSendAndResolve):
        answer = await office.step(kind, TICKET, text="Look.", files=(too_much,))
        assert (answer["code"], answer["missing"]) == ("mail_too_large", ["files"])
    assert await office.written() == before
    answer = await office.step(asked.TicketSendAndResolve, TICKET, text="Look.", files=(fits,))
    assert (answer["type"], answer["status"]) == ("request.accepted", "resolved")
