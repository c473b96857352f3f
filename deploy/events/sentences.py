"""What a record says, in one sentence for people: a table with a line for every type."""

from collections.abc import Callable, Mapping
from typing import Any

from deploy.events.heard import Heard
from deploy.events.phrases import due, held, listed, people, quoted, results, words
from shared.contracts import activity_activities as activities
from shared.contracts import activity_answers as answers
from shared.contracts import activity_approvals as approvals
from shared.contracts import activity_calls as calls
from shared.contracts import activity_contacts as contacts
from shared.contracts import activity_organisation as organisation
from shared.contracts import activity_requests as requests
from shared.contracts import activity_requests_approvals as approving
from shared.contracts import activity_requests_contacts as contact_requests
from shared.contracts import dead_letters, ingest_mails, ingest_requests, notify_mails, notify_requests
from shared.contracts.record import Record


def sentence(heard: Heard) -> str:
    """What the record says, without line breaks; what cannot be read says why."""
    if heard.topic.records is None:
        return _of_dead_letter(heard)
    if heard.message is None and heard.topic.compacted and heard.raw.value is None and heard.envelope:
        return f"{heard.envelope.subject or 'It'} is erased"
    if heard.message is None:
        return f"cannot be read: {heard.trouble}"
    return " ".join(SENTENCES[type(heard.message)](heard.message).split())


def _of_dead_letter(heard: Heard) -> str:
    said = {name: (value or b"").decode("utf-8", "replace") for name, value in heard.raw.headers}
    consumer = said.get(dead_letters.ORIGINAL_CONSUMER_GROUP, "somebody")
    return f"{consumer} could not work on it: {said.get(dead_letters.EXCEPTION_MESSAGE, 'nobody knows why')}"


def _received(it: ingest_mails.MailReceived) -> str:
    routes = [f"route {each.routed.route}" for each in it.targets if each.routed]
    kind = "An automatic mail" if it.automatic else "A mail"
    sender = it.sender.address if it.sender else "nobody"
    return (
        f"{kind} from {sender} to {listed(each.address for each in it.targets)}: "
        f"{quoted(it.content.subject)}, {listed(routes, 'no route')}"
    )


def _opened(it: activities.ActivityOpened) -> str:
    return f"Opened by {words(it.started_by)} in {it.process}: {words(it.status)}, {held(it.holders)}"


def _status(it: activities.ActivityStatusChanged) -> str:
    until = f", until {it.due_at:%Y-%m-%d %H:%M} UTC" if it.due_at else ""
    wait = f" ({words(it.wait)})" if it.wait else ""
    return f"{words(it.was)} became {words(it.status)}{wait}: {words(it.reason)}{until}"


def _appended(it: activities.ActivityMailAppended) -> str:
    review = f"; to be looked at: {listed(map(words, it.review))}" if it.review else ""
    return f"{'An automatic mail' if it.automatic else 'A mail'} came in, by {words(it.matched_by)}{review}"


def _tagged(it: activities.ActivityContactTagged) -> str:
    return f"A contact {'is no longer' if it.removed else 'became'} {words(it.tag)}"


def _composing(it: notify_requests.MailCompose) -> str:
    kind = "An automatic mail" if it.automatic else "A mail"
    what = f"template {it.template}" if it.template else quoted(it.text or "")
    return f"{kind} from {it.mailbox} to {people(*it.to, *it.cc)}: {what}"


def _asked(what: str) -> Callable[[requests.Request], str]:
    return lambda it: f"{it.actor.id} wants {what}"


_DEPARTURES = {"requested": "is to begin a new Ticket", "done": "began", "failed": "began no new Ticket"}

SENTENCES: Mapping[type[Record], Callable[[Any], str]] = {
    ingest_mails.MailReceived: _received,
    ingest_mails.MailboxPolled: lambda it: (
        f"{it.mailbox} is read up to {it.until:%H:%M:%S} UTC (partition {it.partition})"
    ),
    ingest_requests.MailSetAside: lambda it: (
        f"A mail to {listed(it.addresses)} found no place: {quoted(it.detail)}"
    ),
    ingest_requests.MailForget: lambda it: (
        f"Mail {it.mail} is erased" if it.erase else f"Nothing needs mail {it.mail} any longer"
    ),
    ingest_requests.MailReinject: lambda it: f"Mail {it.mail} is to begin a new Ticket",
    ingest_mails.MailNotReinjected: lambda it: f"Mail {it.mail} cannot begin a new Ticket: {words(it.why)}",
    notify_requests.MailForget: lambda it: f"Nothing needs mail {it.mail} any longer",
    activities.ActivityOpened: _opened,
    activities.ActivityEdited: lambda it: f"Edited: {listed(it.fields, 'nothing')}",
    activities.ActivityStatusChanged: _status,
    activities.ActivityHeld: lambda it: f"Now {held(it.holders)}",
    activities.ActivityDueChanged: lambda it: f"Now {due(it.due)}",
    activities.ActivityMailAppended: _appended,
    activities.ActivityMailContinued: lambda it: f"Has a mail of {it.from_reference}, too",
    activities.ActivityInformationMarked: lambda it: (
        "There is new information" if it.new else "Its new information was read"
    ),
    activities.ActivityNoted: lambda it: f"{it.actor.id} wrote a note",
    activities.ActivityContactTagged: _tagged,
    activities.ActivityLinked: lambda it: f"Linked with {it.with_reference}: {words(it.reason)}",
    activities.ActivityUnlinked: lambda it: f"Not linked with {it.with_reference} any more",
    activities.ActivityMailCopied: lambda it: f"Began with a mail of {it.from_reference}",
    activities.ActivityMailShared: lambda it: (
        f"Got a mail of {it.with_reference}" if it.received else f"Shared a mail with {it.with_reference}"
    ),
    activities.ActivityDepartureMarked: lambda it: (
        f"A mail of it {_DEPARTURES[it.state]}"
        + (f" {it.with_reference}" if it.with_reference else "")
        + (f": {it.why}" if it.why else "")
    ),
    activities.ActivityKeepingChanged: lambda it: (
        f"Kept with {it.user}" if it.user else "Not kept with anybody any more"
    ),
    activities.ActivityMarkedForPerson: lambda it: f"Marked for a person by {it.robot}",
    activities.ActivityHandedAgain: lambda it: f"Handed to {it.robot} again",
    activities.ActivityFeedbackGiven: lambda it: f"Rated {it.rating} of 5",
    activities.TicketSplitInto: lambda it: f"Split into {', '.join(each.reference for each in it.into)}",
    activities.TicketMerged: lambda it: f"Merged into {it.into.reference}",
    activities.TicketConverted: lambda it: f"Goes on as {it.into.reference}, a Case of {it.process}",
    activities.CaseStepEntered: lambda it: f"Entered step {it.step}",
    activities.CaseActionLaunched: lambda it: (
        f"Launched {it.launched.reference}, {it.action}" + (", by hand" if it.by_hand else "")
    ),
    activities.CaseActionEnded: lambda it: (
        f"{it.ended.reference} ended" + (f", done by {it.person}" if it.person else "")
    ),
    activities.CaseAttentionMarked: lambda it: (
        f"Needs attention: {it.because}" if it.needed else "Needs no attention any more"
    ),
    activities.CaseReworked: lambda it: (
        f"Done again from step {it.step}" + (f", {it.action} alone" if it.action else "")
    ),
    activities.ActionChecklistAnswered: lambda it: ", ".join(
        f"{quoted(each.point)} {words(each.answer)}" for each in it.answers
    ),
    activities.ActionReviewAsked: lambda it: (
        f"Done by {it.done_by}, and to be looked at by somebody else" if it.done_by else "To be reviewed"
    ),
    activities.ActionCalled: lambda it: (
        f"Called {it.call}, attempt {it.attempt}: waits until {it.answer_by:%Y-%m-%d %H:%M} UTC"
    ),
    activities.ActionCallAnswered: lambda it: (
        f"Attempt {it.attempt} to call: {it.outcome}"
        + (f", again at {it.again_at:%Y-%m-%d %H:%M} UTC" if it.again_at else "")
    ),
    calls.CallMade: lambda it: (
        f"{it.reference} calls {it.call} for {quoted(it.title)}, attempt {it.attempt}:"
        f" to be answered until {it.answer_by:%Y-%m-%d %H:%M} UTC"
    ),
    activities.ActionNotSent: lambda it: "Could not write by itself",
    activities.CaseSubCaseStarted: lambda it: (
        f"Started {it.started.reference}, a Case of {it.process}, under it"
        + (f" by {it.by.reference}" if it.by else "")
    ),
    activities.CaseSubCaseEnded: lambda it: f"{it.ended.reference}, a Case under it, is closed",
    activities.ActionCaseNotStarted: lambda it: f"Could not start its Case: {it.why}",
    activities.ActionNoSubCase: lambda it: f"There is no Sub-Case to wait for: {words(it.reason)}",
    approvals.ActionApprovalAsked: lambda it: (
        f"Asked {listed(it.approvers)} to approve, at level {it.level} of round {it.round}"
    ),
    approvals.ActionApprovalGiven: lambda it: f"{'Approved' if it.approved else 'Declined'} by {it.actor.id}",
    activities.ActivityTookOver: lambda it: f"Took over {it.source.reference}, which was merged into it",
    activities.ActivityFileAdded: lambda it: f"The file {quoted(it.blob.name or '')} stands on it",
    activities.ActivityFileEdited: lambda it: f"A file is called {quoted(it.blob.name or '')} now",
    activities.ActivityFileRemoved: lambda it: f"The file {quoted(it.blob.name or '')} is gone",
    activities.ActivityMailRequested: lambda it: f"A mail was asked of notify: {words(it.purpose)}",
    activities.ActivityMailReported: lambda it: (
        f"The mail was {it.outcome}" + (f": {results(it.recipients)}" if it.recipients else "")
    ),
    answers.RequestAccepted: lambda it: (
        f"Accepted: {it.request.type} of {it.request.source}; {it.reference} is {words(it.status)}"
    ),
    answers.RequestRefused: lambda it: f"Refused: {it.request.type} of {it.request.source}: {it.detail}",
    answers.ContactAccepted: lambda it: (
        f"Accepted: {it.request.type} of {it.request.source}; contact {it.contact} is at version {it.version}"
    ),
    contacts.ContactChanged: lambda it: (
        f"Contact {it.address} ({it.company or 'everybody’s'}) is at version {it.version}"
    ),
    contacts.ContactMerged: lambda it: f"Contact {it.address} is one with {it.into}",
    contact_requests.ContactCreate: lambda it: f"{it.actor.id} wants a contact for {it.address}",
    contact_requests.ContactEdit: _asked("to change a contact"),
    contact_requests.ContactMerge: lambda it: (
        f"{it.actor.id} wants contact {it.contact} to be one with {it.into}"
    ),
    contact_requests.ContactErase: lambda it: (
        f"{it.actor.id} wants the person erased who is contact {it.contact}: {words(it.reason)}"
    ),
    requests.ActivityOpen: lambda it: (
        f"{it.actor.id} wants a {it.type.partition('.')[0].capitalize()} in {it.process}: "
        f"{quoted(it.title or 'no title')}"
    ),
    requests.TicketConvert: lambda it: f"{it.actor.id} wants it to go on as a Case of {it.process}",
    requests.CaseWait: _asked("it to wait for more information"),
    requests.CasePause: _asked("to pause it"),
    requests.CaseResolve: _asked("to resolve it"),
    requests.CaseLaunch: lambda it: f"{it.actor.id} wants {it.action} launched, {it.copies} of it",
    requests.CaseStartSubCase: lambda it: f"{it.actor.id} wants a Case of {it.process} started under it",
    requests.CaseRework: lambda it: (
        f"{it.actor.id} wants it done again from step {it.step}" + (f", {it.action}" if it.action else "")
    ),
    requests.CaseAbandon: _asked("to abandon it"),
    requests.ActionAnswerChecklist: lambda it: (
        f"{it.actor.id} wants to answer {', '.join(quoted(each.point) for each in it.answers)}"
    ),
    requests.ActionComplete: _asked("to complete it"),
    requests.ActionGiveUp: lambda it: f"{it.actor.id} cannot do it: {quoted(it.reason)}",
    requests.ActionAnswerCall: lambda it: (
        f"{it.actor.id} answers attempt {it.attempt} to call: {it.outcome}"
        + (f", {quoted(it.detail)}" if it.detail else "")
    ),
    approving.ActionApprove: lambda it: f"{it.actor.id} approves it",
    approving.ActionDecline: lambda it: f"{it.actor.id} declines it: {quoted(it.comment)}",
    requests.ActivityEdit: _asked("to edit it"),
    requests.ActivitySubmit: _asked("to submit it"),
    requests.ActivityPickUp: _asked("to take it"),
    requests.ActivityAssign: lambda it: (
        f"{it.actor.id} wants to give it to {it.assignee if it.assignee else 'its queue'}"
    ),
    requests.ActivitySetToDo: _asked("it back in to do"),
    requests.TicketWait: lambda it: f"{it.actor.id} wants it to wait {it.days} days for more information",
    requests.ActivityWaitUntil: lambda it: (
        f"{it.actor.id} wants it to wait until {it.until:%Y-%m-%d %H:%M} UTC"
    ),
    requests.ActivityResume: lambda it: f"{it.actor.id} wants to end its wait: {words(it.to)}",
    requests.TicketResolve: lambda it: f"{it.actor.id} wants it resolved: {words(it.method.value)}",
    requests.ActivityReopen: _asked("to reopen it"),
    requests.ActivitySetDueDate: _asked("to set its due date"),
    requests.ActivityNote: lambda it: f"{it.actor.id} wants to note {quoted(it.text)}",
    requests.ActivityEditFile: _asked("to change what a file is called, or its tags"),
    requests.ActivityRemoveFile: _asked("to take a file away"),
    requests.ActivityReply: lambda it: (
        f"{it.actor.id} wants to write to {people(*it.to, *it.cc) if it.to else 'the primary contact'}: "
        f"{quoted(it.text)}"
    ),
    requests.ActivityLink: lambda it: f"{it.actor.id} wants it linked with {', '.join(it.with_references)}",
    requests.ActivityUnlink: lambda it: (
        f"{it.actor.id} wants it linked with {', '.join(it.with_references)} no longer"
    ),
    requests.ActivityShareMail: lambda it: (
        f"{it.actor.id} wants a mail shared with {', '.join(it.with_references)}"
    ),
    requests.ActivityNewFromMail: _asked("a new Ticket from one of its mails"),
    requests.ActivityNext: _asked("it as the next work"),
    requests.WorkTakeNext: lambda it: f"{it.actor.id} wants to be given what comes next",
    requests.ActivityKeepWithMe: lambda it: f"{it.actor.id} wants to say whether it stays with him",
    requests.ActivityRejectWork: lambda it: f"{it.actor.id} wants a person to do it",
    requests.TicketSendAndResolve: lambda it: f"{it.actor.id} wants it resolved by a mail: {quoted(it.text)}",
    requests.ActivityFeedback: lambda it: f"{it.actor.id} wants it rated {it.rating} of 5",
    requests.TicketSplit: lambda it: (
        f"{it.actor.id} wants it split into {', '.join(quoted(part.title) for part in it.parts)}"
    ),
    requests.TicketMergeInto: lambda it: f"{it.actor.id} wants it merged into {it.into}",
    requests.ActivityMerge: lambda it: f"{it.actor.id} wants {', '.join(it.sources)} merged into it",
    requests.ActivityMarkInformation: lambda it: (
        f"{it.actor.id} wants its new information marked as {'new' if it.new else 'read'}"
    ),
    notify_requests.MailCompose: _composing,
    notify_mails.MailComposed: lambda it: (
        f"Composed to {people(*it.to, *it.cc)}: {quoted(it.content.subject)}"
    ),
    notify_mails.MailSent: lambda it: f"Sent: {results(it.recipients)}",
    notify_mails.MailDeferred: lambda it: (
        f"Not sent yet ({it.reason}); attempt {it.attempts + 1} at {it.next_attempt:%Y-%m-%d %H:%M} UTC"
    ),
    notify_mails.MailFailed: lambda it: (
        f"Not sent after {it.attempts} attempts ({it.reason}): {results(it.recipients)}"
    ),
    notify_mails.MailRefused: lambda it: f"Refused: {it.detail}",
    notify_mails.RequestRefused: lambda it: f"notify did not understand {it.request.type}: {it.detail}",
    organisation.MailboxesSection: lambda it: (
        f"Version {it.version}, mailboxes: {listed((each.name for each in it.mailboxes), 'none')}"
    ),
    organisation.ProcessesSection: lambda it: (
        f"Version {it.version}, processes: {listed((each.name for each in it.processes), 'none')}"
    ),
    organisation.FieldsSection: lambda it: (
        f"Version {it.version}, custom fields: {listed((each.name for each in it.fields), 'none')}"
    ),
    organisation.TimesSection: lambda it: (
        f"Version {it.version}, {len(it.calendars)} calendars and {len(it.due_dates)} due-date rules"
    ),
    organisation.PeopleSection: lambda it: (
        f"Version {it.version}, {len(it.users)} users, {len(it.teams)} teams and {len(it.queues)} queues"
    ),
    organisation.TemplatesSection: lambda it: (
        f"Version {it.version}, templates: {listed((each.name for each in it.templates), 'none')}"
    ),
    organisation.RulesSection: lambda it: f"Version {it.version}, rules of the organisation as a whole",
    organisation.OrganisationApplied: lambda it: f"Version {it.version} is applied",
}
