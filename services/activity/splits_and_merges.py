"""A Ticket is split, or Tickets are merged: one request over several activities, all of it or nothing.

Everything is judged before anything is done, so that a refusal leaves nothing half done (T27, T33, T34).
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from services.activity import announce
from services.activity.asked_steps import also_named
from services.activity.domain.activity import Activity
from services.activity.domain.events import Event
from services.activity.domain.family_steps import MergeInto, Part, Split, SplitOff, TakeOver
from services.activity.domain.link_steps import LinkWith
from services.activity.domain.links import Earlier, Link, LinkReason, Other
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import TAKES_OVER
from services.activity.domain.steps import Step
from services.activity.domain.vocabulary import Actor
from services.activity.needs import Needs
from services.activity.request_names import Declined, permit
from services.activity.taking_steps import Taken, carry_out, judge, step_of
from services.activity.work_links import answer_links
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.tokens import conversation_of_activity

Done = tuple[Activity, ...]
"""The activities that a request opened or changed, in front the one that it is about."""


def gather(organisation: str, request: asked.OnActivity, needs: Needs) -> None:
    """The other activities that the request names, and the mails that are handed on."""
    named = {(organisation, reference) for reference in (request.reference, *also_named(request))}
    needs.references |= named
    needs.copied |= named
    if isinstance(request, asked.TicketSplit):
        needs.opening[organisation] += len(request.parts)
        needs.threads.add((organisation, request.reference))


def perform(
    workspace: Workspace, cause: Envelope, activity: Activity, request: asked.OnActivity, actor: Actor
) -> Refusal | Done:
    """Carry out a split or a merge. Raises `Declined` where another Ticket is not there, or not his."""
    match request:
        case asked.TicketSplit():
            return _split(workspace, cause, activity, request, actor)
        case asked.TicketMergeInto():
            sources = [activity]
            target = _named(workspace, activity.organisation, request, request.into)
        case asked.ActivityMerge():
            names = dict.fromkeys(request.sources)
            sources = [_named(workspace, activity.organisation, request, name) for name in names]
            target = activity
        case _:
            raise TypeError(f"{type(request).__name__} is about one activity")
    seen = {activity.id: request.expected_version}
    done = _merge(workspace, cause, sources, target, actor, seen)
    if isinstance(done, Refusal):
        return done
    closed, target = done
    return (target, *closed) if isinstance(request, asked.ActivityMerge) else (*closed, target)


def _named(workspace: Workspace, organisation: str, request: asked.OnActivity, reference: str) -> Activity:
    activity = workspace.by_reference(organisation, reference)
    if activity is None:
        raise Declined("not_found", f"There is no {reference}.")
    permit(workspace.organisations[organisation], request, activity.process)
    return activity


def _split(
    workspace: Workspace, cause: Envelope, activity: Activity, request: asked.TicketSplit, actor: Actor
) -> Refusal | Done:
    ids = [announce.effect_id(cause, f"activity/part/{number}") for number, _ in enumerate(request.parts)]
    # References are given when it is certain that there will be something to call so.
    wanted = Split(_parts(request, [Other(id_, activity.reference) for id_ in ids]))
    refusal = judge(
        workspace, cause, activity, _taken(cause, activity, wanted, actor, request.expected_version)
    )
    if refusal:
        return refusal
    parts = _parts(request, [Other(id_, workspace.next_reference(activity.organisation)) for id_ in ids])
    thread, links = thread_of(workspace, activity), links_of(workspace, activity)
    original = carry_out(workspace, cause, activity, _taken(cause, activity, Split(parts), actor))
    return original, *(split_off(workspace, cause, original, part, thread, links, actor) for part in parts)


def _parts(request: asked.TicketSplit, off: Sequence[Other]) -> tuple[Part, ...]:
    return tuple(
        Part(part.title, part.description, part.category, other)
        for part, other in zip(request.parts, off, strict=True)
    )


def split_off(
    workspace: Workspace,
    cause: Envelope,
    original: Activity,
    part: Part,
    thread: tuple[Earlier, ...],
    links: tuple[Link, ...],
    actor: Actor,
) -> Activity:
    """One part as a Ticket of its own, with a snapshot of the original (LK-1, LK-6, SL-6)."""
    step = SplitOff(
        activity=part.off.activity,
        family=original.family,
        reference=part.off.reference,
        conversation=conversation_of_activity(original.organisation, part.off.activity),
        mailbox=original.mailbox,
        title=part.title.strip(),
        description=part.description,
        category=part.category,
        automated_mail=original.automated_mail,
        links=links,
        contacts=tuple(sorted(original.contacts)),
        fields=original.fields,
        parent=Other(original.id, original.reference),
        counts_since=original.started_at,
        thread=thread,
        departures=original.departures_with({each.mail for each in thread}),
        files=workspace.files.snapshot(original, cause, part.off.activity),
    )
    part_of_it = carry_out(workspace, cause, None, _taken(cause, original, step, actor))
    answer_carried(workspace, cause, part_of_it, links, actor)
    return part_of_it


def _merge(
    workspace: Workspace,
    cause: Envelope,
    sources: Sequence[Activity],
    target: Activity,
    actor: Actor,
    seen: Mapping[UUID, int | None],
) -> Refusal | tuple[Done, Activity]:
    """Merge sources into a target; returns them as they are then. `seen` are versions that are expected."""
    into = MergeInto(Other(target.id, target.reference), target.state in TAKES_OVER)
    # The one that the request is about is judged first: what is wrong with it concerns its sender most.
    steps: list[tuple[Activity, Step]] = [(source, into) for source in sources]
    for takes in dict.fromkeys((target.id, workspace.bearer(target).id)):
        taking = workspace.activities[target.organisation, takes]
        steps += [(taking, TakeOver(Other(source.id, source.reference))) for source in sources]
    for activity, step in sorted(steps, key=lambda each: each[0].id not in seen):
        taken = _taken(cause, activity, step, actor, seen.get(activity.id))
        refusal = judge(workspace, cause, activity, taken)
        if refusal:
            return refusal
    closed: list[Activity] = []
    for source in sources:
        # What came before may have linked it with others.
        source = workspace.activities[source.organisation, source.id]
        closed.append(carry_out(workspace, cause, source, _taken(cause, source, into, actor)))
        target = workspace.activities[target.organisation, target.id]
        target = take_over(workspace, cause, closed[-1], target, actor)
    return tuple(closed), target


def take_over(
    workspace: Workspace,
    cause: Envelope,
    source: Activity,
    target: Activity,
    actor: Actor,
    *,
    told: Collection[type[Event]] = (),
) -> Activity:
    """The target with the mails and links of what was merged into it (T33, T34, LK-6).

    Links and files of what is merged into an Action are its Case's (LK-1).
    """
    bearer = workspace.bearer(target)
    links = tuple(
        link
        for link in links_of(workspace, source)
        if link.activity != bearer.id and link.activity not in bearer.links
    )
    # What came to the target by itself stays there, whatever people want of it on the source.
    alone = [id_ for id_ in workspace.mails_on(source) if not workspace.came_in_on(id_, target)]
    origin, files = Other(source.id, source.reference), workspace.files.same(source, bearer)
    if bearer.id != target.id:
        step = TakeOver(origin, links=links, files=files)
        bearer = carry_out(workspace, cause, bearer, _taken(cause, bearer, step, actor), told=told)
        answer_carried(workspace, cause, bearer, links, actor)
        links, files = (), ()
    step = TakeOver(origin, thread_of(workspace, source, target), links, source.departures_with(alone), files)
    target = carry_out(workspace, cause, target, _taken(cause, target, step, actor), told=told)
    answer_carried(workspace, cause, target, links, actor)
    return workspace.activities[target.organisation, target.id]


def links_of(workspace: Workspace, activity: Activity) -> tuple[Link, ...]:
    """What it is linked with, as others take it over (LK-6)."""
    others = (workspace.activities[activity.organisation, each] for each in sorted(activity.links))
    return tuple(Link(other.id, other.reference, LinkReason.CARRIED) for other in others)


def tie(
    workspace: Workspace, cause: Envelope, activity: Activity, links: tuple[Link, ...], actor: Actor
) -> None:
    """Link an activity with these, where it is not yet; they say so, too (LK-6)."""
    carry_out(workspace, cause, activity, _taken(cause, activity, LinkWith(links), actor))
    answer_carried(workspace, cause, activity, links, actor)


def answer_carried(
    workspace: Workspace, cause: Envelope, activity: Activity, links: Sequence[Link], actor: Actor
) -> None:
    """Link those that it was linked with when it took these over with it, too (LK-6)."""
    back = LinkWith((Link(activity.id, activity.reference, LinkReason.CARRIED),))
    others = [workspace.activities[activity.organisation, link.activity] for link in links]
    answer_links(workspace, cause, back, others, actor)


def thread_of(
    workspace: Workspace, activity: Activity, besides: Activity | None = None
) -> tuple[Earlier, ...]:
    """The mails on an activity, but for those that stand on `besides`, too."""
    there = set(workspace.mails_on(besides)) if besides else set()
    return tuple(
        Earlier(mail, activity.id, activity.reference)
        for mail in workspace.mails_on(activity)
        if mail not in there
    )


def _taken(
    cause: Envelope, activity: Activity, step: Step, actor: Actor, expected_version: int | None = None
) -> Taken:
    """A step of this activity, or one that opens another of the same process."""
    about = step.activity if isinstance(step, SplitOff) else activity.id
    return step_of(activity, step, cause, actor, effect=f"effect/{about}", expected_version=expected_version)
