"""What ingest says: a mail came in, a mailbox was read to its end (`ingest.mails.v1`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.mail import Content, Mailbox
from shared.contracts.organisation_mail import BlockMode
from shared.contracts.record import Conversation, EmailAddress, Instant, Name, Part, Record, Reference


class PlusReference(Part):
    """A plus address of ours among the recipients (PA-4).

    `signed` is true when its token is valid (AMB-38); a bare reference counts only for participants, which
    is activity's to judge. A token alone carries a conversation and no reference.
    """

    address: EmailAddress
    mailbox: Name
    reference: Reference | None = None
    conversation: Conversation | None = None
    signed: bool


class Answered(Part):
    """A mail of ours that this one answers, read from a valid Message-ID in In-Reply-To or References."""

    message_id: str
    reference: Reference | None = None
    conversation: Conversation
    direct: bool
    """True for In-Reply-To, which matches (IN-2); References only place the mail in its conversation."""


class Routed(Part):
    """The route that an addressed mailbox found for the mail (RT-1, RT-2)."""

    route: str
    process: Name
    category: str | None = None
    send_automated_emails: bool = False
    test_mode: bool = False


class Target(Part):
    """One address of ours that the mail was sent to: at most one new activity each (RT-6).

    `routed` is empty where no route matched: such a target can append, and never opens. `routed_for_test` is
    the first matching route to a process in test, which a sender takes who is a contact for testing (CT-18).
    """

    mailbox: Name
    address: EmailAddress
    routed: Routed | None = None
    routed_for_test: Routed | None = None


class MailReceived(Record):
    """A mail was fetched, understood and kept. Key: organisation and conversation.

    A later copy from another mailbox carries only the targets that no earlier copy had. `in_reply_to` and
    `references` are the header's Message-IDs without angle brackets, oldest first. `automatic` names the
    rule of IN-15 that recognised automatic mail. `explanation` lists the rules that led here.
    """

    type: Literal["mail.received"] = "mail.received"
    mail: UUID
    mailbox: Name
    conversation: Conversation
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    dated: Instant | None = None
    received: Instant
    sender: Mailbox | None = None
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    content: Content
    automatic: str | None = None
    blocked: BlockMode | None = None
    """How the sender is kept out, by the organisation's list (BL-1): no automatic mail goes out for it."""
    answered: tuple[Answered, ...] = ()
    plus: tuple[PlusReference, ...] = ()
    targets: Annotated[tuple[Target, ...], Field(min_length=1)]
    explanation: tuple[str, ...] = ()
    configuration: int
    """The version of the organisation's configuration that decided."""
    reinjected_for: UUID | None = None
    """The activity that it was appended to wrongly: it opens a new one and is appended nowhere (IN-6)."""


class MailboxPolled(Record):
    """Every mail that lay in the mailbox at `until` stands before this record, in each partition.

    It is published to each partition of the topic; `partition` says which one this is. Whoever has read it
    in all of them has read every mail that could have arrived before `until`, so that a timer due by then
    may close something (design §5). A mailbox that cannot be read is silent.
    """

    type: Literal["mailbox.polled"] = "mailbox.polled"
    mailbox: Name
    until: Instant
    partition: Annotated[int, Field(ge=0)]


class MailNotReinjected(Record):
    """The mail is not told of again for this activity, and why (CE-7). Key: organisation and conversation."""

    type: Literal["mail.not_reinjected"] = "mail.not_reinjected"
    mail: UUID
    activity: UUID
    why: Literal["no_route", "not_kept"]


IngestMail = Annotated[MailReceived | MailboxPolled | MailNotReinjected, Field(discriminator="type")]
