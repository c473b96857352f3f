"""Mails that are asked of notify: to whom, from where, in answer to what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.activity import announce
from services.activity.approval_links import ApprovalLink
from services.activity.domain.activity import Activity
from services.activity.domain.contacts import holders_of
from services.activity.domain.events import MailRequested
from services.activity.domain.evolving import task_of
from services.activity.domain.vocabulary import Purpose, Tag
from services.activity.rules import sending_mailbox, template_for
from services.activity.store_mails import Mail, Recipients
from services.activity.workspace import Workspace
from shared.contracts.blob import Blob
from shared.contracts.envelope import Envelope
from shared.contracts.mail import TEXT_LIMIT, Attachment, Content, Mailbox
from shared.contracts.notify_requests import MailCompose
from shared.organisation import Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an agent wrote, and to whom, with which files. `answers` is the mail that is answered, if any."""

    text: str
    subject: str | None
    recipients: Recipients
    answers: Mail | None
    files: tuple[Blob, ...] = ()


def automatic(
    workspace: Workspace,
    cause: Envelope,
    activity: Activity,
    event: MailRequested,
    more: Mapping[str, str],
) -> None:
    """Ask for a mail made from a template: an acknowledgement, or word of a closed or split Ticket (NT-1).

    `more` are variables that say something of the step that led to it.
    """
    organisation = workspace.organisations[activity.organisation]
    if event.purpose is Purpose.APPROVAL:
        _ask_approver(workspace, cause, activity, event, organisation)
        return
    people = workspace.people
    recipients = Recipients(
        to=_people(workspace, activity.organisation, event.to),
        cc=_people(workspace, activity.organisation, event.cc),
    )
    first = people.get((activity.organisation, event.to[0])) if event.to else None
    process = organisation.process(activity.process)
    compose = _compose(
        workspace,
        activity,
        mail=event.mail,
        recipients=recipients,
        answers=_answered_by(workspace, activity),
        automatic=True,
        template=template_for(organisation, activity, event.purpose),
        variables={**_variables(organisation, activity), **more},
        language=(first and first.language) or process.language,
    )
    _ask(workspace, cause, activity, compose, event.purpose.value, Content())


def _ask_approver(
    workspace: Workspace,
    cause: Envelope,
    activity: Activity,
    event: MailRequested,
    organisation: Organisation,
) -> None:
    """To one approver, with a link of his own; it answers nobody's mail (A25)."""
    asked, links = task_of(activity).round, workspace.links
    assert asked is not None, "a mail that asks belongs to a round"
    approver = asked.written_to(event.mail)
    assert approver is not None, "and to somebody who is asked in it"
    assert links is not None, "an approval asks only where links can be made"
    user = organisation.user(approver)
    assert user.address is not None, "an approval asks only who has an address"
    link = ApprovalLink(activity.organisation, activity.id, asked.number, asked.level, approver)
    compose = _compose(
        workspace,
        activity,
        mail=event.mail,
        recipients=Recipients(to=(Mailbox(address=user.address, name=user.title),)),
        answers=None,
        automatic=True,
        template=template_for(organisation, activity, event.purpose),
        variables={**_variables(organisation, activity), "link": links.url(link)},
        language=organisation.process(activity.process).language,
    )
    _ask(workspace, cause, activity, compose, event.purpose.value, Content())


def reply(workspace: Workspace, cause: Envelope, activity: Activity, mail: UUID, written: Reply) -> None:
    """Ask for a mail that a person wrote (NT-10)."""
    subject = written.subject
    if subject is None:
        subject = (written.answers.content.subject if written.answers else "") or activity.title
    compose = _compose(
        workspace,
        activity,
        mail=mail,
        recipients=written.recipients,
        answers=written.answers,
        automatic=False,
        text=written.text,
        subject=subject.strip()[:998] or str(activity.reference),
        attachments=written.files,
    )
    content = Content(
        subject=compose.subject or "",
        text=written.text[:TEXT_LIMIT],
        attachments=tuple(Attachment(blob=each) for each in written.files),
    )
    _ask(workspace, cause, activity, compose, "reply", content)


def primary_recipients(workspace: Workspace, activity: Activity) -> Recipients:
    """To the primary contact, copies to the contacts in CC (NT-10)."""
    primary = [activity.primary_contact] if activity.primary_contact else []
    copies = [each for each in holders_of(activity.contacts, Tag.CC) if each not in primary]
    return Recipients(
        to=_people(workspace, activity.organisation, primary),
        cc=_people(workspace, activity.organisation, copies),
    )


def _compose(
    workspace: Workspace,
    activity: Activity,
    *,
    mail: UUID,
    recipients: Recipients,
    answers: Mail | None,
    **written: Any,
) -> MailCompose:
    organisation = workspace.organisations[activity.organisation]
    mailbox = sending_mailbox(organisation, activity.process, activity.mailbox)
    assert mailbox is not None, "a mail is only asked for where there is a mailbox to send it from"
    return MailCompose(
        mail=mail,
        activity=activity.id,
        reference=str(activity.reference),
        conversation=activity.conversation,
        mailbox=mailbox.name,
        to=recipients.to,
        cc=recipients.cc,
        in_reply_to=answers.message_id if answers else None,
        references=thread_of(answers) if answers else (),
        requested=workspace.now,
        configuration=organisation.version,
        **written,
    )


def thread_of(mail: Mail) -> tuple[str, ...]:
    """The References of an answer to `mail`: its own thread and itself (RFC 5322 3.6.4)."""
    return (*mail.references, mail.message_id) if mail.message_id else mail.references


def _answered_by(workspace: Workspace, activity: Activity) -> Mail | None:
    """The newest mail that came in; for a Ticket that is just being opened the one that opens it."""
    newest = workspace.newest.get((activity.organisation, activity.id))
    if newest or activity.opening_mail is None:
        return newest
    return workspace.mails.get((activity.organisation, activity.opening_mail))


def _ask(
    workspace: Workspace,
    cause: Envelope,
    activity: Activity,
    compose: MailCompose,
    purpose: str,
    content: Content,
) -> None:
    mail = Mail(
        organisation=activity.organisation,
        id=compose.mail,
        conversation=compose.conversation,
        mailbox=compose.mailbox,
        at=workspace.now,
        content=content,
        references=compose.references,
        recipients=Recipients(to=compose.to, cc=compose.cc),
        purpose=purpose,
        outcome="requested",
    )
    workspace.keep(mail)
    workspace.place(mail, activity, compose.mailbox)
    workspace.said.append(announce.mail_request(cause, compose))


def _people(workspace: Workspace, organisation: str, ids: Iterable[UUID]) -> tuple[Mailbox, ...]:
    found: Sequence[Mailbox] = [
        Mailbox(address=contact.address, name=contact.name)
        for id_ in ids
        if (contact := workspace.people.get((organisation, id_)))
    ]
    return tuple(found)


def _variables(organisation: Organisation, activity: Activity) -> dict[str, str]:
    """What a template may say of the activity and its process; notify leaves out what a stranger wrote."""
    process = organisation.process(activity.process)
    titles = {
        "process": process.title,
        "company": organisation.company(process.company).title,
        "queue": organisation.queue(process.queue).title,
        "service": next((each.title for each in organisation.services if each.name == process.service), ""),
    }
    waited = activity.wait.days if activity.wait else None
    return {
        "reference": str(activity.reference),
        "title": activity.title,
        "waited": str(waited) if waited is not None else "",
        **titles,
    }
