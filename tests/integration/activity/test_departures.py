"""A mail that was appended wrongly begins a new Ticket (section 7: CE-1 to CE-7, AMB-32, AMB-33)."""

from typing import Any
from uuid import UUID

import pytest

from shared.contracts import activity_requests as asked
from shared.contracts.activity_requests import SplitPart
from shared.contracts.ingest_mails import MailNotReinjected, PlusReference
from shared.unit_of_work import Incoming
from tests.support.office import HELP, NOON, Office, addressed, incoming, received

A, NEW = "100001-T", "100002-T"
DAN = "dan@harbour.test"


def answer(**more: Any) -> Incoming[Any]:
    """What the customer meant as a new request, in answer to an old mail."""
    given: dict[str, Any] = {"message_id": "2@harbour.test", "in_reply_to": "1@harbour.test"}
    return received(**{**given, "sender": DAN, "subject": "A screen", **more})


async def appended(office: Office) -> UUID:
    """A Ticket with a mail that was appended wrongly; returns that mail."""
    await office.take_in(received(message_id="1@harbour.test"))
    await office.take_in(answer())
    return (await office.mails(A))[-1]


async def ask(office: Office, mail: UUID, of: str = A) -> Any:
    return await office.step(asked.ActivityNewFromMail, of, mail=mail)


async def again(office: Office, id_: str = "again", **more: Any) -> Incoming[Any]:
    """What ingest tells then: the same mail, and whom it must not be appended to."""
    activity = (await office.ticket(A))["id"]
    message = answer(**more).message.model_copy(update={"reinjected_for": activity})
    return incoming(message, id_, source="tests/ingest", at=NOON)


async def departed(office: Office) -> UUID:
    mail = await appended(office)
    await ask(office, mail)
    await office.take_in(await again(office))
    return mail


async def states(office: Office, reference: str = A) -> list[tuple[str, str | None]]:
    """What its history says of mails that leave it."""
    rows = await office.history(reference)
    told = [row["event"] for row in rows if row["type"] == "ticket.departure_marked"]
    return [(event["state"], event["with_reference"] or event["why"]) for event in told]


async def test_ingest_is_asked_for_the_mail_through_the_mailbox_it_came_by(office: Office) -> None:
    """CE-3, CE-6, AMB-32."""
    mail = await appended(office)
    done = await ask(office, mail)
    assert (done["type"], done["opened"]) == ("request.accepted", None)
    (request,) = await office.said("ingest.requests.v1", "mail.reinject")
    activity = (await office.ticket(A))["id"]
    assert (request["mail"], request["activity"], request["mailbox"]) == (str(mail), str(activity), "help")
    assert await states(office) == [("requested", None)]


async def test_the_new_ticket_is_opened_by_the_route_and_linked_both_ways(office: Office) -> None:
    """CE-1, CE-5, IN-6, IN-7, AMB-37: with its own contact, acknowledged as the route wants it."""
    mail = await departed(office)
    new = await office.ticket(NEW)
    opened = (new["title"], new["process"], new["started_by"], new["opening_mail"])
    assert opened == ("A screen", "request", "email", mail)
    assert await states(office) == [("requested", None), ("done", NEW)]
    for one, other in ((A, NEW), (NEW, A)):
        said = [row["event"] for row in await office.history(one) if row["type"] == "ticket.linked"]
        assert [(event["with_reference"], event["reason"]) for event in said] == [(other, "new_from_mail")]
    last = (await office.asked_of_notify())[-1]
    assert (last["reference"], [each["address"] for each in last["to"]]) == (NEW, [DAN])
    assert new["conversation"] != (await office.ticket(A))["conversation"]


async def test_there_is_one_new_ticket_for_each_mail_however_often_it_is_asked_for(office: Office) -> None:
    """CE-7: repeated requests, and records that come twice under whatever id, lead to what there is."""
    mail = await appended(office)
    first = await ask(office, mail)
    assert (await ask(office, mail))["version"] == first["version"]
    assert len(await office.said("ingest.requests.v1", "mail.reinject")) == 1
    for id_ in ("again", "again", "under another id"):
        await office.take_in(await again(office, id_))
    assert len(await office.tickets()) == 2
    assert (await ask(office, mail))["opened"] == NEW
    assert len(await states(office)) == 2


async def test_what_was_begun_and_broken_off_is_done_whole(office: Office) -> None:
    """CE-7: a process that dies before it commits leaves nothing behind."""
    mail = await appended(office)
    await ask(office, mail)
    told = await again(office)

    class Killed(Exception):
        pass

    async def dying(batch: Any) -> None:
        await office.work.perform(batch, [told])
        raise Killed

    with pytest.raises(Killed):
        await office.unit.run(dying)
    assert len(await office.tickets()) == 1
    await office.take_in(told)
    (_, new) = await office.tickets()  # under the next number: that of the dead is not given again
    assert await states(office) == [("requested", None), ("done", new["reference"])]


async def test_the_mail_is_read_only_afterwards(office: Office) -> None:
    """CE-4: the answer says where to go on; a reply to nothing in particular passes it over."""
    mail = await departed(office)
    for kind, fields in (
        (asked.ActivityReply, {"text": "Hello.", "answers": mail}),
        (asked.ActivityShareMail, {"mail": mail, "with_references": [NEW]}),
    ):
        refused = await office.step(kind, A, **fields)
        assert (refused["code"], refused["missing"]) == ("mail_is_read_only", [NEW])
    await office.step(asked.ActivityReply, A, text="Hello.")
    assert (await office.asked_of_notify())[-1]["in_reply_to"] == "1@harbour.test"


async def test_later_replies_to_it_go_to_the_new_ticket(office: Office) -> None:
    """AMB-33: also where they name the old one's address, as an answer to all does."""
    await departed(office)
    await office.take_in(received(message_id="3@harbour.test", in_reply_to="2@harbour.test", sender=DAN))
    signed = PlusReference(
        address="help+100001-t.token@acme.test",
        mailbox="help",
        reference=A,
        conversation="0" * 16,
        signed=True,
    )
    to_all = received(
        message_id="4@harbour.test",
        in_reply_to="2@harbour.test",
        to=[HELP, signed.address],
        plus=[signed],
        targets=[addressed(HELP)],
    )
    await office.take_in(to_all)
    assert len(await office.mails(NEW)) == 3
    assert len(await office.mails(A)) == 2
    # An answer to what stays there still comes there.
    await office.take_in(received(message_id="5@harbour.test", in_reply_to="1@harbour.test"))
    assert len(await office.mails(A)) == 3


async def test_without_a_route_the_mail_stays_as_it_is_and_whoever_asked_is_told(office: Office) -> None:
    """CE-7: and it can be asked for again, once there is a route."""
    mail = await appended(office)
    await ask(office, mail)
    refusal = MailNotReinjected(mail=mail, activity=(await office.ticket(A))["id"], why="no_route")
    await office.take_in(incoming(refusal, "no route", source="tests/ingest"))
    assert await states(office) == [("requested", None), ("failed", "no_route")]
    written = await office.step(asked.ActivityReply, A, text="Hello.", answers=mail)
    assert written["type"] == "request.accepted"
    await ask(office, mail)
    await office.take_in(await again(office))
    assert (await states(office))[2:] == [("requested", None), ("done", NEW)]


async def test_a_route_to_no_process_is_none(office: Office) -> None:
    """CE-7."""
    mail = await appended(office)
    await ask(office, mail)
    await office.take_in(await again(office, targets=[addressed(HELP, routed=False)]))
    assert (await states(office))[-1] == ("failed", "no_route")


async def test_what_was_asked_for_comes_also_when_the_ticket_is_closed_meanwhile(office: Office) -> None:
    """CE-7, T38: closed, it takes no such request."""
    mail = await appended(office)
    await ask(office, mail)
    await office.step(asked.TicketResolve, A, method=asked.ResolutionMethod.REJECTED_AS_SPAM)
    await office.take_in(await again(office))
    assert (await states(office))[-1] == ("done", NEW)
    assert (await ask(office, mail))["opened"] == NEW
    await office.step(asked.TicketResolve, NEW, method=asked.ResolutionMethod.REJECTED_AS_SPAM)
    assert (await ask(office, mail, of=NEW))["code"] == "closed"


TARGET = "100002-T"
PARTS = tuple(
    SplitPart(title=f"Part {each}", description=f"About {each}.", category="Other") for each in "ab"
)


async def merged_on_the_way(office: Office) -> UUID:
    """A mail is on its way to a Ticket of its own, while the one that it leaves is merged into another."""
    mail = await appended(office)
    await office.take_in(received(message_id="9@harbour.test", conversation="9" * 16))
    await ask(office, mail)
    await office.step(asked.TicketMergeInto, A, into=TARGET)
    return mail


async def test_a_mail_on_its_way_leaves_the_target_of_a_merge_too(office: Office) -> None:
    """CE-4, CE-5, CE-7, AMB-33: read-only, answered at the new one, and linked with it."""
    mail = await merged_on_the_way(office)
    assert await states(office, TARGET) == [("requested", None)]
    await office.take_in(await again(office))
    new = "100003-T"
    assert (await states(office))[-1] == (await states(office, TARGET))[-1] == ("done", new)
    told = await office.said("activity.activities.v1", "ticket.departure_marked")
    source = str((await office.ticket(A))["id"])
    assert {each["asked_on"] for each in told if each["reference"] == TARGET} == {source}
    assert {each["asked_on"] for each in told if each["reference"] == A} == {None}
    refused = await office.step(asked.ActivityReply, TARGET, text="Hello.", answers=mail)
    assert (refused["code"], refused["missing"]) == ("mail_is_read_only", [new])
    linked = [row["event"] for row in await office.history(TARGET) if row["type"] == "ticket.linked"]
    assert [(each["with_reference"], each["reason"]) for each in linked] == [(new, "new_from_mail")]
    await office.take_in(received(message_id="3@harbour.test", in_reply_to="2@harbour.test", sender=DAN))
    assert [len(await office.mails(each)) for each in (TARGET, new)] == [1, 2]
    # Whoever asks there, once more, is told the same.
    assert (await ask(office, mail, of=TARGET))["opened"] == new


async def test_a_mail_on_its_way_leaves_the_parts_of_a_split_too(office: Office) -> None:
    """CE-4, CE-7, LK-1: also where it had left before, and where one of them goes on elsewhere."""
    mail = await appended(office)
    await ask(office, mail)
    await office.step(asked.TicketSplit, A, parts=PARTS)
    await office.step(asked.TicketMergeInto, "100003-T", into="100002-T")
    await office.take_in(await again(office))
    for part in ("100002-T", "100003-T"):
        assert (await states(office, part))[-1] == ("done", "100004-T")
    refused = await office.step(asked.ActivityReply, "100002-T", text="Hello.", answers=mail)
    assert refused["code"] == "mail_is_read_only"
    await office.step(asked.TicketSplit, "100002-T", parts=PARTS)
    refused = await office.step(asked.ActivityReply, "100005-T", text="Hello.", answers=mail)
    assert refused["code"] == "mail_is_read_only"


async def test_a_mail_that_cannot_leave_stays_on_the_target_of_a_merge(office: Office) -> None:
    """CE-7: whoever has it now is told why."""
    mail = await merged_on_the_way(office)
    refusal = MailNotReinjected(mail=mail, activity=(await office.ticket(A))["id"], why="no_route")
    await office.take_in(incoming(refusal, "no route", source="tests/ingest"))
    assert await states(office, TARGET) == [("requested", None), ("failed", "no_route")]
    written = await office.step(asked.ActivityReply, TARGET, text="Hello.", answers=mail)
    assert written["type"] == "request.accepted"


async def test_what_goes_on_with_a_closed_ticket_knows_what_has_left_it(office: Office) -> None:
    """CE-4, IN-14."""
    mail = await departed(office)
    await office.step(asked.TicketResolve, A, method=asked.ResolutionMethod.REJECTED_AS_SPAM)
    await office.take_in(received(message_id="7@harbour.test", in_reply_to="1@harbour.test"))
    refused = await office.step(asked.ActivityReply, "100003-T", text="Hello.", answers=mail)
    assert (refused["code"], refused["missing"]) == ("mail_is_read_only", [NEW])


async def test_what_came_to_the_target_by_itself_stays_there(office: Office) -> None:
    """CE-7: nobody asked for it there."""
    await office.take_in(received(message_id="1@harbour.test"))
    await office.take_in(received(message_id="9@harbour.test", conversation="9" * 16))
    signed = PlusReference(address="help+x@acme.test", mailbox="help", reference=TARGET, signed=True)
    both = answer(to=[HELP, signed.address], plus=[signed], targets=[addressed(HELP)])
    await office.take_in(both)
    mail = (await office.mails(A))[-1]
    assert (await office.mails(TARGET))[-1] == mail
    await ask(office, mail)
    await office.step(asked.TicketMergeInto, A, into=TARGET)
    assert await states(office, TARGET) == []


async def test_only_mails_that_were_appended_begin_a_new_one(office: Office) -> None:
    """CE-2: not the one that opened it, not ours, not one that is unknown or came from another Ticket."""
    mail = await departed(office)
    opening = (await office.mails(A))[0]
    ours = UUID((await office.asked_of_notify())[0]["mail"])
    codes = {each: (await ask(office, each))["code"] for each in (opening, ours, UUID(int=9))}
    assert codes == {opening: "opening_mail", ours: "not_appended", UUID(int=9): "not_found"}
    assert (await ask(office, mail, of=NEW))["code"] == "opening_mail"
    await office.step(asked.ActivityShareMail, A, mail=opening, with_references=[NEW])
    assert (await ask(office, opening, of=NEW))["code"] == "not_appended"


async def test_the_acknowledgement_is_the_routes_to_want(office: Office) -> None:
    """AMB-37, NT-2."""
    mail = await appended(office)
    await ask(office, mail)
    target = addressed(HELP)
    assert target.routed
    routed = target.routed.model_copy(update={"send_automated_emails": False})
    before = len(await office.asked_of_notify())
    await office.take_in(await again(office, targets=[target.model_copy(update={"routed": routed})]))
    assert (await office.ticket(NEW))["opening_mail"] == mail
    assert len(await office.asked_of_notify()) == before
