"""What becomes of mails must not depend on how pages are cut, nor on how often a mail is taken in (AMB-9)."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.mail import Address, ParsedMail
from services.ingest.judging import Known, Verdict, judge, keys_to_look_up, note
from services.ingest.mail_rows import Circumstances, PreparedMail
from services.ingest.reading import FetchedMail
from services.ingest.routing import mailboxes_of
from services.ingest.store_mails import KnownMail
from shared.contracts.activity_organisation import Fallback, Imap, MailboxDefinition, Smtp
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.mail import Content
from shared.keyring import Keyring, generate_keyring
from shared.organisation import Organisation

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEYRING = Keyring.parse(generate_keyring())


def _mailbox(name: str) -> MailboxDefinition:
    return MailboxDefinition(
        name=name,
        address=f"{name}@acme.test",
        aliases=(f"{name}-alias@acme.test",),
        imap=Imap(server="main", user=name, password="imap"),
        smtp=Smtp(server="main"),
        fallback=Fallback(process="requests"),
    )


ACME = Organisation("acme", 1, mailboxes=(_mailbox("help"), _mailbox("billing")))


def _around(mailbox: str) -> Circumstances:
    return Circumstances(ACME, mailboxes_of(ACME), mailbox, KEYRING, NOW)


def _mail(
    message_id: str | None, text: str, to: tuple[str, ...], in_reply_to: tuple[str, ...] = ()
) -> ParsedMail:
    return ParsedMail(
        size=len(text),
        digest=sha256(f"{message_id} {text}".encode()).hexdigest(),
        message_id=message_id,
        in_reply_to=in_reply_to,
        date=NOW,
        sender=Address("jane@customer.example"),
        to=tuple(map(Address, to)),
        text=text,
    )


def _prepared(uid: int, mail: ParsedMail) -> PreparedMail:
    return PreparedMail(FetchedMail(uid, b"raw", 3, NOW), mail, Content(text=mail.text), None)


class Tables:
    """What the tables would hold, with the digests of each mailbox's copies."""

    def __init__(self) -> None:
        self.mails: dict[str, KnownMail] = {}
        self.copies: dict[tuple[str, str], str] = {}
        self.told: list[tuple[str, str, str]] = []

    def take(self, mailbox: str, mails: list[ParsedMail]) -> list[Verdict]:
        """One page, as intake does it."""
        known: Known = {
            key: replace(mail, digest=self.copies.get((key, mailbox))) for key, mail in self.mails.items()
        }
        around = _around(mailbox)
        verdicts = []
        for uid, mail in enumerate(mails):
            one = _prepared(uid, mail)
            verdict = judge(one, around, known)
            note(verdict, one, around, known)
            verdicts.append(verdict)
            if verdict.outgoing is not None:
                record = verdict.outgoing.record
                assert isinstance(record, MailReceived)
                self.told += [
                    (str(verdict.mail), target.address, record.conversation) for target in record.targets
                ]
        for key, found in known.items():
            self.mails[key] = found
            if found.digest is not None:
                self.copies[key, mailbox] = found.digest
        return verdicts


IDS = st.sampled_from(["a", "b", "c", None])
ADDRESSES = st.lists(
    st.sampled_from(["help@acme.test", "billing@acme.test", "help-alias@acme.test", "else@x.example"]),
    min_size=1,
    max_size=3,
    unique=True,
).map(tuple)
MAILS = st.builds(
    _mail,
    IDS,
    st.sampled_from(["one", "two"]),
    ADDRESSES,
    st.lists(st.sampled_from(["a", "b", "z"]), max_size=2, unique=True).map(tuple),
)


@given(st.lists(MAILS, max_size=12), st.lists(st.integers(0, 12), max_size=4))
@settings(max_examples=200)
def test_how_pages_are_cut_changes_nothing(mails: list[ParsedMail], cuts: list[int]) -> None:
    whole, parts = Tables(), Tables()
    whole.take("help", mails)
    borders = sorted({0, *cuts, len(mails)})
    for begin, end in pairwise(borders):
        parts.take("help", mails[begin:end])
    assert parts.told == whole.told
    assert parts.mails == whole.mails


@given(st.lists(MAILS, max_size=8))
@settings(max_examples=100)
def test_taking_a_mailbox_in_again_tells_nothing_twice(mails: list[ParsedMail]) -> None:
    """A new UIDVALIDITY, a restored backup: every mail comes once more.

    What was unhandled may find its conversation the second time; what was told is not told again.
    """
    tables = Tables()
    tables.take("help", mails)
    tables.take("help", mails)
    effects = [(mail, address) for mail, address, _ in tables.told]
    assert len(effects) == len(set(effects))


@given(st.lists(MAILS, max_size=8), st.booleans())
@settings(max_examples=100)
def test_each_target_of_a_mail_is_told_once_over_all_mailboxes(mails: list[ParsedMail], first: bool) -> None:
    tables = Tables()
    for mailbox in ("help", "billing") if first else ("billing", "help"):
        tables.take(mailbox, mails)
    effects = [(mail, address) for mail, address, _ in tables.told]
    assert len(effects) == len(set(effects))


def test_a_later_copy_stays_in_the_conversation_of_the_first() -> None:
    tables = Tables()
    tables.take("help", [_mail("x", "one", ("help@acme.test",))])
    copy = _mail("x", "one", ("help@acme.test", "billing@acme.test"), in_reply_to=("other",))
    (verdict,) = tables.take("billing", [copy])
    assert [target.address for target in verdict.targets] == ["billing@acme.test"]
    assert len({conversation for _, _, conversation in tables.told}) == 1


def test_what_has_to_be_looked_up_names_the_mail_and_its_parents_once() -> None:
    mails = [_mail("a", "one", ()), _mail("b", "two", (), in_reply_to=("a", "c"))]
    keys = keys_to_look_up("acme", mails)
    assert len(keys) == len(set(keys)) == 3
