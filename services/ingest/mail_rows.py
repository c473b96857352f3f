"""What is kept of a mail: its row, with what people are shown of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.ingest.announce import mail_id
from services.ingest.domain.decide import Received, Unhandled
from services.ingest.domain.mail import ParsedMail
from services.ingest.domain.mailboxes import Mailboxes
from services.ingest.reading import FetchedMail
from services.ingest.store_mails import MailRow
from shared.contracts.mail import Content
from shared.keyring import Keyring
from shared.organisation import Organisation

RECEIVED, OWN, UNHANDLED = "received", "own", "unhandled"
TOO_LARGE, FAILED = "too large", "failed"


@dataclass(frozen=True, slots=True)
class PreparedMail:
    """A mail that is read, parsed and whose large parts are stored: all that is decided with."""

    fetched: FetchedMail
    mail: ParsedMail
    content: Content
    raw_object: str | None
    """Where the raw mail is in the blob store, if it is too large for a table."""

    @property
    def objects(self) -> list[str]:
        """All of it that is in the blob store."""
        content = self.content
        blobs = (content.full_text, content.html, *(each.blob for each in content.attachments))
        objects = {blob.object for blob in blobs if blob}
        return sorted(objects | ({self.raw_object} if self.raw_object else set()))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all mails of a page are decided with."""

    organisation: Organisation
    mailboxes: Mailboxes
    mailbox: str
    keyring: Keyring
    now: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail. `reason` and `detail` say why it is unhandled."""

    state: str
    conversation: str | None
    reason: str | None = None
    detail: str | None = None


def row_of(
    one: PreparedMail,
    around: Circumstances,
    key: str,
    outcome: Outcome,
    headers: dict[str, Any],
    decision: dict[str, Any],
) -> MailRow:
    """The row of a mail that is new."""
    return MailRow(
        id=mail_id(key, one.mail, one.fetched.arrived),
        key=key,
        mailbox=around.mailbox,
        state=outcome.state,
        reason=outcome.reason,
        detail=outcome.detail,
        conversation=outcome.conversation,
        configuration=around.organisation.version,
        size=one.fetched.size,
        headers=headers,
        decision=decision,
        raw=None if one.raw_object else one.fetched.raw,
        raw_object=one.raw_object,
        truncated=one.fetched.truncated,
        objects=one.objects,
    )


def outcome_of(one: PreparedMail, decision: Received | Unhandled) -> Outcome:
    """What a decision makes of the mail; a mail that is not here whole goes nowhere."""
    conversation = decision.facts.conversation
    if one.fetched.truncated:
        detail = f"{one.fetched.size} bytes are more than are taken in"
        return Outcome(UNHANDLED, conversation, TOO_LARGE, detail)
    if isinstance(decision, Unhandled):
        return Outcome(UNHANDLED, conversation, str(decision.reason), one.mail.unparsed_reason)
    return Outcome(RECEIVED, conversation)


def headers_of(mail: ParsedMail) -> dict[str, Any]:
    """What people are shown of a mail's head (GET /v1/mails/{id})."""
    return {
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "date": mail.date.isoformat() if mail.date else None,
        "subject": mail.subject,
        "from": mail.sender.address if mail.sender else None,
        "reply_to": [address.address for address in mail.reply_to],
        "to": [address.address for address in mail.to],
        "cc": [address.address for address in mail.cc],
    }


def explained(one: PreparedMail, decision: Received | Unhandled) -> dict[str, Any]:
    """What people are shown of how it was decided."""
    facts = decision.facts
    return {
        "explanation": list(facts.explanation),
        "automatic": list(facts.automatic),
        "targets": [
            {
                "mailbox": target.mailbox,
                "address": target.address,
                "route": target.routed.route if target.routed else None,
                "process": target.routed.process if target.routed else None,
            }
            for target in facts.targets
        ],
        "defects": list(one.mail.defects),
        "invalid_addresses": list(one.mail.invalid_addresses),
    }
