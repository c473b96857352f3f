"""AMB-38, PA-4, PA-7, IN-1, IN-2, IN-5: what claims to belong to a Ticket, through ingest and activity.

Each mail comes from a stranger of its own; what brings it to the Ticket is what it carries, or nothing does.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from services.ingest.imap import ImapServer
from shared.contracts.activity_organisation import Fallback
from shared.contracts.ingest_mails import MailReceived
from shared.decoding import Incoming
from shared.keyring import Keyring, generate_keyring
from shared.postgres import make_pool, opened
from shared.references import parse, ticket
from shared.tokens import message_id, reply_address, sign
from tests.support import office as offices
from tests.support.databases import Database
from tests.support.fake_imap import FakeImap
from tests.support.ingest_world import DOMAIN, HELP, ORGANISATION, World, mailbox, world_on
from tests.support.office import Office
from tests.support.waiting import eventually

CARLA = "Carla <carla@customer.example>"
PROCESS = "requests"
RETIRED = Keyring.parse(generate_keyring(key_id=7))


@dataclass(frozen=True)
class Sent:
    """What we wrote to Carla about her Ticket: where her answers come back to, and its Message-ID."""

    keyring: Keyring
    reference: str
    conversation: str

    def address(self, keyring: Keyring | None = None, organisation: str = ORGANISATION) -> str:
        reference = parse(self.reference)
        return reply_address(keyring or self.keyring, organisation, HELP, self.conversation, reference)

    def token(self) -> str:
        return self.address().partition("@")[0].rpartition(".")[2]

    def token_alone(self) -> str:
        return sign(self.keyring, ORGANISATION, self.conversation)

    def id(self, keyring: Keyring | None = None, organisation: str = ORGANISATION) -> str:
        reference = parse(self.reference)
        return message_id(
            keyring or self.keyring, organisation, DOMAIN, uuid4(), self.conversation, reference
        )


def to(write: Callable[[Sent], str]) -> Callable[[Sent], dict[str, str]]:
    return lambda sent: {"To": write(sent)}


def answering(write: Callable[[Sent], str], field: str = "In-Reply-To") -> Callable[[Sent], dict[str, str]]:
    return lambda sent: {field: write(sent)}


def other_letter(text: str) -> str:
    """The text with another last letter of the alphabet of tokens."""
    return text[:-1] + ("b" if text[-1] != "b" else "c")


def changed(sent: Sent, **change: str) -> str:
    """The signed address with something else in the place of its parts."""
    parts = {"reference": sent.reference, "token": sent.token(), "domain": DOMAIN} | change
    return "help+{reference}.{token}@{domain}".format(**parts)


HOME = {
    "signed address": to(Sent.address),
    "signed address in capitals": to(lambda sent: sent.address().upper()),
    "signed address in small letters": to(lambda sent: sent.address().lower()),
    "signed address in quotes": to(lambda sent: f'"{sent.address().replace("@", chr(34) + "@")}'),
    "signed address in an encoded word": to(lambda sent: f"=?utf-8?q?{sent.address().replace('@', '=40')}?="),
    "token without a reference": to(lambda sent: f"help+{sent.token_alone()}@{DOMAIN}"),
    "answer to our mail": answering(Sent.id),
    "answer to our mail in capitals": answering(lambda sent: sent.id().upper()),
    "answer to our mail by another domain": answering(
        lambda sent: sent.id().replace(DOMAIN, "relay.example")
    ),
    "answer to our mail among others": answering(lambda sent: f"<a@b.example> {sent.id()} <c@d.example>"),
}
"""What brings a stranger to the Ticket."""

ELSEWHERE = {
    "bare reference": (to(lambda sent: f"help+{sent.reference}@{DOMAIN}"), "stranger"),
    "bare reference in small letters": (
        to(lambda sent: f"help+{sent.reference.lower()}@{DOMAIN}"),
        "stranger",
    ),
    "reference of nothing": (to(lambda sent: f"help+{ticket(999_999)}@{DOMAIN}"), "unknown_reference"),
    "signature with another letter": (
        to(lambda sent: changed(sent, token=other_letter(sent.token()))),
        "stranger",
    ),
    "signature for another reference": (
        to(lambda sent: changed(sent, reference="999999-T")),
        "unknown_reference",
    ),
    "signature of another organisation": (to(lambda sent: sent.address(organisation="other")), "stranger"),
    "signature by a retired key": (to(lambda sent: sent.address(RETIRED)), "stranger"),
    "signature that is cut": (to(lambda sent: changed(sent, token=sent.token()[:-1])), None),
    "signature that is doubled": (to(lambda sent: changed(sent, token=sent.token() * 2)), None),
    "signature with a letter of another script": (
        to(lambda sent: changed(sent, token="\u212a" + sent.token()[1:])),
        "stranger",
    ),
    "reference that is cut": (to(lambda sent: changed(sent, reference=sent.reference[:-1])), None),
    "answer to a forged mail of ours": (
        answering(lambda sent: sent.id().replace(sent.token(), other_letter(sent.token()))),
        None,
    ),
    "answer to a cut mail of ours": (answering(lambda sent: sent.id()[:-20] + ">"), None),
    "answer to a mail of another organisation": (answering(lambda sent: sent.id(organisation="other")), None),
    "answer to a mail by a retired key": (answering(lambda sent: sent.id(RETIRED)), None),
    "our mail in References only": (answering(Sent.id, "References"), None),
    "Message-ID of another organisation": (
        answering(lambda sent: sent.id(organisation="other"), "Message-ID"),
        None,
    ),
}
"""What opens a Ticket of its own, and the doubt that is noted on it."""

UNREAD = {
    "signed address at another domain": to(lambda sent: changed(sent, domain="evil.example")),
    "signed address behind another plus": to(lambda sent: sent.address().replace("help+", "help+x+")),
}
"""What is addressed to nobody of ours."""


async def test_only_what_we_signed_brings_a_stranger_to_a_ticket(world: World, database: Database) -> None:
    imap = FakeImap()
    async with (
        world.reading(imap.connect),
        opened(make_pool(database.dsn_of("activity"), schema="activity", application="tests")) as pool,
    ):
        office = Office(pool)
        await office.configure(DEFINITION)
        imap.deliver(HELP, mail("hello", CARLA, {}))
        (first,) = await world.until_read(1)
        await office.take_in(handed_on(first))
        (ticket_,) = await office.tickets()
        sent = Sent(world.keyring, ticket_["reference"], first.conversation)

        ways = HOME | {name: way for name, (way, _) in ELSEWHERE.items()} | UNREAD
        mails = {
            name: mail(name, f"eve-{number}@evil.example", way(sent))
            for number, (name, way) in enumerate(ways.items())
        }
        imap.deliver(HELP, *mails.values(), mail("Carla", CARLA, {"To": f"help+{sent.reference}@{DOMAIN}"}))
        await eventually(lambda: not imap.folder(HELP).mails)
        received = {each.content.subject: each for each in await world.published()}
        await office.take_in(*map(handed_on, received.values()))

        arrived = set(await office.mails(sent.reference))
        home = {name for name, each in received.items() if each.mail in arrived}
        assert home == {"hello", "Carla", *HOME}
        rows = await pool.fetch(
            "SELECT content->>'subject' AS subject, doubts FROM mails WHERE direction = 'in'"
        )
        doubts = {row["subject"]: [each.partition(" ")[0] for each in row["doubts"]] for row in rows}
        assert {name: doubts[name] for name in ELSEWHERE} == {
            name: [doubt] if doubt else [] for name, (_, doubt) in ELSEWHERE.items()
        }
        assert received.keys() & UNREAD.keys() == set()
    unread = await world.pool.fetch(
        "SELECT headers->>'subject' AS subject, reason FROM mails WHERE state = 'unhandled'"
    )
    assert {row["subject"]: row["reason"] for row in unread} == dict.fromkeys(UNREAD, "not addressed")


async def test_our_own_message_id_is_our_own_mail_whoever_sends_it(world: World) -> None:
    """IN-5: what looks like ours is dropped only if we signed it."""
    imap = FakeImap()
    sent = Sent(world.keyring, "1-T", "0123456789abcdef")
    imap.deliver(
        HELP,
        mail("ours", CARLA, {"Message-ID": sent.id()}),
        mail("cut", CARLA, {"Message-ID": sent.id()[:-20] + ">"}),
        mail("by a retired key", CARLA, {"Message-ID": sent.id(RETIRED)}),
        mail("of another organisation", CARLA, {"Message-ID": sent.id(organisation="other")}),
    )
    async with world.reading(imap.connect):
        received = await world.until_read(3)
    assert [each.content.subject for each in received] == [
        "cut",
        "by a retired key",
        "of another organisation",
    ]
    assert await world.states() == {"own": 1, "received": 3}


DEFINITION = offices.DEFINITION.model_copy(
    update={
        "mailboxes": (offices.mailbox("help", PROCESS),),
        "processes": (offices.process(PROCESS),),
        "users": (),
    }
)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, tmp_path, ImapServer(host="fake.example")) as world:
        await world.configure(mailbox("help", fallback=Fallback(process=PROCESS, send_automated_emails=True)))
        yield world


def mail(subject: str, sender: str, fields: dict[str, str]) -> bytes:
    """A mail for the help desk, with other fields in the place of its own; spelled by nobody but us."""
    head = {
        "From": sender,
        "To": HELP,
        "Subject": subject,
        "Message-ID": f"<{uuid4()}@evil.example>",
    } | fields
    return "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\nLet me in.\r\n"


def handed_on(mail: MailReceived) -> Incoming[MailReceived]:
    """What Kafka would bring to activity."""
    return offices.incoming(mail, f"{mail.mail}", source="tests/ingest")
