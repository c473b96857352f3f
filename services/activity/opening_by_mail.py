"""A mail opens an activity: by its route, with its sender, and with what closed ones leave to it (IN-14)."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from services.activity import announce
from services.activity.approval_links import without_link
from services.activity.contact_scope import companies_over, company_of, company_of_new, may_be_on
from services.activity.domain.activity import Activity
from services.activity.domain.contacts import KnownContact, NewContact, Tagged, contact_of_sender
from services.activity.domain.files import Brought
from services.activity.domain.link_steps import LinkWith
from services.activity.domain.links import Earlier, Link
from services.activity.domain.matching import Doubted, Effect, Open, OpenedBecause
from services.activity.domain.refusals import Refusal
from services.activity.domain.steps import MailRouted
from services.activity.routes_taken import way_of
from services.activity.rules import flow_of, process_rules
from services.activity.store_contacts import Contact
from services.activity.store_mails import Mail, Recipients
from services.activity.taking_steps import Taken, take
from services.activity.work_links import answer_links
from services.activity.workspace import Workspace
from shared.contracts.activity_organisation import BlockMode, Process
from shared.contracts.envelope import Envelope
from shared.contracts.ingest_mails import MailReceived
from shared.organisation import Organisation
from shared.references import ReferenceKind
from shared.tokens import conversation_of_activity
from shared.unit_of_work import Incoming


def open_activity(
    workspace: Workspace, incoming: Incoming[MailReceived], mail: Mail, effect: Open
) -> Activity:
    """The Ticket or Case that matching wants, opened; the mail stands on it.

    What leaves another one has a conversation of its own: what was said before goes on there.
    """
    cause, target = incoming.envelope, effect.target
    organisation = workspace.organisations[cause.organisation]
    message, blocked = incoming.message, incoming.message.blocked
    addressed = next(each for each in message.targets if each.address.lower() == target.address)
    way = way_of(workspace, organisation, message, addressed)
    assert way is not None, "matching opens by targets that lead to a process"
    routed, process = way
    # The oldest first: ids grow with time.
    ended = [workspace.activities[cause.organisation, each] for each in sorted(effect.continues)]
    id_ = announce.effect_id(cause, f"activity/{target.address}")
    sender = _sender(workspace, incoming, organisation, process)
    thread = _thread(workspace, ended, mail)
    there = {each.mail for each in thread}
    departures = {each.mail: each for closed in ended for each in closed.departures_with(there)}
    near = (workspace.activities[cause.organisation, each] for each in effect.linked)
    # An Action and a Sub-Case have the links of their Case (LK-1, CA-7).
    linked = tuple({each.id: each for each in map(workspace.bearer, near)}.values())
    step = MailRouted(
        activity=id_,
        family=id_,
        reference=workspace.next_reference(cause.organisation, ReferenceKind(process.kind.value)),
        flow=flow_of(organisation, process),
        conversation=(
            conversation_of_activity(cause.organisation, id_)
            if effect.because is OpenedBecause.NEW_FROM_MAIL
            else mail.conversation
        ),
        mailbox=target.mailbox,
        title=mail.content.subject.strip(),
        description=mail.content.text,
        category=_category(organisation, process, routed.category),
        links=tuple(Link(each.id, each.reference, effect.because.value) for each in linked),
        mail=mail.id,
        sender=sender,
        acknowledge=routed.send_automated_emails,
        automatic=mail.automatic is not None,
        contacts=tuple(_contacts(workspace, reversed(ended), organisation, process.company)),
        extra=workspace.people.default_tags(organisation.name, {sender} if sender else set()),
        automated_mail=blocked is None,
        rejected=blocked is BlockMode.REJECT,
        thread=thread,
        departures=tuple(departures.values()),
        files=_files(workspace, cause, ended, id_),
    )
    taken = Taken(
        step=step,
        process=process.name,
        mailbox=target.mailbox,
        effect=announce.effect_id(cause, f"effect/{id_}"),
    )
    activity = take(workspace, cause, None, taken)
    if isinstance(activity, Refusal) or activity is None:
        raise ValueError(f"a mail could not open an activity: {activity}")
    workspace.place(mail, activity, target.mailbox)
    answer_links(
        workspace,
        cause,
        LinkWith((Link(activity.id, activity.reference, effect.because.value),)),
        linked,
    )
    return activity


def _thread(workspace: Workspace, ended: Iterable[Activity], mail: Mail) -> tuple[Earlier, ...]:
    """The mails of what it continues but the opening one, each from where it stood first."""
    thread: dict[UUID, Earlier] = {}
    for closed in ended:
        for id_ in workspace.mails_on(closed):
            thread.setdefault(id_, Earlier(id_, closed.id, closed.reference))
    return tuple(thread[id_] for id_ in sorted(thread) if id_ != mail.id)


def _files(
    workspace: Workspace, cause: Envelope, ended: Iterable[Activity], id_: UUID
) -> tuple[Brought, ...]:
    """The files of what it continues, each once: what was merged is the same file there (LK-1)."""
    bearers = {closed.bearer: workspace.bearer(closed) for closed in ended}.values()
    found = (each for bearer in bearers for each in workspace.files.snapshot(bearer, cause, id_))
    return tuple({each.file.id: each for each in found}.values())


def _contacts(
    workspace: Workspace, ended: Iterable[Activity], organisation: Organisation, company: str
) -> Iterator[Tagged]:
    """Who was on what it continues, without the contacts of other companies (CT-10)."""
    for closed in ended:
        for tagged in sorted(workspace.bearer(closed).contacts):
            contact = workspace.people.get((closed.organisation, tagged.contact))
            if contact and may_be_on(organisation, contact, company):
                yield Tagged(tagged.tag, contact.id)


def _sender(
    workspace: Workspace, incoming: Incoming[MailReceived], organisation: Organisation, process: Process
) -> UUID | None:
    """The sender's contact, made where the organisation wants that (CT-12), for testing in test (CT-18)."""
    company = process.company
    cause, sender = incoming.envelope, incoming.message.sender
    address = sender.address.lower() if sender else ""
    known = workspace.people.by_address(organisation.name, address)
    found = contact_of_sender(
        KnownContact(known.id, company_of(organisation, known)) if known else None,
        address,
        sender.name if sender else "",
        companies=companies_over(organisation, company),
        automatic_contacts=organisation.rules.automatic_contacts,
        local_to=company_of_new(organisation, address, company),
    )
    if not isinstance(found, NewContact):
        return found
    contact = Contact(
        organisation=organisation.name,
        id=announce.effect_id(cause, f"contact/{address}"),
        address=found.address,
        first_name=found.first_name,
        last_name=found.last_name,
        company=found.company,
        auto_created=True,
        test=organisation.is_in_test(process.name),
    )
    workspace.people.add(contact)
    workspace.people.tell(cause, contact)
    return contact.id


def _category(organisation: Organisation, process: Process, category: str | None) -> str | None:
    return category if category in process_rules(organisation, process.name, None).categories else None


def mail_of(organisation: str, message: MailReceived, effects: tuple[Effect, ...]) -> Mail:
    """The mail as it is kept here."""
    return Mail(
        organisation=organisation,
        id=message.mail,
        conversation=message.conversation,
        mailbox=message.mailbox,
        at=message.received,
        # Who is asked may be quoted by a machine that answers for him, and his link with it (A25).
        content=message.content.model_copy(update={"text": without_link(message.content.text)}),
        message_id=message.message_id,
        references=message.references or message.in_reply_to,
        sender=message.sender,
        recipients=Recipients(to=message.to, cc=message.cc),
        automatic=message.automatic,
        doubts=tuple(
            f"{effect.doubt.value} {effect.address}" for effect in effects if isinstance(effect, Doubted)
        ),
    )
