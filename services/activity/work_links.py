"""Tickets that are linked and unlinked, two and two (LK-2 to LK-4), and what one begins with from another."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.activity.announce import EFFECT
from services.activity.domain.activity import Activity
from services.activity.domain.link_steps import LinkWith, Unlink
from services.activity.domain.links import Earlier, Link, LinkReason
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import Status
from services.activity.domain.vocabulary import SYSTEM, Actor
from services.activity.needs import Needs
from services.activity.request_names import Declined, permit
from services.activity.rules import field_rules
from services.activity.taking_steps import judge, step_of, take
from services.activity.workspace import Workspace
from shared import field_values, references
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.field_values import FieldValue
from shared.organisation import Organisation
from shared.references import ReferenceKind

Tying = asked.ActivityLink | asked.ActivityUnlink
"""The requests that are about two Tickets each."""


def gather(organisation: str, request: asked.Request, needs: Needs) -> None:
    """The Tickets that the request names beside its own; all of them are locked together, in order."""
    match request:
        case asked.ActivityLink() | asked.ActivityUnlink() | asked.ActivityShareMail():
            needs.references |= {(organisation, each) for each in request.with_references}
        case asked.ActivityOpen(linked_to=str(source)):
            needs.references.add((organisation, source))
            if request.copies or request.copy_files:
                needs.copied.add((organisation, source))


def perform(
    workspace: Workspace, cause: Envelope, activity: Activity, request: Tying, actor: Actor
) -> Activity | tuple[Activity, ...] | Refusal:
    """Link it with all of the others, or with none; each of those shows this one and nobody else (LK-4).

    Raises `Declined`. A closed Ticket takes no step, but others may be linked with it: that changes nothing
    of it (T38).
    """
    others = (
        [] if activity.status is Status.CLOSED else others_of(workspace, activity, request.with_references)
    )
    kind = LinkWith if isinstance(request, asked.ActivityLink) else Unlink
    step = kind(tuple(_link(other, LinkReason.LINKED) for other in others))
    version = request.expected_version
    taken = step_of(activity, step, cause, actor, effect=EFFECT, expected_version=version)
    bearer = workspace.bearer(activity)
    if bearer is not activity:  # what a Sub-Case is linked with, the Case at the top is (CA-7)
        if refusal := judge(workspace, cause, activity, taken):
            return refusal
        taken = replace(taken, expected_version=None)
    after = take(workspace, cause, bearer, taken)
    assert after is not None, "a request does something or is refused"
    if isinstance(after, Activity):
        answer_links(workspace, cause, kind((_link(after, LinkReason.LINKED),)), others, actor)
        return after if bearer is activity else (activity, after)
    return after


def answer_links(
    workspace: Workspace,
    cause: Envelope,
    step: LinkWith | Unlink,
    others: Iterable[Activity],
    actor: Actor = SYSTEM,
) -> None:
    """Let the other sides say so, too: all that can still change, of what is part of a Case that Case."""
    for other in others:
        other = workspace.bearer(workspace.activities[other.organisation, other.id])
        if other.status is not Status.CLOSED:
            taken = step_of(other, step, cause, actor, effect=f"link/{other.id}")
            after = take(workspace, cause, other, taken)
            if isinstance(after, Refusal):
                raise ValueError(f"an open activity refused a link: {after}")


def others_of(workspace: Workspace, activity: Activity, named: Iterable[str]) -> list[Activity]:
    """The others that are named, each once, of Sub-Cases the Case at the top, which has their links (CA-7).

    Raises `Declined`; another organisation's are unknown.
    """
    names = list(dict.fromkeys(named))
    kinds = {name: parsed.kind for name in names if (parsed := references.parse(name))}
    if actions := [name for name, kind in kinds.items() if kind is ReferenceKind.ACTION]:
        raise Declined(
            "not_linkable", "Links are between Tickets and Cases: name an Action's Case (LK-2).", *actions
        )
    found = {name: workspace.by_reference(activity.organisation, name) for name in names}
    if unknown := [name for name in names if found[name] is None]:
        raise Declined("not_found", f"There is no {', '.join(unknown)}.", *unknown)
    bearers = (workspace.bearer(other) for other in found.values() if other)
    others = list({each.id: each for each in bearers}.values())
    if any(other.id == activity.bearer for other in others):
        raise Declined(
            "linked_with_itself", f"{activity.reference} is not linked with itself.", str(activity.reference)
        )
    return others


# A Ticket that is opened from another one (LK-5)


def source_of(
    workspace: Workspace, organisation: Organisation, request: asked.ActivityOpen
) -> Activity | None:
    """The Ticket that one is opened from: who copies of it may work on it, too. Raises `Declined`."""
    if request.linked_to is None:
        if request.copies or request.copy_files:
            raise Declined("incomplete", "What is copied is another Ticket's: say which.", "linked_to")
        return None
    source = workspace.by_reference(organisation.name, request.linked_to)
    if source is None:
        raise Declined("not_found", f"There is no {request.linked_to}.", request.linked_to)
    if request.copies or request.copy_files:
        permit(organisation, request, source.process)
    return source


def first_links(workspace: Workspace, source: Activity, request: asked.ActivityOpen) -> list[Link]:
    """What it is linked with from the beginning: where it comes from, and what that is linked with."""
    bearer = workspace.bearer(source)
    copied = sorted(bearer.links) if "links" in request.copies else ()
    others = (workspace.activities[source.organisation, each] for each in copied)
    return [_link(bearer, LinkReason.OPENED_FROM), *(_link(other, LinkReason.COPIED) for other in others)]


def first_fields(
    organisation: Organisation, process: str, source: Activity, request: asked.ActivityOpen
) -> tuple[FieldValue, ...]:
    """The custom fields that it begins with; `source` is who has those of the other."""
    return fitting_fields(organisation, process, source) if "fields" in request.copies else ()


def fitting_fields(organisation: Organisation, process: str, source: Activity) -> tuple[FieldValue, ...]:
    """An activity's custom fields that those of a process have too, and can take as they are."""
    rules = field_rules(organisation, process)
    known = {rule.name for rule in rules}
    there = {each.name: each.value for each in source.fields if each.name in known and each.value is not None}
    return field_values.read(rules, there)[0]


def first_mails(workspace: Workspace, source: Activity, request: asked.ActivityOpen) -> list[Earlier]:
    """The mails that it begins with, in and out; what nobody has sent yet is no mail."""
    if "communications" not in request.copies:
        return []
    return [Earlier(mail, source.id, source.reference) for mail in workspace.mails_on(source)]


def opened_from(
    workspace: Workspace,
    cause: Envelope,
    opened: Activity,
    links: Sequence[Link],
    actor: Actor,
) -> None:
    """Let the others say that they are linked with it."""
    for link in links:
        other = workspace.activities[opened.organisation, link.activity]
        answer_links(workspace, cause, LinkWith((_link(opened, link.reason),)), [other], actor)


def _link(activity: Activity, reason: str) -> Link:
    return Link(activity.id, activity.reference, str(reason))
