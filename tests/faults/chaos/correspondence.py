"""Who writes during a run, and what: new matters, afterthoughts, answers, copies; to one mailbox or to both.

Everything is noted before it is handed to the mail server, with the place that the server gave it.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Self

from tests.faults.chaos.known import Letter, Place
from tests.faults.chaos.matters import SUBJECT
from tests.faults.chaos.postbox import Postbox, opened_postbox
from tests.faults.chaos.sink import Sink, Taken
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.mailroom import Mailroom

_PEOPLE = 50
_LONGEST_THREAD = 12
_RECENT = 200
"""Threads that people still think of."""
_LARGE = 300 * 1024
"""Bytes: too large for the table of raw mails, which sends it to the blob store."""

# How often what is written; the rest are new matters.
_ANSWER, _AFTERTHOUGHT, _BURST, _TO_BOTH, _AGAIN, _CASE = 0.25, 0.25, 0.15, 0.06, 0.05, 0.15
_ATTACHED, _HTML, _BROKEN, _HUGE = 0.15, 0.15, 0.03, 0.01


@dataclass
class _Thread:
    """A customer's matter. `mails` are those that went to all of its mailboxes, oldest first.

    Afterthoughts go on from the last of them: what lies in each mailbox is read behind what it goes on from,
    while between mailboxes there is no order. Of some matters a Case is made, by their `subject`.
    """

    person: str
    homes: tuple[str, ...]
    subject: str
    case: bool
    mails: list[str] = field(default_factory=list)


@dataclass
class Correspondence:
    """`written` and `places` are what is true, whatever the services make of it."""

    mailroom: Mailroom
    dovecot: Dovecot
    sink: Sink
    chance: random.Random
    written: dict[str, Letter] = field(default_factory=dict)
    places: defaultdict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    owed: int = 0
    """How many effects all of it has to have."""
    acknowledgements_owed: int = 0
    _threads: list[_Thread] = field(default_factory=list)
    _to_answer: list[Taken] = field(default_factory=list)
    _by_opening: dict[str, _Thread] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)
    _heard: int = 0
    _boxes: dict[str, Postbox] = field(default_factory=dict)
    _exits: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        for mailbox in self.mailroom.definition.mailboxes:
            box = opened_postbox(self.dovecot.address, mailbox.imap.user, PASSWORD)
            self._boxes[mailbox.name] = await self._exits.enter_async_context(box)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    async def write(self, number: int) -> None:
        """Write at least so many mails, and put them into their mailboxes."""
        self.hear()
        deliveries: defaultdict[str, list[tuple[str, bytes]]] = defaultdict(list)
        wanted = len(self.written) + number
        while len(self.written) < wanted:
            for letter, mail in self._next():
                self.written[letter.message_id] = letter
                self.owed += len(letter.homes)
                copies = 2 if self.chance.random() < _AGAIN else 1
                for home in letter.homes * copies:
                    deliveries[home].append((letter.message_id, mail))
        for home, mails in deliveries.items():
            uids = await self._boxes[home].put([mail for _, mail in mails])
            for (message_id, _), uid in zip(mails, uids, strict=True):
                self.places[message_id].append(Place(home, uid))

    @property
    def acknowledged(self) -> int:
        """How many acknowledgements have come; one that came again counts once."""
        return len(self._said)

    def hear(self) -> None:
        """Look for acknowledgements that came. Of one that came twice, people answer the first."""
        fresh = self.sink.look(self._heard)
        self._heard += len(fresh)
        for taken in fresh:
            if taken.in_reply_to in self._by_opening and taken.message_id not in self._said:
                self._said.add(taken.message_id)
                self._to_answer.append(taken)

    def _next(self) -> Iterator[tuple[Letter, bytes]]:
        kind = self.chance.random()
        if kind < _ANSWER and self._to_answer:
            yield self._answer(self._to_answer.pop(self.chance.randrange(len(self._to_answer))))
        elif kind < _ANSWER + _AFTERTHOUGHT and self._threads:
            yield self._afterthought(self.chance.choice(self._threads[-_RECENT:]))
        else:
            yield self._opening()
            if self.chance.random() < _BURST:
                for _ in range(self.chance.randint(1, 4)):
                    yield self._afterthought(self._threads[-1])

    def _opening(self) -> tuple[Letter, bytes]:
        names = tuple(self._boxes)
        homes = names if self.chance.random() < _TO_BOTH else (self.chance.choice(names),)
        person = f"carl{self.chance.randrange(_PEOPLE)}@{self.mailroom.customers}"
        case = self.chance.random() < _CASE
        subject = f"{SUBJECT if case else 'Matter'} {len(self._threads) + 1}"
        thread = _Thread(person, homes, subject, case)
        self._threads.append(thread)
        self.acknowledgements_owed += len(homes)
        mail = self._mail(thread, [self._address(home) for home in homes])
        return self._goes_on(thread, mail)

    def _afterthought(self, thread: _Thread) -> tuple[Letter, bytes]:
        """The customer answers the last mail of their own, to the same mailboxes."""
        mail = self._mail(thread, [self._address(home) for home in thread.homes])
        mail["In-Reply-To"] = f"<{thread.mails[-1]}>"
        first, *later = thread.mails
        mail["References"] = " ".join(f"<{each}>" for each in (first, *later[-_LONGEST_THREAD:]))
        return self._goes_on(thread, mail)

    def _answer(self, taken: Taken) -> tuple[Letter, bytes]:
        """To an acknowledgement, as mail programs do it: to the address that it names."""
        thread = self._by_opening[taken.in_reply_to]
        mail = self._mail(thread, [taken.reply_to])
        mail["In-Reply-To"] = f"<{taken.message_id}>"
        mail["References"] = f"{taken.references} <{taken.message_id}>".strip()
        letter = Letter(_name(mail), thread.mails[0], (home_of(self.mailroom, taken.sender),))
        return letter, self._adorned(mail)

    def _mail(self, thread: _Thread, to: list[str]) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = thread.person, ", ".join(to)
        mail["Message-ID"] = (
            f"<{len(self.written)}.{self.chance.getrandbits(64):016x}@{self.mailroom.customers}>"
        )
        mail["Subject"] = thread.subject
        mail.set_content("Please help.\n")
        return mail

    def _goes_on(self, thread: _Thread, mail: EmailMessage) -> tuple[Letter, bytes]:
        thread.mails.append(_name(mail))
        self._by_opening[thread.mails[0]] = thread
        return Letter(thread.mails[-1], thread.mails[0], thread.homes, thread.case), self._adorned(mail)

    def _adorned(self, mail: EmailMessage) -> bytes:
        """With what real mail has: HTML, files, mistakes."""
        if self.chance.random() < _HTML:
            mail.add_alternative("<p>Please <b>help</b>.</p>", subtype="html")
        if self.chance.random() < _ATTACHED:
            size = _LARGE if self.chance.random() < _HUGE / _ATTACHED else self.chance.randrange(100, 5000)
            mail.add_attachment(self.chance.randbytes(size), "application", "pdf", filename="scan.pdf")
        raw = mail.as_bytes()
        if self.chance.random() < _BROKEN:
            raw = raw.replace(b"7bit", b"base64", 1)  # what the strict parser refuses
        return raw

    def _address(self, home: str) -> str:
        return next(each.address for each in self.mailroom.definition.mailboxes if each.name == home)


def _name(mail: EmailMessage) -> str:
    return str(mail["Message-ID"]).strip("<>")


def home_of(mailroom: Mailroom, address: str) -> str:
    """The mailbox behind an address of ours, plus address or not; empty for anybody else's."""
    local, _, domain = address.partition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    return next((each.name for each in mailroom.definition.mailboxes if each.address == plain), "")
