"""HTTP shows what splits and merges tie a Ticket to (LK-1, AMB-34)."""

from pathlib import Path
from typing import Any

from shared.contracts import activity_requests as asked
from tests.integration.activity.test_splits import KEY, ORIGINAL, PRINTER, letter, split
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.office import Office


async def family(office: Office, folder: Path, reference: str) -> Any:
    async with connected(front_desk(office, folder)) as client:
        answer = await Caller(client, "amelie").get(f"/v1/tickets/{reference}")
    assert answer.status_code == 200
    return answer.json()["family"]


def names(shown: list[Any]) -> list[str]:
    return [each["reference"] for each in shown]


async def test_a_split_ticket_shows_its_parts_and_they_show_it(office: Office, tmp_path: Path) -> None:
    await split(office)
    original = await family(office, tmp_path, ORIGINAL)
    assert (names(original["parts"]), original["parent"], original["merged_into"], original["merged"]) == (
        [PRINTER, KEY],
        None,
        None,
        [],
    )
    part = await family(office, tmp_path, KEY)
    assert (part["parent"]["reference"], part["parts"]) == (ORIGINAL, [])


async def test_merged_tickets_show_where_they_went_and_what_came(office: Office, tmp_path: Path) -> None:
    await split(office)
    answer = await office.step(asked.TicketMergeInto, KEY, into=PRINTER)
    assert answer["type"] == "request.accepted"
    assert (await family(office, tmp_path, KEY))["merged_into"]["reference"] == PRINTER
    assert names((await family(office, tmp_path, PRINTER))["merged"]) == [KEY]


async def timeline(office: Office, folder: Path, reference: str) -> list[Any]:
    async with connected(front_desk(office, folder)) as client:
        answer = await Caller(client, "amelie").get(f"/v1/tickets/{reference}/timeline?limit=200")
    assert answer.status_code == 200
    return list(answer.json()["items"])


async def test_the_target_of_a_merge_shows_what_was_written_on_its_sources(
    office: Office, tmp_path: Path
) -> None:
    """T33, LK-1: notes, ratings and resolutions, with where they stand, and as they are now."""
    await split(office)
    await office.step(asked.ActivityNote, KEY, text="Ask the locksmith.")
    await office.step(asked.TicketResolve, KEY, method="rejected")
    await office.step(asked.ActivityFeedback, KEY, rating=1, comment="Not at all!")
    await office.take_in(letter(7, conversation="7" * 16))
    third = (await office.tickets())[-1]["reference"]
    await office.step(asked.ActivityNote, third, text="Nobody is in.")
    # What was merged into a source before came with it.
    await office.step(asked.TicketMergeInto, third, into=KEY)
    await office.step(asked.TicketMergeInto, KEY, into=PRINTER)
    (merge,) = [each for each in await timeline(office, tmp_path, PRINTER) if each["brought"]]
    assert (merge["type"], merge["details"]["source"]["reference"]) == ("ticket.took_over", KEY)
    shown = {(each["of"], each["type"], each["note"], each["method"]) for each in merge["brought"]}
    assert shown == {
        (KEY, "ticket.noted", "Ask the locksmith.", None),
        (KEY, "ticket.status_changed", None, "rejected"),
        (KEY, "ticket.feedback_given", "Not at all!", None),
        (third, "ticket.noted", "Nobody is in.", None),
    }
    # Live: a note that is not kept any more is not shown here either.
    await office.pool.execute("DELETE FROM notes WHERE text = 'Nobody is in.'")
    (merge,) = [each for each in await timeline(office, tmp_path, PRINTER) if each["brought"]]
    assert {each["of"] for each in merge["brought"] if each["note_removed"]} == {third}
