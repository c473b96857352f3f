"""A Ticket goes on as a Case, which has its number and all that it has (T30, GL-7, LK-1)."""

from services.activity import announce
from services.activity.contact_scope import may_be_on
from services.activity.domain.activity import Activity
from services.activity.domain.contacts import Tagged
from services.activity.domain.family_steps import Convert, ConvertedFrom
from services.activity.domain.links import Other
from services.activity.domain.refusals import Refusal
from services.activity.domain.vocabulary import Actor
from services.activity.needs import Needs
from services.activity.request_names import Declined, given_fields, permit
from services.activity.rules import flow_of
from services.activity.splits_and_merges import answer_carried, links_of, thread_of
from services.activity.taking_steps import Taken, carry_out, judge, step_of
from services.activity.work_links import fitting_fields
from services.activity.workspace import Workspace
from shared import references
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import Process, ProcessKind
from shared.contracts.envelope import Envelope
from shared.field_values import FieldValue
from shared.organisation import Organisation, Unknown
from shared.tokens import conversation_of_activity

Done = tuple[Activity, ...]
"""The Ticket, and behind it the Case."""


def gather(organisation: str, request: asked.Request, needs: Needs) -> None:
    """The Ticket with its links, mails and files, which the Case has, too."""
    if isinstance(request, asked.TicketConvert):
        needs.copied.add((organisation, request.reference))
        needs.threads.add((organisation, request.reference))


def perform(
    workspace: Workspace, cause: Envelope, ticket: Activity, request: asked.TicketConvert, actor: Actor
) -> Refusal | Done:
    """Convert it. Raises `Declined` for a process that is none of Cases, or not his."""
    organisation = workspace.organisations[ticket.organisation]
    try:
        process = organisation.process(request.process)
    except Unknown as unknown:
        raise Declined("unknown_name", f"{unknown}.".capitalize()) from None
    if process.kind is not ProcessKind.CASE:
        raise Declined("other_kind", f"The process {process.name!r} is one of Tickets.", "process")
    permit(organisation, request, process.name)
    given = given_fields(organisation, process.name, request.fields)
    case = Other(announce.effect_id(cause, "activity/case"), references.case(ticket.reference.number))
    convert = step_of(
        ticket, Convert(case, process.name), cause, actor, expected_version=request.expected_version
    )
    opening = _opening(workspace, cause, ticket, case, process, actor, request, given)
    for activity, taken in ((ticket, convert), (None, opening)):
        if refusal := judge(workspace, cause, activity, taken):
            return refusal
    ticket = carry_out(workspace, cause, ticket, convert)
    return ticket, _open_case(workspace, cause, ticket, opening, actor)


def open_again(
    workspace: Workspace,
    cause: Envelope,
    ticket: Activity,
    case: Other,
    process: Process,
    actor: Actor,
    request: asked.TicketConvert | None,
) -> Activity:
    """The Case of a Ticket that says that it was converted, of which nothing was said (see `recover.py`)."""
    organisation = workspace.organisations[ticket.organisation]
    given = given_fields(organisation, process.name, request.fields) if request else ()
    opening = _opening(workspace, cause, ticket, case, process, actor, request, given)
    return _open_case(workspace, cause, ticket, opening, actor)


def _open_case(
    workspace: Workspace, cause: Envelope, ticket: Activity, opening: Taken, actor: Actor
) -> Activity:
    """Let the Case come into being; what the Ticket was linked with is linked with it, too (LK-6)."""
    case = carry_out(workspace, cause, None, opening)
    answer_carried(workspace, cause, case, links_of(workspace, ticket), actor)
    return workspace.activities[case.organisation, case.id]


def _opening(
    workspace: Workspace,
    cause: Envelope,
    ticket: Activity,
    case: Other,
    process: Process,
    actor: Actor,
    request: asked.TicketConvert | None,
    given: tuple[FieldValue, ...],
) -> Taken:
    organisation = workspace.organisations[ticket.organisation]
    thread = thread_of(workspace, ticket)
    step = ConvertedFrom(
        activity=case.activity,
        family=ticket.family,
        reference=case.reference,
        conversation=conversation_of_activity(ticket.organisation, case.activity),
        mailbox=ticket.mailbox,
        title=(request and request.title) or ticket.title,
        description=(request and request.description) or ticket.description,
        automated_mail=ticket.automated_mail,
        links=links_of(workspace, ticket),
        contacts=tuple(_contacts(workspace, organisation, ticket, process)),
        fields=(*fitting_fields(organisation, process.name, ticket), *given),
        flow=flow_of(organisation, process),
        parent=Other(ticket.id, ticket.reference),
        counts_since=ticket.started_at,
        thread=thread,
        departures=ticket.departures_with({each.mail for each in thread}),
        files=workspace.files.all_of(ticket),
    )
    effect = announce.effect_id(cause, f"effect/{case.activity}")
    return Taken(step=step, process=process.name, mailbox=ticket.mailbox, effect=effect, actor=actor)


def _contacts(
    workspace: Workspace, organisation: Organisation, ticket: Activity, process: Process
) -> list[Tagged]:
    """Who is on the Ticket, without the contacts of other companies than the Case's (CT-10)."""
    found = ((each, workspace.people.get((ticket.organisation, each.contact))) for each in ticket.contacts)
    return sorted(
        each for each, contact in found if contact and may_be_on(organisation, contact, process.company)
    )
