"""Effects of the steps by which an activity comes into being."""

from collections.abc import Iterable

from msgspec.structs import replace

from services.activity.domain import custom_fields, due_dates
from services.activity.domain.action_steps import LaunchAction
from services.activity.domain.context import Occasion
from services.activity.domain.due_dates import Due
from services.activity.domain.events import Event, Linked, Opened
from services.activity.domain.family_steps import SplitOff
from services.activity.domain.holders import Standing, settle
from services.activity.domain.states import State
from services.activity.domain.steps import CreatedByIntegration, MailRouted, Opening
from services.activity.domain.sub_case_steps import OpenSubCase
from services.activity.domain.vocabulary import StartedBy


def open_to_reject(occasion: Occasion[MailRouted]) -> Iterable[Event]:
    """It comes into being for the moment in which its sender is rejected, and nothing automatic answers."""
    return open_it(replace(occasion, to=State.TO_DO, person=None))


def open_it(occasion: Occasion[Opening]) -> Iterable[Event]:
    """It comes into being in the row's state, with its contacts and links (T1, T2, T3)."""
    step, to = occasion.step, occasion.to
    if to is None:
        raise ValueError(f"row {occasion.rule} opens an activity without saying in which state")
    yield Opened(
        stamp=occasion.stamp,
        activity=step.activity,
        organisation=occasion.context.organisation,
        family=step.family,
        reference=step.reference,
        process=occasion.process.name,
        title=step.title,
        description=step.description,
        category=step.category,
        started_by=_started_by(step),
        conversation=step.conversation,
        mailbox=step.mailbox,
        mail=step.mail if isinstance(step, MailRouted) else None,
        automated_mail=step.automated_mail,
        status=to.status,
        holders=settle(Standing(to, kind=step.reference.kind), occasion.person, occasion.process.queue),
        contacts=step.tags,
        due=_first_due(occasion, to),
        fields=custom_fields.after((), step.fields),
        parent=step.parent if isinstance(step, SplitOff | LaunchAction | OpenSubCase) else None,
        started_at=step.counts_since,
        flow=step.flow,
        task=step.task if isinstance(step, LaunchAction) else None,
        bearer=step.bearer if isinstance(step, LaunchAction | OpenSubCase) else None,
    )
    for link in step.links:
        yield Linked(stamp=occasion.stamp, link=link)


def _first_due(occasion: Occasion[Opening], to: State) -> Due:
    """A Draft has none but what was set by hand; everything else begins to count (T2, T3, SL-2)."""
    step = occasion.step
    due = Due(by_hand=step.due)
    if to is State.DRAFT:
        return due
    rule = occasion.process.due_rule(step.category)
    return due_dates.started(due, rule, step.counts_since or occasion.now)


def _started_by(step: Opening) -> StartedBy:
    if step.links and not isinstance(step, MailRouted):
        return StartedBy.LINKED_WORK_ITEM
    if isinstance(step, CreatedByIntegration):
        return step.started_by
    if isinstance(step, SplitOff):
        return StartedBy.TICKET
    if isinstance(step, LaunchAction) and not step.task.by_hand:
        return StartedBy.WORKFLOW
    if isinstance(step, OpenSubCase) and not step.by_hand:
        return StartedBy.WORKFLOW
    return StartedBy.EMAIL if isinstance(step, MailRouted) else StartedBy.MANUAL
