"""Somebody asks for the next best and takes it: found, locked and taken in one transaction (GL-2, ST-24).

What may be next is looked for without locks, then locked without waiting for anybody, so that those who ask
at once pass by what others are just taking; then it is read again.
"""

from collections.abc import Iterable, Iterator

from services.activity import store_next
from services.activity.announce import EFFECT
from services.activity.domain.activity import Activity
from services.activity.domain.refusals import Refusal
from services.activity.domain.states import State
from services.activity.domain.vocabulary import Actor, ActorKind
from services.activity.domain.work_steps import TakeNext
from services.activity.needs import Needs, Taker
from services.activity.request_names import Declined
from services.activity.store_next import WorkList
from services.activity.store_worklists import NEVER_DUE, Place
from services.activity.taking_steps import step_of, take
from services.activity.worklists import queues_of
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.envelope import Envelope
from shared.failure import FamilyMoved
from shared.organisation import Organisation
from shared.permissions import Role, rights_of
from shared.postgres import Connection

PASSED_BY = 20
"""How many more are looked at than are wanted: that many others may be taking theirs."""


def gather(organisation: str, request: asked.Request, needs: Needs) -> None:
    """Who asks for the next best."""
    if isinstance(request, asked.WorkTakeNext):
        robot = request.actor.kind is asked.ActorKind.ROBOT
        needs.takers.append(Taker(organisation, request.actor.id, robot, _kind_of(request)))


async def find(workspace: Workspace, connection: Connection, needs: Needs) -> None:
    """Lock and read what those who ask may get. All other locks of the batch are held: nobody is waited for.

    Each may lose one that a robot does not get any further with, and one to every other record of the batch.
    """
    takers = {each for each in needs.takers if each.organisation in workspace.organisations}
    if not takers:
        return
    wanted = 2 * len(needs.takers) + len(needs.references)
    his, queues = _work_lists(workspace, takers)
    own = await store_next.of_users(connection, his, wanted)
    free = await store_next.of_nobody(connection, queues, wanted + PASSED_BY)
    known = await workspace.claim(connection, own)
    lost = len(own) - sum(each.holders.assignee is not None for each in known)
    held = 0
    for begin in range(0, len(free), wanted):
        known = await workspace.claim(connection, free[begin : begin + wanted])
        held += sum(each.state is State.TO_DO and each.holders.assignee is None for each in known)
        if held >= wanted:
            break
    workspace.contended = lost > 0 or held < min(wanted, len(free))


def perform(
    workspace: Workspace, cause: Envelope, organisation: Organisation, request: asked.WorkTakeNext
) -> tuple[Activity, ...] | Refusal:
    """What was taken, or is worked on already; behind it what was taken away from a robot (ST-24).

    Raises `Declined`, and `FamilyMoved` where all that there is is in other hands at this moment.
    """
    actor = Actor(ActorKind(request.actor.kind.value), request.actor.id)
    processes = rights_of(organisation, actor.id).processes(Role.WORKER)
    if not actor.is_resource:
        raise Declined("incomplete", "Work is given to users and robots.", "resource")
    if not processes:
        raise Declined("forbidden", f"{actor.id} may not work on any process.")
    queues = frozenset(queues_of(organisation, actor.id, processes))
    taken_away: tuple[Activity, ...] = ()
    if actor.kind is ActorKind.ROBOT and (present := _worked_on(workspace, organisation, actor, processes)):
        again = _take(workspace, cause, present, actor)
        if isinstance(again, Refusal) or again.state is State.IN_PROGRESS:
            return again if isinstance(again, Refusal) else (again,)
        taken_away = (again,)
    best = min(
        (
            each
            for each in _present(workspace, organisation, processes)
            if _may_get(each, actor, queues) and _kind_of(request) in ("", each.reference.kind)
        ),
        key=_place,
        default=None,
    )
    if best is None:
        if workspace.contended:
            raise FamilyMoved("what could be next is being worked on by others at this moment")
        if taken_away:
            return taken_away
        raise Declined("nothing_to_do", f"There is nothing for {actor.id} to do.")
    if best.state is State.IN_PROGRESS:
        return (best, *taken_away)
    taken = _take(workspace, cause, best, actor)
    return taken if isinstance(taken, Refusal) else (taken, *taken_away)


def _work_lists(workspace: Workspace, takers: Iterable[Taker]) -> tuple[set[WorkList], set[WorkList]]:
    """Of those who ask, and of their queues."""
    his: set[WorkList] = set()
    queues: set[WorkList] = set()
    for taker in takers:
        organisation = workspace.organisations[taker.organisation]
        processes = rights_of(organisation, taker.user).processes(Role.WORKER)
        names = ",".join(sorted(processes))
        his.add(WorkList(taker.organisation, taker.user, names, taker.robot, taker.kind))
        queues |= {
            WorkList(taker.organisation, queue, names, taker.robot, taker.kind)
            for queue in queues_of(organisation, taker.user, processes)
        }
    return his, queues


def _present(
    workspace: Workspace, organisation: Organisation, processes: frozenset[str]
) -> Iterator[Activity]:
    """What the batch knows, and so has locked, of these processes, as records before this one left it."""
    for (name, _), activity in workspace.activities.items():
        if name == organisation.name and activity.process in processes:
            yield activity


def _worked_on(
    workspace: Workspace, organisation: Organisation, actor: Actor, processes: frozenset[str]
) -> Activity | None:
    """What a robot is working on: of several the soonest due."""
    found = (
        each
        for each in _present(workspace, organisation, processes)
        if each.state is State.IN_PROGRESS and each.holders.assignee == actor.id
    )
    return min(found, key=_place, default=None)


def _kind_of(request: asked.WorkTakeNext) -> str:
    """The kind of activity that is asked for; empty for whatever there is."""
    kind = request.type.partition(".")[0]
    return "" if kind == "work" else kind


def _may_get(activity: Activity, actor: Actor, queues: frozenset[str]) -> bool:
    if activity.for_person and actor.kind is ActorKind.ROBOT:
        return False
    if activity.task and activity.task.done_by == actor.id:
        return False  # nobody reviews his own work (A24)
    if activity.holders.assignee == actor.id:
        return activity.state in (State.TO_DO, State.IN_PROGRESS)
    nobodys = activity.holders.assignee is None and activity.holders.queue in queues
    return nobodys and activity.state is State.TO_DO


def _place(activity: Activity) -> Place:
    """Where it stands among others: as in every work list."""
    due = None if activity.due.paused else activity.due.at
    return due or NEVER_DUE, activity.reference.number, activity.id


def _take(workspace: Workspace, cause: Envelope, activity: Activity, actor: Actor) -> Activity | Refusal:
    after = take(workspace, cause, activity, step_of(activity, TakeNext(), cause, actor, effect=EFFECT))
    assert after is not None, "an activity that exists is what it was, or changed"
    return after
