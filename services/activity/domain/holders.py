"""Who has an activity: the table of ST-19, and who becomes its person by which step (ST-20)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.activity.domain.action_steps import LaunchAction
from services.activity.domain.activity import Holders
from services.activity.domain.context import Occasion
from services.activity.domain.states import CASE_WAITING, WAITING_FOR_OTHERS, State
from services.activity.domain.steps import Assign, Edit, Reopen, Step, Submit
from services.activity.domain.vocabulary import ActorKind
from shared.references import ReferenceKind


@dataclass(frozen=True, slots=True)
class Standing:
    """What the holders of an activity hang on: `attention` is a Case's only (C6)."""

    state: State
    new_information: bool = False
    kind: ReferenceKind = ReferenceKind.TICKET
    attention: bool = False


@dataclass(frozen=True, slots=True)
class HolderRule:
    """A row of ST-19: which of the three may be set; the others are cleared."""

    situation: str
    applies: Callable[[Standing], bool]
    assignee: bool
    owner: bool
    queue: bool


_RESTING = (State.RESOLVED, *CASE_WAITING, *WAITING_FOR_OTHERS)

# fmt: off
HOLDER_RULES = (
    HolderRule("Closed", lambda it: it.state is State.CLOSED, assignee=False, owner=False, queue=False),
    HolderRule("Draft", lambda it: it.state is State.DRAFT, assignee=True, owner=False, queue=False),
    HolderRule("New information received", lambda it: it.new_information,
               assignee=True, owner=False, queue=True),
    HolderRule("Needs attention", lambda it: it.attention, assignee=True, owner=False, queue=True),
    HolderRule("Resolved or Wait", lambda it: it.state in _RESTING, assignee=False, owner=True, queue=False),
    HolderRule("To Do / In Progress of a Case", lambda it: it.kind is ReferenceKind.CASE,
               assignee=False, owner=True, queue=False),
    HolderRule("To Do / In Progress", lambda it: True, assignee=True, owner=False, queue=True),
)
# fmt: on
"""The first row that applies decides (ST-19)."""


def holder_rule(standing: Standing) -> HolderRule:
    """The row of ST-19 for an activity that stands so."""
    return next(rule for rule in HOLDER_RULES if rule.applies(standing))


def settle(standing: Standing, person: str | None, queue: str) -> Holders:
    """The holders that ST-19 gives an activity which `person` has and whose process works from `queue`."""
    rule = holder_rule(standing)
    return Holders(
        assignee=person if rule.assignee else None,
        owner=person if rule.owner else None,
        queue=queue if rule.queue else None,
    )


def the_next(occasion: Occasion[Step]) -> str | None:
    """Who has it when it is looked at anew, in the order of ST-20; None leaves it to its queue.

    Who has it keeps it, unless the category changes. Then come who keeps it with him, its owner, the user
    whose wait or resolution changes the category, the last updater (who acts now, if a resource does), and
    those who had it before, newest first. Who may not have its work is passed over.
    """
    return next((each for each in _claims(occasion) if each and _may_have(occasion, each)), None)


def _claims(occasion: Occasion[Step]) -> Iterator[str | None]:
    activity = occasion.present
    if activity is None:
        return
    category = getattr(occasion.step, "category", None)
    recategorised = category is not None and category != activity.category
    acting = occasion.actor.id if occasion.actor.is_resource else None
    if not recategorised:
        yield activity.holders.person
    yield activity.keep_with_me
    yield activity.holders.owner
    if (
        recategorised
        and occasion.actor.kind is ActorKind.USER
        and occasion.to in (State.RESOLVED, *CASE_WAITING)
    ):
        yield acting
    yield acting or activity.last_updater
    yield from activity.previous


def _may_have(occasion: Occasion[Step], name: str) -> bool:
    """Neither retired nor suspended, with permission, and a person where one is wanted (ST-20, ST-8)."""
    activity = occasion.activity
    wanted = not (activity.for_person and name in occasion.process.robots)
    own_work = activity.task is not None and activity.task.done_by == name  # nobody reviews it (A24)
    return wanted and not own_work and name in occasion.process.workers


def the_next_in_category(occasion: Occasion[Edit]) -> str | None:
    """What is written anew leaves it with whoever has it; only another category does not (ST-20, T37)."""
    category = occasion.step.category
    recategorised = category is not None and category != occasion.activity.category
    return the_next(occasion) if recategorised else _present(occasion)


def the_same(occasion: Occasion[Step]) -> str | None:
    """What only adds to it changes nothing of who has it (ST-22)."""
    return _present(occasion)


def nobody(_: Occasion[Step]) -> str | None:
    """It goes back to its queue."""
    return None


def the_actor(occasion: Occasion[Step]) -> str | None:
    """Who takes it has it (ST-5, T1, T7); an integration takes nothing."""
    return occasion.actor.id if occasion.actor.is_resource else _present(occasion)


def the_user(occasion: Occasion[Step]) -> str | None:
    """The same where robots never have it, as Cases (ST-24); they may start it for others."""
    return occasion.actor.id if occasion.actor.kind is ActorKind.USER else _present(occasion)


def the_assigned(occasion: Occasion[Assign]) -> str | None:
    """Whom it was given to, or nobody (T8, AMB-18)."""
    return occasion.step.assignee


def the_keeper(occasion: Occasion[Submit]) -> str | None:
    """Who submits keeps it only if he says so; else it waits in its queue for a resource (ST-3, ST-20)."""
    return occasion.actor.id if occasion.step.keep_with_me else occasion.activity.keep_with_me


def the_owner_or_keeper(occasion: Occasion[Reopen]) -> str | None:
    """It goes back to its owner; whoever reopens it has it only if he says so (AMB-5)."""
    if occasion.step.keep_with_me:
        return occasion.actor.id
    owner = the_next(occasion)
    gives_up = owner == occasion.actor.id != occasion.activity.keep_with_me
    return None if gives_up else owner


def the_doer(occasion: Occasion[LaunchAction]) -> str | None:
    """Who did the same before has what is done again, if he still may (C17, ST-20)."""
    person = occasion.step.person
    return person if person in occasion.process.workers else None


def _present(occasion: Occasion[Step]) -> str | None:
    return occasion.present.holders.person if occasion.present else None
