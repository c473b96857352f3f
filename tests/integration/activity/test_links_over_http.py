"""Links over HTTP: made, refused, shown page by page; nothing is copied for strangers (LK-3, LK-5, LK-7)."""

from shared.contracts import activity_requests as asked
from tests.support.front_desk import TICKET, Caller
from tests.support.office import Office, received


async def test_who_may_not_see_a_ticket_copies_nothing_of_it(
    office: Office, amelie: Caller, bruno: Caller, clara: Caller
) -> None:
    """LK-5, LK-7: linking with it is allowed, which shows header data only."""
    await office.take_in(received(message_id="1@harbour.test"))
    mine = {"process": "invoice", "title": "A part of it", "linked_to": "100001-T"}
    for copies in (["communications"], ["links"], ["fields"]):
        refused = await clara.open(**mine, copies=copies)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    opened = await clara.open(**mine)
    assert opened.status_code == 201
    seen = (await clara.get(f"/v1/tickets/{opened.json()['reference']}")).json()["links"]
    assert [(link["activity"]["reference"], link["activity"]["permitted"]) for link in seen] == [
        ("100001-T", False)
    ]
    assert "version" not in seen[0]["activity"]
    assert (await amelie.open(**mine, copies=["communications"])).status_code == 201


async def test_a_ticket_with_very_many_links_shows_them_page_by_page(office: Office, bruno: Caller) -> None:
    """LK-3: fifty in a step, any number in all."""
    mails = [
        received(message_id=f"{number}@many.test", conversation=f"{number:016x}") for number in range(71)
    ]
    await office.take_in(*mails)
    others = [f"{100002 + number}-T" for number in range(70)]
    for some in (others[:50], others[50:]):
        linked = await office.step(asked.ActivityLink, "100001-T", with_references=some)
        assert linked["type"] == "request.accepted", linked
    view = (await bruno.get("/v1/tickets/100001-T")).json()
    assert len(view["links"]) == 50
    rest = (await bruno.get(f"/v1/tickets/100001-T/links?after={view['more_links']}")).json()
    assert rest["next"] is None
    shown = [each["activity"]["reference"] for each in (*view["links"], *rest["items"])]
    assert shown == others
    assert (await bruno.get(f"/v1/tickets/{others[0]}")).json()["more_links"] is None
    too_many = await bruno.step("link", with_references=others[:51])
    assert too_many.status_code == 422


async def test_links_are_made_and_refused_over_http(office: Office, bruno: Caller) -> None:
    """LK-3: with the same codes as over Kafka; more than fifty are too many."""
    for number in (1, 2):
        await office.take_in(received(message_id=f"{number}@harbour.test", conversation=f"{number:016x}"))
    done = await bruno.step("link", with_references=["100002-T"])
    assert (done.status_code, done.headers["ETag"]) == (200, f'"{done.json()["version"]}"')
    unknown = await bruno.step("link", with_references=["100002-T", "999999-T"])
    assert (unknown.status_code, unknown.json()["missing"]) == (404, ["999999-T"])
    itself = await bruno.step("link", with_references=["100001-T"])
    assert (itself.status_code, itself.json()["reason"]) == (422, "linked_with_itself")
    many = await bruno.step("link", with_references=[f"{number}-T" for number in range(51)])
    assert many.status_code == 422
    offered = {each["step"]: each["allowed"] for each in (await bruno.get(f"{TICKET}/steps")).json()}
    assert (offered["link"], offered["unlink"]) == (True, True)
