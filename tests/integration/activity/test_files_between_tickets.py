"""Files that come from another activity: the same, or snapshots (LK-1, LK-5, IN-14, T27, T33, NT-20)."""

import os
from pathlib import Path
from typing import Any

import pytest

from services.activity.retention import rules
from services.activity.settings import ActivitySettings
from services.activity.uploads import ActivityAddFile
from shared import retention
from shared.blobs import BlobStore
from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import SplitPart
from shared.contracts.blob import Blob
from shared.contracts.ingest_mails import PlusReference, Routed, Target
from tests.support.databases import Database
from tests.support.hiring import WITH_CASES
from tests.support.office import HELP, Office, addressed, incoming, received

ONE, TWO, THREE = "100001-T", "100002-T", "100003-T"
PARTS = tuple(SplitPart(title=title, description=title, category="Other") for title in ("A", "B"))


def blob(name: str) -> Blob:
    sha256 = name.encode().hex().ljust(64, "0")
    return Blob(object=f"acme/activity/{sha256}", sha256=sha256, size=3, name=f"{name}.pdf")


async def opened(office: Office, *numbers: int) -> None:
    """Tickets, each from a mail of its own."""
    for number in numbers:
        await office.take_in(received(message_id=f"{number}@harbour.test", conversation=f"{number:016x}"))


async def put(office: Office, reference: str, name: str, **more: Any) -> str:
    answer = await office.step(ActivityAddFile, reference, **{"blob": blob(name), **more})
    assert answer["type"] == "request.accepted", answer
    file: str = answer["file"]
    return file


async def remove(office: Office, reference: str, file: str) -> Any:
    return await office.step(asked.ActivityRemoveFile, reference, file=file)


async def close(office: Office, reference: str) -> None:
    answer = await office.step(asked.TicketResolve, reference, method="rejected_as_spam")
    assert answer["status"] == "closed", answer


async def files(office: Office, reference: str) -> dict[str, str]:
    """The names of what stands on a Ticket, with their ids."""
    rows = await office.pool.fetch(
        """
        SELECT files.name, files.id FROM files
        JOIN activity_files AS stands ON stands.file = files.id
        JOIN activities ON activities.id = stands.activity
        WHERE activities.reference = $1 AND files.removed_at IS NULL ORDER BY files.name
        """,
        reference,
    )
    return {row["name"]: str(row["id"]) for row in rows}


async def test_parts_begin_with_snapshots_of_files(office: Office) -> None:
    """T27, LK-1, NT-20: what happens to a file of the original or of a part afterwards is its own."""
    await opened(office, 1)
    file = await put(office, ONE, "plan", tags=("floor",))
    await office.step(asked.TicketSplit, ONE, parts=PARTS)
    parts = [await files(office, each) for each in (TWO, THREE)]
    assert [list(part) for part in parts] == [["plan.pdf"], ["plan.pdf"]]
    assert len({file, parts[0]["plan.pdf"], parts[1]["plan.pdf"]}) == 3
    event = (await office.said("activity.activities.v1", "ticket.file_added"))[-1]
    assert (event["rule"], event["from_reference"], event["tags"]) == ("T27", ONE, ["floor"])
    assert event["blob"] == blob("plan").model_dump()
    assert (await remove(office, ONE, file))["type"] == "request.accepted"
    await office.step(asked.ActivityEditFile, TWO, file=parts[0]["plan.pdf"], name="of mine.pdf")
    assert [list(await files(office, each)) for each in (ONE, TWO, THREE)] == [
        [],
        ["of mine.pdf"],
        ["plan.pdf"],
    ]


async def test_what_is_merged_has_the_same_files(office: Office) -> None:
    """T33, T34, LK-1, NT-20: removed there, they are gone here, too; the history of what is closed stays."""
    await opened(office, 1, 2, 3)
    one, two = await put(office, ONE, "one"), await put(office, TWO, "two")
    await office.step(asked.TicketMergeInto, ONE, into=TWO)
    assert await files(office, TWO) == {"one.pdf": one, "two.pdf": two}
    assert await files(office, ONE) == {"one.pdf": one}
    await office.step(asked.ActivityMerge, THREE, sources=(TWO,))
    assert await files(office, THREE) == {"one.pdf": one, "two.pdf": two}
    history = await office.history(ONE)
    assert (await remove(office, ONE, one))["code"] == "closed"
    await office.step(asked.ActivityEditFile, THREE, file=two, name="2.pdf")
    assert (await remove(office, THREE, one))["type"] == "request.accepted"
    assert [await files(office, each) for each in (ONE, TWO, THREE)] == [{}, {"2.pdf": two}, {"2.pdf": two}]
    assert await office.history(ONE) == history
    assert (await remove(office, ONE, one))["code"] == "not_found"


async def test_who_opens_a_ticket_from_another_may_take_its_files(office: Office) -> None:
    """LK-5: snapshots, as they are then; linking alone copies nothing."""
    await opened(office, 1)
    await put(office, ONE, "plan")
    bare = await office.ask(asked.ActivityOpen(actor=_amelie(), process="request", linked_to=ONE))
    full = await office.ask(
        asked.ActivityOpen(actor=_amelie(), process="request", linked_to=ONE, copy_files=True)
    )
    assert await files(office, bare["reference"]) == {}
    copied = await files(office, full["reference"])
    assert list(copied) == ["plan.pdf"]
    await remove(office, full["reference"], copied["plan.pdf"])
    assert list(await files(office, ONE)) == ["plan.pdf"]
    lost = await office.ask(asked.ActivityOpen(actor=_amelie(), process="request", copy_files=True))
    assert (lost["code"], lost["missing"]) == ("incomplete", ["linked_to"])


async def test_what_goes_on_after_a_closed_ticket_has_its_files(office: Office) -> None:
    """IN-14: each once, also where two of the closed ones had the same; nobody gets what was removed."""
    await opened(office, 1, 2)
    await put(office, ONE, "one")
    await remove(office, ONE, await put(office, ONE, "gone"))
    await office.step(asked.TicketMergeInto, ONE, into=TWO)
    await put(office, TWO, "two")
    await close(office, TWO)
    await office.take_in(received(message_id="9@harbour.test", in_reply_to="2@harbour.test"))
    assert list(await files(office, THREE)) == ["one.pdf", "two.pdf"]
    assert len(set((await files(office, THREE)).values()) & set((await files(office, TWO)).values())) == 0


@pytest.mark.parametrize("together", [True, False])
async def test_how_batches_are_cut_changes_no_file(office: Office, together: bool) -> None:
    """Design §3: a request sees what one before it in the same batch did to a file."""
    await opened(office, 1, 2)
    file = await put(office, ONE, "plan")
    wanted = [
        asked.ActivityEditFile(actor=_amelie(), reference=ONE, file=file, name="plan B.pdf"),
        asked.TicketMergeInto(actor=_amelie(), reference=ONE, into=TWO),
        asked.TicketSplit(actor=_amelie(), reference=TWO, parts=PARTS),
        asked.ActivityRemoveFile(actor=_amelie(), reference=TWO, file=file),
        asked.ActivityOpen(actor=_amelie(), process="request", linked_to=ONE, copy_files=True),
    ]
    records = [_asked(each, f"request/{number}") for number, each in enumerate(wanted)]
    for batch in [records] if together else [[each] for each in records]:
        await office.take_in(*batch)
    found = [list(await files(office, each)) for each in (ONE, TWO, THREE, "100004-T", "100005-T")]
    assert found == [[], [], ["plan B.pdf"], ["plan B.pdf"], []]


async def test_files_go_with_the_texts_of_what_was_closed_long_ago(
    office: Office, database: Database, tmp_path: Path
) -> None:
    """What was merged into another has the same files, which stay for as long as that one needs them.

    What was sent with a mail stays with the mail.
    """
    blobs = BlobStore(tmp_path.as_uri(), "activity")
    stored = {name: await blobs.put("acme", name.encode()) for name in ("one", "two", "three")}
    settings = ActivitySettings(
        kafka_bootstrap="unused:1",
        postgres_dsn=database.dsn_of("activity"),
        blobs_url=tmp_path.as_uri(),
        secrets_dir=tmp_path,
        timeline_days=40,
    )
    await opened(office, 1, 2, 3)
    for reference, name in ((ONE, "one"), (THREE, "two"), (THREE, "three")):
        file = await put(office, reference, name, blob=stored[name].model_copy(update={"name": name}))
    reply = await office.step(asked.ActivityReply, THREE, text="Here it is.", files=(file,))
    assert reply["type"] == "request.accepted", reply
    await office.step(asked.TicketMergeInto, ONE, into=TWO)
    await close(office, THREE)
    await office.advance(days=41)

    async def swept() -> dict[str, bool]:
        """The rules at work, and which bytes are there after them, as if all had been put long ago."""
        for folder, _, names in os.walk(tmp_path):
            for name in names:
                os.utime(Path(folder, name), (1, 1))
        async for _ in retention.remove(office.unit, rules(settings)):
            pass
        return {name: await blobs.look(blob.object) is not None for name, blob in stored.items()}

    assert await swept() == {"one": True, "two": False, "three": True}
    assert [list(await files(office, each)) for each in (ONE, TWO, THREE)] == [["one"], ["one"], []]
    await close(office, TWO)
    await office.advance(days=41)
    assert await swept() == {"one": False, "two": False, "three": True}


def _amelie() -> asked.Actor:
    return asked.Actor(kind=asked.ActorKind.USER, id="amelie")


def _asked(request: asked.Request, id_: str) -> Any:
    return incoming(request, id_)


# From under a Case: files stand on the Case at the top (CA-7)

CASE, SUB_CASE, BELOW = "100001-C", "100002-C", "100003-C"
ROUTED = Routed(route="hiring", process="hiring", send_automated_emails=True)


async def hire(office: Office) -> None:
    """A mail opens a Case, people one under it; they share one file."""
    await office.configure(WITH_CASES, 2)
    target = Target(mailbox="help", address=HELP, routed=ROUTED)
    await office.take_in(received("Nora starts", message_id="1@harbour.test", targets=[target]))
    await office.step(asked.CaseStartSubCase, CASE, process="equipping")
    await put(office, SUB_CASE, "plan")


def to(reference: str, number: int = 9, *more: str, **target: Any) -> Any:
    """A mail to the signed addresses of activities, which may begin something new."""
    addresses = {each: f"help+{each.lower()}@acme.test" for each in (reference, *more)}
    plus = tuple(
        PlusReference(address=address, mailbox="help", reference=each, signed=True)
        for each, address in addresses.items()
    )
    targets = [addressed(HELP).model_copy(update=target)]
    id_ = f"{number}@harbour.test"
    return received(message_id=id_, to=tuple(addresses.values()), plus=plus, targets=targets)


async def ended(office: Office, *references: str) -> None:
    found = [(await office.ticket(each))["status"] for each in references]
    assert found == ["closed"] * len(references)


@pytest.mark.parametrize("about", [SUB_CASE, f"{SUB_CASE}-A1.1"])
async def test_what_goes_on_after_a_closed_sub_case_has_the_files_of_its_case(
    office: Office, about: str
) -> None:
    """IN-14, LK-1: also after an Action of it. Its Case goes on, and its files are its own from then on."""
    await hire(office)
    await put(office, CASE, "offer")
    await remove(office, CASE, await put(office, SUB_CASE, "gone"))
    await office.step(asked.ActionComplete, f"{SUB_CASE}-A1.1")
    await ended(office, SUB_CASE)
    await office.take_in(to(about))
    new, old = await files(office, THREE), await files(office, CASE)
    assert [list(new), list(old)] == [["offer.pdf", "plan.pdf"]] * 2
    assert not set(new.values()) & set(old.values())
    told = [
        each for each in await office.said("activity.activities.v1") if each["type"] == "ticket.file_added"
    ]
    assert {each["from_reference"] for each in told} == {CASE}
    await remove(office, CASE, old["plan.pdf"])
    await office.step(asked.ActivityEditFile, THREE, file=new["offer.pdf"], name="mine.pdf")
    assert list(await files(office, THREE)) == ["mine.pdf", "plan.pdf"]
    assert list(await files(office, CASE)) == ["offer.pdf"]


@pytest.mark.parametrize("about", [(SUB_CASE,), (SUB_CASE, CASE)])
async def test_what_goes_on_after_a_whole_case_has_each_of_its_files_once(
    office: Office, about: tuple[str, ...]
) -> None:
    """IN-14, AMB-51: and may be a Case itself."""
    await hire(office)
    await office.step(asked.CaseAbandon, CASE)
    await ended(office, CASE, SUB_CASE)
    await office.take_in(to(about[0], 9, *about[1:], routed=ROUTED))
    assert list(await files(office, BELOW)) == ["plan.pdf"]
    await office.step(asked.CaseStartSubCase, BELOW, process="equipping")
    await office.step(asked.CaseAbandon, BELOW)
    await office.take_in(to("100004-C", 10))
    assert list(await files(office, "100005-T")) == ["plan.pdf"]


@pytest.mark.parametrize("together", [True, False])
async def test_how_batches_are_cut_changes_no_file_of_a_sub_case(office: Office, together: bool) -> None:
    """Design §3: a mail sees what was put there, and what has ended, before it in the same batch."""
    await hire(office)
    late = ActivityAddFile(actor=_amelie(), type="case.add_file", reference=SUB_CASE, blob=blob("late"))
    complete = asked.ActionComplete(actor=_amelie(), reference=f"{SUB_CASE}-A1.1")
    records = [_asked(late, "request/1"), _asked(complete, "request/2"), to(SUB_CASE)]
    for batch in [records] if together else [[each] for each in records]:
        await office.take_in(*batch)
    assert list(await files(office, THREE)) == ["late.pdf", "plan.pdf"]
