"""Machines that answer machines: every exchange ends by itself (IN-5, IN-15, IN-17, AMB-37)."""

from collections.abc import Awaitable, Callable, Sequence
from email.message import EmailMessage
from uuid import uuid4

import pytest

from shared.contracts.activity_organisation import Definition
from tests.support.mailroom import Mailroom
from tests.support.neighbour import Neighbour, neighbour_of
from tests.support.people import Agent, Customer, customer

LIMIT = 4
"""Automatic mails to one address within an hour (`sender_mails_per_hour`)."""
Robot = Callable[[Customer, EmailMessage], EmailMessage | bytes]
"""What a machine sends when it finds a mail."""


def as_people_do(robot: Customer, mail: EmailMessage) -> EmailMessage:
    """An answer in the thread, to where answers go."""
    return robot.person.answer(mail, "I have received your mail.")


def anew(robot: Customer, mail: EmailMessage) -> EmailMessage:
    """A mail of its own to the plain mailbox, in no thread, and without any mark."""
    return robot.letter(f"Your mail {uuid4()}", "I have received it.")


def marked(robot: Customer, mail: EmailMessage) -> EmailMessage:
    """As `anew`, but it says what it is."""
    answer = anew(robot, mail)
    answer["Auto-Submitted"] = "auto-replied"
    return answer


def reporting(robot: Customer, mail: EmailMessage) -> bytes:
    """A delivery report to the plain mailbox, with the mail inside."""
    report = (
        f"From: MAILER-DAEMON@{robot.mailroom.customers}\r\nTo: {robot.mailroom.address()}\r\n"
        f"Message-ID: <{uuid4()}@{robot.mailroom.customers}>\r\nSubject: Undeliverable\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary=b; report-type=delivery-status\r\n\r\n"
        f"--b\r\n\r\nNobody reads {robot.address}.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    )
    return report.encode() + mail.as_bytes() + b"\r\n--b--\r\n"


def handing_back(robot: Customer, mail: EmailMessage) -> bytes:
    """Our own mail, as it came."""
    return mail.as_bytes()


# How each of them answers, and what comes of it: how many acknowledgements, and how many Tickets.
ROBOTS: dict[str, tuple[Robot, int, int]] = {
    "one that answers as people do": (as_people_do, 1, 1),
    "one that writes anew": (anew, LIMIT, LIMIT + 1),
    "one that says what it is": (marked, 1, 2),
    "one that reports": (reporting, 1, 1),
    "one that hands back": (handing_back, 1, 1),
}


@pytest.mark.parametrize("name", ROBOTS)
async def test_a_machine_that_answers_everything_is_left_with_the_last_word(
    mailroom: Mailroom, name: str
) -> None:
    """IN-5, IN-15, IN-17, AMB-37: an answer in the thread is not acknowledged, one anew only so often."""
    answer, acknowledgements, tickets = ROBOTS[name]
    await mailroom.configure(limited(mailroom.definition))
    robot, agent = customer(mailroom, "Robot"), Agent(mailroom)
    await robot.write("Please help")
    await agent.finds(robot)
    await until_silent([(robot, answer)], mailroom.settled, rounds=LIMIT + 3)
    assert len(await robot.inbox()) == acknowledgements
    assert len(await agent.tickets_of(robot)) == tickets


async def test_two_mailrooms_acknowledge_each_other_once(mailroom: Mailroom, other: Neighbour) -> None:
    """IN-17: the acknowledgement opens a Ticket at the other one, and is not answered."""
    before = await other.counts()
    await mailroom.send(other.letter())
    await mailroom.settled()  # they have their acknowledgement
    await other.settled()  # and whatever they make of it
    await other.settled()
    after = await other.counts()
    assert after.tickets - before.tickets == 1
    assert after.answers - before.answers == 0
    assert after.told - before.told == 1


async def test_two_mailrooms_whose_marks_are_lost_on_the_way_fall_silent(
    mailroom: Mailroom, other: Neighbour
) -> None:
    """AMB-37: gateways rewrite sender, Message-ID and thread, and drop what says that a mail is automatic."""
    ours, theirs, agent = customer(mailroom, "Gateway"), customer(mailroom, "Gateway"), Agent(mailroom)
    await mailroom.configure(limited(mailroom.definition))
    before = await other.counts()

    def to_them(robot: Customer, mail: EmailMessage) -> EmailMessage:
        return theirs.letter(str(mail["Subject"]), words(mail), to=other.address)

    def to_us(robot: Customer, mail: EmailMessage) -> EmailMessage:
        return ours.letter(str(mail["Subject"]), words(mail))

    await ours.write("Please help")
    await agent.finds(ours)
    await until_silent([(ours, to_them), (theirs, to_us)], other.settled, rounds=2 * LIMIT + 3)
    assert len(await ours.inbox()) == len(await theirs.inbox()) == LIMIT
    assert len(await agent.tickets_of(ours)) == LIMIT + 1
    assert (await other.counts()).tickets - before.tickets == LIMIT


async def until_silent(
    robots: Sequence[tuple[Customer, Robot]], settled: Callable[[], Awaitable[None]], rounds: int
) -> None:
    """Let machines answer everything until none of them has anything left to answer.

    A round ends when all that was sent has had its effect. Raises `AssertionError` if they still answer after
    so many rounds.
    """
    answered: set[tuple[str, str]] = set()
    for _ in range(rounds):
        await settled()
        fresh = [
            (robot, answer, mail)
            for robot, answer in robots
            for mail in await robot.inbox()
            if (robot.address, str(mail["Message-ID"])) not in answered
        ]
        if not fresh:
            return
        for robot, answer, mail in fresh:
            answered.add((robot.address, str(mail["Message-ID"])))
            await robot.mailroom.send(answer(robot, mail))
    raise AssertionError(f"they still answer each other after {rounds} rounds")


@pytest.fixture(scope="module")
async def other(session_mailroom: Mailroom) -> Neighbour:
    return await neighbour_of(session_mailroom, limited(session_mailroom.definition))


def limited(definition: Definition) -> Definition:
    """As few automatic mails an hour as a test can wait for."""
    rules = definition.rules.model_copy(update={"sender_mails_per_hour": LIMIT})
    return definition.model_copy(update={"rules": rules})


def words(mail: EmailMessage) -> str:
    """What a mail says in plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
