"""What was said by half in the moment in which the database was lost is said to its end (see `recover.py`).

A step over several activities is one transaction and several records: a relay that died between them has
told of some. What nobody can ask for again is finished here, by new events whose cause is what was said.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from services.activity import announce, calling, converting, splits_and_merges, work_departures
from services.activity.bringing_back_states import answered_fields, part_of
from services.activity.bringing_back_steps import enter_whole
from services.activity.bringing_back_waits import finish_waits
from services.activity.domain.activity import Activity
from services.activity.domain.call_events import Called
from services.activity.domain.call_steps import TakeFields
from services.activity.domain.events import MailContinued, Merged, Stamp, TookOver
from services.activity.domain.evolving import evolve
from services.activity.domain.family_steps import MergeInto, Part
from services.activity.domain.links import Departure, DepartureState, Earlier, Link, Other
from services.activity.domain.states import RUNNING, State
from services.activity.domain.vocabulary import Actor, ActorKind, Purpose
from services.activity.known_past import Lost, Past
from services.activity.past_events import other_of
from services.activity.past_workspace import PastWorkspace
from services.activity.running_cases import catch_up
from services.activity.running_sub_cases import parent_of
from services.activity.store_requests import key_of
from services.activity.store_rows import Key
from services.activity.taking_steps import Follower, step_of, take
from services.activity.work_requests import digest_of
from shared.contracts import activity_activities as events
from shared.contracts import activity_requests as asked
from shared.decoding import Incoming
from shared.recovery import RecoveryRefused

NEVER = datetime(1, 1, 1, tzinfo=UTC)


def finish(workspace: PastWorkspace, past: Past, lost: Lost) -> None:
    """Finish merges, splits, departures, calls and Cases, then answer what has no answer yet.

    Raises `RecoveryRefused`.
    """
    halves = _Halves(workspace, past, lost)
    for each, _ in past.happened:
        workspace.begin()
        match each.message:
            case events.TicketMerged():
                halves.merge(each)
            case events.TicketSplitInto():
                halves.split(each)
            case events.TicketConverted():
                halves.convert(each)
            case events.ActivityOpened():
                halves.departure(each)
            case events.ActionCallAnswered():
                halves.answer(each)
    enter_whole(workspace, past)
    for each, _ in past.happened:
        workspace.begin()
        halves.case(each)
    for each, _ in past.happened:
        if isinstance(each.message, events.ActionCalled):
            halves.call(each)
    finish_waits(workspace, past)
    _answer(workspace, past)


class _Halves:
    def __init__(self, workspace: PastWorkspace, past: Past, lost: Lost) -> None:
        self._workspace, self._past, self._lost = workspace, past, lost
        self._taken_over = {
            (each.message.activity, each.message.source.activity)
            for each, _ in past.happened
            if isinstance(each.message, events.ActivityTookOver)
        }
        self._last = {
            (each.envelope.organisation, each.message.activity): each.envelope.causationid
            for each, _ in past.happened
        }
        self._changed_at = {
            (each.envelope.organisation, each.message.activity): each.message.at for each, _ in past.happened
        }
        self._called = {
            (each.envelope.organisation, each.message.activity, each.message.attempt) for each in past.calls
        }
        self._have_started = {
            each.message.by.activity
            for each, _ in past.happened
            if isinstance(each.message, events.CaseSubCaseStarted) and each.message.by
        }
        self._reinjected = {
            (each.envelope.organisation, each.envelope.id): (each.message.mail, each.message.reinjected_for)
            for each in past.mails
            if each.message.reinjected_for
        }

    def merge(self, merged: Incoming[Any]) -> None:
        """What was merged is closed, and its target has taken over; so have all of the same request."""
        workspace, cause = self._workspace, merged.envelope
        source = workspace.activities[cause.organisation, merged.message.activity]
        into = other_of(merged.message.into)
        self._merge(merged, source, into)
        request = self._request(merged)
        others = (
            request.message.sources if request and isinstance(request.message, asked.ActivityMerge) else ()
        )
        for name in others:
            other = workspace.by_reference(cause.organisation, name)
            if other and other.state in RUNNING:
                self._merge(merged, other, into)

    def _merge(self, merged: Incoming[Any], source: Activity, into: Other) -> None:
        workspace, cause, actor = self._workspace, merged.envelope, _actor(merged)
        target = workspace.activities.get((cause.organisation, into.activity))
        if target is None:
            raise RecoveryRefused(
                f"{source.reference} was merged into {into.reference}, of which there is no event: "
                "activity.activities.v1 is not whole, or not of this database."
            )
        if source.state in RUNNING:
            taken = step_of(source, MergeInto(into, running=True), cause, actor)
            take(workspace, cause, source, taken, told=(Merged,) if source.merged_into else ())
        told = (target.id, source.id) in self._taken_over
        lacks = not told or splits_and_merges.thread_of(workspace, source, target)
        if lacks and target.state in RUNNING:
            said = (TookOver,) if told else ()
            splits_and_merges.take_over(workspace, cause, source, target, actor, told=said)

    def split(self, split: Incoming[Any]) -> None:
        """The parts that a Ticket waits for are there (T27); one that does not wait can be split again."""
        workspace, cause = self._workspace, split.envelope
        original = workspace.activities[cause.organisation, split.message.activity]
        parts = [other_of(part) for part in split.message.into]
        if original.state is not State.WAIT_SPLIT:
            return
        request = self._request(split)
        links = splits_and_merges.links_of(workspace, original)
        # What told of the split came after it.
        thread = tuple(
            each
            for each in splits_and_merges.thread_of(workspace, original)
            if workspace.mails[cause.organisation, each.mail].purpose != Purpose.SPLIT
        )
        for off in parts:
            there = workspace.activities.get((cause.organisation, off.activity))
            if there:
                self._go_on(split, there, thread, links)
                continue
            asked_for = part_of(request, off.activity) if request else None
            part = Part(original.title, "", original.category, off)
            if asked_for:
                part = Part(asked_for.title, asked_for.description, asked_for.category, off)
            self._lost.texts += asked_for is None
            splits_and_merges.split_off(workspace, cause, original, part, thread, links, _actor(split))

    def _go_on(
        self, split: Incoming[Any], part: Activity, thread: Iterable[Earlier], links: tuple[Link, ...]
    ) -> None:
        """A part of which nothing was said but its beginning has the whole of it."""
        workspace, cause, actor = self._workspace, split.envelope, _actor(split)
        if self._last[cause.organisation, part.id] != cause.causationid:
            return
        there = set(workspace.mails_on(part))
        for earlier in (each for each in thread if each.mail not in there):
            event = MailContinued(stamp=Stamp(workspace.now, actor, split.message.rule), earlier=earlier)
            part = evolve(part, event)
            workspace.happened(cause, part, event)
        splits_and_merges.tie(workspace, cause, part, links, actor)

    def departure(self, opened: Incoming[Any]) -> None:
        """Who asked for a new activity knows that it is there (CE-7)."""
        workspace, cause = self._workspace, opened.envelope
        mail, asked_on = self._reinjected.get((cause.organisation, cause.causationid or ""), (None, None))
        if mail and asked_on:
            new = workspace.activities[cause.organisation, opened.message.activity]
            done = Departure(mail, DepartureState.DONE, new.id, new.reference)
            work_departures.mark(workspace, cause, workspace.activities[cause.organisation, asked_on], done)

    def convert(self, converted: Incoming[Any]) -> None:
        """The Case that a Ticket waits for is there (T30)."""
        workspace, cause, record = self._workspace, converted.envelope, converted.message
        ticket, case = workspace.activities[cause.organisation, record.activity], other_of(record.into)
        if (
            ticket.state is not State.WAIT_CASE_LAUNCHED
            or (cause.organisation, case.activity) in workspace.activities
        ):
            return
        process = workspace.organisations[cause.organisation].process(record.process)
        request = self._request(converted)
        wanted = request.message if request and isinstance(request.message, asked.TicketConvert) else None
        self._lost.texts += wanted is None
        converting.open_again(workspace, cause, ticket, case, process, _actor(converted), wanted)

    def answer(self, answered: Incoming[Any]) -> None:
        """What an answer brought stands on the Case, if nothing has happened to that since (A23)."""
        workspace, cause, request = self._workspace, answered.envelope, self._request(answered)
        case = workspace.bearer(workspace.activities[cause.organisation, answered.message.activity])
        key = case.organisation, case.id
        later = self._changed_at.get(key, NEVER) > answered.message.at
        heard = later or self._last.get(key) == cause.causationid
        if request and isinstance(request.message, asked.ActionAnswerCall) and not heard:
            fields = answered_fields(workspace, answered, request.message)
            Follower(workspace, cause, case)(case, TakeFields(fields=fields))

    def call(self, called: Incoming[Any]) -> None:
        """Connectors are told of a call whose answer is waited for (A23)."""
        workspace, cause, record = self._workspace, called.envelope, called.message
        action = workspace.activities[cause.organisation, record.activity]
        call = action.task.call if action.task else None
        waits = action.state is State.WAIT_MORE_INFO and call and not call.pauses
        told = (cause.organisation, record.activity, record.attempt) in self._called
        if waits and call and call.attempt == record.attempt and not told:
            stamp = Stamp(record.at, _actor(called), record.rule)
            calling.tell(
                workspace,
                cause,
                action,
                Called(stamp=stamp, call=record.call, attempt=record.attempt, answer_by=record.answer_by),
            )

    def case(self, happened: Incoming[Any]) -> None:
        """A Case has launched what it says, and knows of its Actions' ends (A1, A12, A13, C6).

        So have all Cases above it (CA-4).
        """
        workspace, cause = self._workspace, happened.envelope
        key = cause.organisation, happened.message.activity
        activity = workspace.activities[key]
        case = parent_of(workspace, activity) if activity.task else activity
        if case.course is None or self._last[key] != cause.causationid:
            return
        while True:
            catch_up(
                workspace,
                cause,
                case,
                Follower(workspace, cause, case),
                self._launching(case),
                started=self._have_started,
            )
            case = workspace.activities[case.organisation, case.id]
            if not case.is_sub_case:
                break
            case = parent_of(workspace, case)

    def _launching(self, case: Activity) -> asked.CaseLaunch | asked.CaseStartSubCase | None:
        """The request to launch something that a Case was about last, if it was one."""
        last = self._last.get((case.organisation, case.id)) or ""
        request = self._past.requests.get((case.organisation, last))
        wanted = request.message if request else None
        return wanted if isinstance(wanted, asked.CaseLaunch | asked.CaseStartSubCase) else None

    def _request(self, event: Incoming[Any]) -> Incoming[asked.Request] | None:
        return self._past.requests.get((event.envelope.organisation, event.envelope.causationid or ""))


def _answer(workspace: PastWorkspace, past: Past) -> None:
    """A request that was carried out is answered, and not carried out again when it is repeated."""
    done: dict[tuple[str, str], dict[Key, Activity]] = defaultdict(dict)
    for each, _ in past.happened:
        organisation, key = each.envelope.organisation, (each.envelope.organisation, each.message.activity)
        done[organisation, each.envelope.causationid or ""][key] = workspace.activities[key]
    for (organisation, id_), request in past.requests.items():
        cause, changed = request.envelope, list(done.get((organisation, id_), {}).values())
        if changed and key_of(cause) not in workspace.answers:
            about = getattr(request.message, "reference", None)
            changed.sort(key=lambda activity: str(activity.reference) != about)
            answer = announce.accepted(cause, *changed)
            workspace.answer(cause, digest_of(request.message), answer)


def _actor(event: Incoming[Any]) -> Actor:
    return Actor(ActorKind(event.message.actor.kind.value), event.message.actor.id)
