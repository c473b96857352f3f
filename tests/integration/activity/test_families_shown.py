"""HTTP shows what splits and merges tie a Ticket to (LK-1, AMB-34)."""

from pathlib import Path
from typing import Any

from shared.contracts import activity_requests as asked
from tests.integration.activity.test_splits import KEY, ORIGINAL, PRINTER, split
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
