"""What becomes of each mail of a page, given what is known: pure, mail by mail, in their order.

Earlier mails of the page count like those in the tables, so how pages are cut changes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.ingest.announce import mail_received
from services.ingest.domain.conversation import parents
from services.ingest.domain.decide import (
    Decision,
    Facts,
    OwnMail,
    Received,
    Target,
    Unhandled,
    decide,
)
from services.ingest.domain.keys import key_in_mailbox, key_of_message_id, mail_key
from services.ingest.domain.mail import ParsedMail
from services.ingest.mail_rows import (
    FAILED,
    OWN,
    RECEIVED,
    UNHANDLED,
    Circumstances,
    Outcome,
    PreparedMail,
    explained,
    headers_of,
    outcome_of,
    row_of,
)
from services.ingest.store_mails import Judgement, KnownMail, MailRow, NeededMail
from shared.unit_of_work import Outgoing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about one mail. `row` is there for a new one, `judgement` for one decided again."""

    prepared: PreparedMail
    mail: UUID
    row: MailRow | None = None
    judgement: Judgement | None = None
    targets: tuple[Target, ...] = ()
    outgoing: Outgoing | None = None

    @property
    def uid(self) -> int:
        return self.prepared.fetched.uid

    @property
    def digest(self) -> str:
        return self.prepared.mail.digest


Known = dict[str, KnownMail]
"""The mails that are known before the next one, by key: from the tables, and those before it."""


def keys_to_look_up(organisation: str, mails: Sequence[ParsedMail]) -> list[str]:
    """The keys of the mails and of those they may answer."""
    keys = dict.fromkeys(mail_key(organisation, mail) for mail in mails)
    keys |= dict.fromkeys(
        key_of_message_id(organisation, message_id) for mail in mails for message_id in parents(mail)
    )
    return list(keys)


def further_keys(organisation: str, mails: Sequence[ParsedMail], known: Known) -> list[str]:
    """The keys that mails may turn out to have because their Message-ID was seen with other content."""
    keys = [mail_key(organisation, mail) for mail in mails]
    counted = Counter(keys)
    return [
        key_in_mailbox(organisation, mail, {key: ""})
        for key, mail in zip(keys, mails, strict=True)
        if counted[key] > 1 or key_of(organisation, mail, known) != key
    ]


def key_of(organisation: str, mail: ParsedMail, known: Known) -> str:
    """The mail's key, seen in the mailbox that `known` was looked up for."""
    key = mail_key(organisation, mail)
    same = known.get(key)
    seen = {key: same.digest} if same is not None and same.digest is not None else {}
    return key_in_mailbox(organisation, mail, seen)


def conversations_of(organisation: str, mail: ParsedMail, known: Known) -> dict[str, str]:
    """The conversations of the received mails that this one may answer, by Message-ID."""
    found: dict[str, str] = {}
    for message_id in parents(mail):
        same = known.get(key_of_message_id(organisation, message_id))
        if same is not None and same.state == RECEIVED and same.conversation is not None:
            found[message_id] = same.conversation
    return found


def judge(one: PreparedMail, around: Circumstances, known: Known, key: str | None = None) -> Verdict:
    """Decide about one mail. Raises whatever a mistake of ours raises; then nothing has been noted.

    `key` is for a mail that is taken in already: another parser may make another key of it.
    """
    organisation = around.organisation.name
    mail = one.mail
    key = key or key_of(organisation, mail, known)
    decision = decide(
        mail,
        around.mailbox,
        around.mailboxes,
        conversations_of(organisation, mail, known),
        keyring=around.keyring,
        key=key,
    )
    same = known.get(key)
    if same is None:
        return _new(one, around, key, decision)
    if same.state == OWN or isinstance(decision, OwnMail):
        return Verdict(one, same.id)
    return _again(one, around, same, decision)


def note(verdict: Verdict, one: PreparedMail, around: Circumstances, known: Known) -> None:
    """Let the mails behind this one know of it."""
    key = key_of(around.organisation.name, one.mail, known)
    same = known.get(key)
    changed = verdict.row or verdict.judgement
    if changed is None and same is None:
        return
    told = frozenset(target.address for target in verdict.targets)
    known[key] = KnownMail(
        id=verdict.mail,
        key=key,
        state=changed.state if changed else same.state if same else UNHANDLED,
        conversation=changed.conversation if changed else same.conversation if same else None,
        digest=(same.digest if same else None) or verdict.digest,
        covered=told | (same.covered if same else frozenset()),
        returns=same.returns if same else 0,
    )


def needed(verdict: Verdict) -> NeededMail:
    """What a mail that is published again needs kept."""
    one = verdict.prepared
    raw = None if one.raw_object else one.fetched.raw
    return NeededMail(verdict.mail, raw, one.raw_object, one.fetched.truncated, one.objects)


def failed(one: PreparedMail, around: Circumstances, known: Known, detail: str) -> Verdict:
    """Park a mail that a mistake of ours keeps from being decided or stored: as little of it as can be."""
    key = key_of(around.organisation.name, one.mail, known)
    same = known.get(key)
    if same is not None:
        return Verdict(one, same.id)
    row = row_of(one, around, key, Outcome(UNHANDLED, None, FAILED, detail), {}, {"explanation": []})
    return Verdict(one, row.id, row=row)


def _new(one: PreparedMail, around: Circumstances, key: str, decision: Decision) -> Verdict:
    headers = headers_of(one.mail)
    if isinstance(decision, OwnMail):
        outcome = Outcome(OWN, decision.message.conversation)
        row = row_of(one, around, key, outcome, headers, {"explanation": list(decision.explanation)})
        return Verdict(one, row.id, row=row)
    outcome = outcome_of(one, decision)
    row = row_of(one, around, key, outcome, headers, explained(one, decision))
    if outcome.state != RECEIVED:
        return Verdict(one, row.id, row=row)
    facts = decision.facts
    return Verdict(
        one,
        row.id,
        row=row,
        targets=facts.targets,
        outgoing=_outgoing(one, around, row.id, key, facts, facts.conversation, facts.targets, 0),
    )


def _again(
    one: PreparedMail, around: Circumstances, same: KnownMail, decision: Received | Unhandled
) -> Verdict:
    """A later copy, or the same mail decided again: activity is told of the targets it does not know."""
    outcome = outcome_of(one, decision)
    facts = decision.facts
    conversation = same.conversation or facts.conversation
    judgement = None
    if same.state == UNHANDLED:
        judgement = Judgement(
            id=same.id,
            state=outcome.state,
            reason=outcome.reason,
            detail=outcome.detail,
            conversation=conversation,
            configuration=around.organisation.version,
            decision=explained(one, decision),
        )
    missing = tuple(target for target in facts.targets if target.address not in same.covered)
    if outcome.state != RECEIVED or not missing:
        return Verdict(one, same.id, judgement=judgement)
    return Verdict(
        one,
        same.id,
        judgement=judgement,
        targets=missing,
        outgoing=_outgoing(one, around, same.id, same.key, facts, conversation, missing, same.returns),
    )


def _outgoing(
    one: PreparedMail,
    around: Circumstances,
    mail: UUID,
    key: str,
    facts: Facts,
    conversation: str,
    targets: tuple[Target, ...],
    returns: int,
) -> Outgoing:
    return mail_received(
        around.organisation,
        id=mail,
        key=key,
        mailbox=around.mailbox,
        mail=one.mail,
        arrived=one.fetched.arrived,
        content=one.content,
        facts=facts,
        conversation=conversation,
        targets=targets,
        returns=returns,
        now=around.now,
        traceparent=one.fetched.traceparent,
    )
