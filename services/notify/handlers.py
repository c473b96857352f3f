"""What comes from Kafka: requests for mail, as the domain sees them."""

from typing import Any

from services.notify import announce, store_retention
from services.notify.domain.mail import Asked, File, OrganisationView, Person, SendingMailbox, TemplateText
from services.notify.outgoing import Order, Outgoing
from shared import outbox, tracing_records
from shared.contracts.activity_organisation import PlusMode
from shared.contracts.envelope import Envelope
from shared.contracts.mail import Mailbox
from shared.contracts.notify_requests import MailCompose, MailForget
from shared.organisation import Organisation, Organisations, Wanted
from shared.organisation_copy import NeverAnnounced
from shared.references import parse
from shared.unit_of_work import Batch, Incoming, Unknown, Unreadable


class Handlers:
    """The handlers of notify's topics."""

    def __init__(self, organisations: Organisations, outgoing: Outgoing) -> None:
        self._organisations = organisations
        self._outgoing = outgoing

    async def on_requests(self, batch: Batch[Any]) -> None:
        """`notify.requests.v1`: decide about each mail with a configuration not older than its request.

        Then note which mails are needed no more: nobody asks for a mail after that.
        """
        await self._compose(batch, [each for each in batch.records if isinstance(each.message, MailCompose)])
        unneeded = {
            (each.envelope.organisation, each.message.mail)
            for each in batch.records
            if isinstance(each.message, MailForget)
        }
        await store_retention.unneeded_since(batch.connection, unneeded, batch.now)

    async def _compose(self, batch: Batch[Any], requests: list[Incoming[MailCompose]]) -> None:
        found = await self._organisations.find(batch.connection, {_wanted(each) for each in requests})
        views = {each.name: view_of(each) for each in found.values()}
        orders: list[Order] = []
        ordered: list[Incoming[MailCompose]] = []
        for incoming in tracing_records.each(requests):
            if (wanted := _wanted(incoming)) not in found:
                batch.reject(incoming, NeverAnnounced(*wanted))
                continue
            try:
                orders.append(_order(incoming, views[incoming.envelope.organisation]))
                ordered.append(incoming)
            except ValueError as error:
                batch.reject(incoming, error)
        for incoming, bug in zip(ordered, await self._outgoing.take(batch, orders), strict=True):
            if bug is not None:
                batch.reject(incoming, bug)


def refuse(envelope: Envelope, what: Unknown | Unreadable) -> outbox.Outgoing:
    """The answer to a request that this version does not understand."""
    return announce.not_understood(envelope, what.detail)


def view_of(organisation: Organisation) -> OrganisationView:
    """What outgoing mail has to know of an organisation's configuration."""
    return OrganisationView(
        name=organisation.name,
        mailboxes={
            mailbox.name: SendingMailbox(
                address=mailbox.address,
                name=mailbox.display_name,
                plus=mailbox.plus_addressing is not PlusMode.OFF,
                hide=mailbox.hide_matching_data,
            )
            for mailbox in organisation.mailboxes
        },
        templates={
            template.name: {
                language: TemplateText(text.subject, text.text, text.html)
                for language, text in template.texts.items()
            }
            for template in organisation.templates
        },
        own_mailbox=organisation.mailbox_of,
        hourly_limit=organisation.rules.sender_mails_per_hour,
    )


def _wanted(incoming: Incoming[MailCompose]) -> Wanted:
    return incoming.envelope.organisation, incoming.message.configuration


def _order(incoming: Incoming[MailCompose], organisation: OrganisationView) -> Order:
    request = incoming.message
    reference = parse(request.reference)
    if reference is None:
        raise ValueError(f"{request.reference!r} is no reference")
    asked = Asked(
        mail=request.mail,
        reference=reference,
        conversation=request.conversation,
        mailbox=request.mailbox,
        to=_people(request.to),
        cc=_people(request.cc),
        subject=request.subject,
        template=request.template,
        variables=request.variables,
        text=request.text,
        language=request.language,
        in_reply_to=request.in_reply_to,
        references=request.references,
        automatic=request.automatic,
        attachments=tuple(
            File(each.object, each.name or f"attachment-{number}", each.media_type)
            for number, each in enumerate(request.attachments, 1)
        ),
    )
    return Order(incoming.envelope, request, asked, organisation)


def _people(mailboxes: tuple[Mailbox, ...]) -> tuple[Person, ...]:
    return tuple(Person(each.address, each.name) for each in mailboxes)
