"""A mail came in: matched with the activities it is about, appended to them, or opening new ones."""

from collections.abc import Iterator

from services.activity import announce, work_departures
from services.activity.domain.activity import Activity
from services.activity.domain.links import DepartureState
from services.activity.domain.mail_facts import Answered, Known, MailFacts, PlusReference, Target
from services.activity.domain.mail_families import Append
from services.activity.domain.matching import Open, Unplaced, match
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State, Status, WaitType
from services.activity.domain.steps import MailArrived
from services.activity.needs import Needs
from services.activity.opening_by_mail import mail_of, open_activity
from services.activity.routes_taken import NO_TEST, REJECTED, is_for_testing, way_of
from services.activity.rules import matching_rules
from services.activity.store_mails import Mail
from services.activity.taking_steps import step_of, take
from services.activity.workspace import Workspace
from shared import references
from shared.contracts.activity_organisation import BlockMode
from shared.contracts.ingest_mails import Answered as AnsweredToken
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.ingest_mails import PlusReference as ReceivedPlus
from shared.contracts.ingest_requests import MailSetAside
from shared.organisation import Organisation
from shared.outbox import Outgoing
from shared.unit_of_work import Incoming

NO_ROUTE = "none of its addresses has a route"


def gather(incoming: Incoming[MailReceived], needs: Needs) -> None:
    """What has to be read to match the mail and to open activities from it."""
    organisation, mail = incoming.envelope.organisation, incoming.message
    needs.arrived.add((organisation, mail.mail))
    if mail.reinjected_for:
        needs.activities.add((organisation, mail.reinjected_for))
    needs.message_ids |= {(organisation, message_id) for message_id in _answers(mail)}
    tokens: list[ReceivedPlus | AnsweredToken] = [*mail.plus, *_direct(mail)]
    for named in tokens:
        if named.reference:
            needs.references.add((organisation, _canonical(named.reference)))
        elif named.conversation:
            needs.conversations.add((organisation, named.conversation))
    if mail.sender:
        needs.addresses.add((organisation, mail.sender.address.lower()))
    needs.opening[organisation] += sum(
        bool(target.routed or target.routed_for_test) for target in mail.targets
    )


def perform(workspace: Workspace, incoming: Incoming[MailReceived]) -> None:
    """Append the mail, or open activities from it; what an earlier copy did is not done again."""
    name, message = incoming.envelope.organisation, incoming.message
    if message.reinjected_for is not None:
        work_departures.reinjected(workspace, incoming)
        return
    if _erased(workspace, incoming):
        return
    organisation = workspace.organisations[name]
    facts = _facts(workspace, organisation, message)
    named = _candidates(workspace, name, facts, message)
    known = {activity.id: _known(workspace, activity) for activity in workspace.with_relatives(named)}
    effects = match(facts, known, matching_rules(organisation))
    mail = workspace.mails.get((name, message.mail))
    if mail is None or mail.removed_at is not None:
        mail = mail_of(name, message, effects)
    for effect in effects:
        match effect:
            case Append():
                workspace.keep(mail)
                _append(workspace, incoming, mail, facts, effect)
            case Open():
                workspace.keep(mail)
                open_activity(workspace, incoming, mail, effect)
    # What found no place is left undone: it may be tried again once there is a route for it.
    unplaced = [effect.target for effect in effects if isinstance(effect, Unplaced)]
    if unplaced:
        why = NO_TEST if is_for_testing(workspace, organisation, message) else NO_ROUTE
        rejected = message.blocked is BlockMode.REJECT
        workspace.said.append(_given_back(incoming, unplaced, REJECTED if rejected else why))
    workspace.effects |= {
        (name, message.mail, target.address) for target in facts.targets if target not in unplaced
    }


def _erased(workspace: Workspace, incoming: Incoming[MailReceived]) -> bool:
    """Whether somebody on the mail was erased: what comes of it again is, too, and opens nothing (CT-21)."""
    name, message = incoming.envelope.organisation, incoming.message
    mail = workspace.mails.get((name, message.mail))
    if mail is None or mail.erased_at is None:
        return False
    workspace.said.append(
        announce.mail_forget(incoming.envelope, mail.id, mail.conversation, incoming=True, erase=True)
    )
    workspace.effects |= {(name, message.mail, target.address.lower()) for target in message.targets}
    return True


def _given_back(incoming: Incoming[MailReceived], unplaced: list[Target], why: str) -> Outgoing:
    """Nobody would see the mail otherwise: ingest lists it as unhandled (UH-1)."""
    message = incoming.message
    request = MailSetAside(
        mail=message.mail,
        addresses=tuple(target.address for target in unplaced),
        detail=f"it names no activity that can take it, and {why}",
    )
    return announce.mail_set_aside(incoming.envelope, message.conversation, request)


def _append(
    workspace: Workspace, incoming: Incoming[MailReceived], mail: Mail, facts: MailFacts, effect: Append
) -> None:
    step = MailArrived(
        mail=mail.id,
        matched_by=effect.matched_by,
        automatic=mail.automatic is not None,
        review=effect.review,
    )
    activity = workspace.activities[mail.organisation, effect.activity]
    after = take(workspace, incoming.envelope, activity, step_of(activity, step, incoming.envelope))
    if isinstance(after, Refusal) or after is None:
        raise ValueError(f"an open activity refused a mail: {after}")
    workspace.place(mail, after, _came_through(after, facts))


# What matching is told


def _facts(workspace: Workspace, organisation: Organisation, message: MailReceived) -> MailFacts:
    name = organisation.name
    addressed = (organisation.mailbox_of(each.address) for each in (*message.to, *message.cc))
    left = {
        activity
        for message_id in _answers(message)
        for mail in workspace.by_message_id(name, message_id)
        for activity in workspace.standing.get(mail.key, {})
        if _has_left(workspace.activities[name, activity], mail)
    }
    return MailFacts(
        sender=message.sender.address.lower() if message.sender else "",
        addressed=frozenset(mailbox for mailbox in addressed if mailbox),
        targets=tuple(
            Target(
                target.address.lower(),
                target.mailbox,
                way_of(workspace, organisation, message, target) is not None,
            )
            for target in message.targets
        ),
        answered=tuple(_answered(workspace, name, message)),
        plus=tuple(_plus(workspace, name, plus) for plus in message.plus),
        done=frozenset(
            target.address.lower()
            for target in message.targets
            if (name, message.mail, target.address.lower()) in workspace.effects
        ),
        appended=frozenset(workspace.standing.get((name, message.mail), ())),
        left=frozenset(left),
    )


def _has_left(activity: Activity, mail: Mail) -> bool:
    departure = activity.departure(mail.id)
    return departure is not None and departure.state is DepartureState.DONE


def _answered(workspace: Workspace, name: str, message: MailReceived) -> Iterator[Answered]:
    """The mails that In-Reply-To names, by our tables or else by the token in our own Message-ID (IN-2)."""
    for message_id in _answers(message):
        found = [
            Answered(activity, mailbox, mail.incoming)
            for mail in workspace.by_message_id(name, message_id)
            for activity, mailbox in sorted(workspace.standing.get(mail.key, {}).items())
            if (mail.key, activity) not in workspace.aside
        ]
        if not found:
            tokens = (token for token in _direct(message) if token.message_id == message_id)
            found = [
                Answered(activity.id, activity.mailbox, received=False)
                for token in tokens
                for activity in _named(workspace, name, token)
            ]
        yield from found


def _plus(workspace: Workspace, name: str, plus: ReceivedPlus) -> PlusReference:
    activity = workspace.by_reference(name, _canonical(plus.reference)) if plus.reference else None
    return PlusReference(
        address=plus.address,
        mailbox=plus.mailbox,
        activity=activity.id if activity else None,
        conversation=None if plus.reference else plus.conversation,
        signed=plus.signed,
    )


def _candidates(
    workspace: Workspace, name: str, facts: MailFacts, message: MailReceived
) -> Iterator[Activity]:
    for answered in facts.answered:
        yield workspace.activities[name, answered.activity]
    for plus in message.plus:
        yield from _named(workspace, name, plus)


def _named(workspace: Workspace, name: str, token: ReceivedPlus | AnsweredToken) -> list[Activity]:
    """What a token names: the activity of its reference, or those of its conversation."""
    if token.reference:
        activity = workspace.by_reference(name, _canonical(token.reference))
        return [activity] if activity else []
    return workspace.by_conversation(name, token.conversation) if token.conversation else []


def _known(workspace: Workspace, activity: Activity) -> Known:
    people = workspace.correspondents.get((activity.organisation, activity.id), {})
    tagged = workspace.bearer(activity).contacts
    contacts = (workspace.people.get((activity.organisation, each.contact)) for each in tagged)
    return Known(
        id=activity.id,
        closed=activity.status is Status.CLOSED,
        mailbox=activity.mailbox,
        conversation=activity.conversation,
        parent=activity.parent,
        split=activity.state is State.WAIT_SPLIT,
        merged_into=activity.merged_into,
        converted=bool(activity.wait and activity.wait.type is WaitType.CASE_LAUNCHED),
        thread=frozenset(mailbox for mailbox in people.values() if mailbox),
        participants=frozenset(address for address, mailbox in people.items() if mailbox is None)
        | {contact.address for contact in contacts if contact},
    )


def _came_through(activity: Activity, facts: MailFacts) -> str:
    """The mailbox because of which the mail stands here: the activity's own if it was addressed (IN-2)."""
    if activity.mailbox in facts.addressed:
        return activity.mailbox or ""
    named = (plus.mailbox for plus in facts.plus if plus.activity == activity.id)
    return next(named, facts.targets[0].mailbox)


def _answers(message: MailReceived) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*message.in_reply_to, *(each.message_id for each in _direct(message)))))


def _direct(message: MailReceived) -> list[AnsweredToken]:
    return [each for each in message.answered if each.direct]


def _canonical(reference: str) -> str:
    return str(references.parse(reference) or reference)
