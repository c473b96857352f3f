"""Rules about processes of Cases: their steps, their Actions, and what only Tickets or only Cases have."""

from collections.abc import Iterator, Mapping

from shared.conditions import check
from shared.contracts.activity_organisation import ActionType, CustomField, Definition, Process, ProcessKind
from shared.organisation_finding import Finding, Path, Rule, repeated

MOST_STEPS = 200
MOST_ACTIONS = 100
"""Of a step: all of them are launched at once."""

_OF_TICKETS = ("categories", "note_required_to_resolve", "split", "no_response", "case_launched")
_WRITING = (ActionType.SEND_EMAIL, ActionType.SEND_EMAIL_AND_WAIT, ActionType.APPROVAL)
_OF_SUB_CASES = (ActionType.START_CASE, ActionType.WAIT_FOR_SUB_CASES)
_ASKED_OF_CALLS = {
    "call": "what it is asked to do",
    "answer_within_minutes": "how long its answer is waited for",
}
_OF_CASES = ("contacts_mandatory", "actions", "steps", "schedules")


def kinds_have_what_is_theirs(definition: Definition) -> Iterator[Finding]:
    """Categories, a note to resolve, splits and waits that close by themselves are for Tickets only."""
    for where, process in _processes(definition):
        case = process.kind is ProcessKind.CASE
        theirs, others = ("Cases", "Tickets") if case else ("Tickets", "Cases")
        for field in _OF_TICKETS if case else _OF_CASES:
            if getattr(process, field):
                yield Finding(
                    (*where, field), f"{process.name!r} is of {theirs}, and {field} is for {others} only"
                )


def cases_take_steps(definition: Definition) -> Iterator[Finding]:
    for where, process in _processes(definition):
        if process.kind is ProcessKind.CASE and not process.steps:
            yield Finding((*where, "steps"), f"{process.name!r} is of Cases, and has no steps to take")
        if len(process.steps) > MOST_STEPS:
            yield Finding((*where, "steps", MOST_STEPS), f"a Case has at most {MOST_STEPS} steps")
        for position, step in enumerate(process.steps):
            if len(step.actions) > MOST_ACTIONS:
                yield Finding(
                    (*where, "steps", position, "actions", MOST_ACTIONS),
                    f"a step has at most {MOST_ACTIONS} actions",
                )


def steps_and_actions_have_names_of_their_own(definition: Definition) -> Iterator[Finding]:
    for where, process in _processes(definition):
        for kind in ("actions", "steps"):
            seen: set[str] = set()
            for position, thing in enumerate(getattr(process, kind)):
                if thing.name in seen:
                    yield Finding(
                        (*where, kind, position, "name"),
                        f"{thing.name!r} is defined twice in {kind} of {process.name!r}",
                    )
                seen.add(thing.name)


def steps_launch_actions_of_their_process(definition: Definition) -> Iterator[Finding]:
    """Each once in a step: the same one may come again in a later step."""
    for where, process in _processes(definition):
        known = {action.name for action in process.actions}
        for position, step in enumerate(process.steps):
            seen: set[str] = set()
            for index, use in enumerate(step.actions):
                place: Path = (*where, "steps", position, "actions", index, "action")
                if use.action not in known:
                    yield Finding(place, f"process {process.name!r} has no action {use.action!r}")
                elif use.action in seen:
                    yield Finding(place, f"{use.action!r} stands twice in step {step.name!r}")
                seen.add(use.action)


def every_action_is_launched_by_something(definition: Definition) -> Iterator[Finding]:
    """By a step, or by hand beside the steps."""
    for where, process in _processes(definition):
        used = {use.action for step in process.steps for use in step.actions}
        for position, action in enumerate(process.actions):
            if action.name not in used and not action.launched_by_hand:
                yield Finding(
                    (*where, "actions", position, "name"),
                    f"nothing launches {action.name!r}: no step has it, and it is not launched_by_hand",
                )


def checklists_ask_something(definition: Definition) -> Iterator[Finding]:
    for where, process in _processes(definition):
        for position, action in enumerate(process.actions):
            place: Path = (*where, "actions", position, "checklist")
            yield from repeated(place, action.checklist, f"the checklist of {action.name!r}")
            for index, item in enumerate(action.checklist):
                if not item.strip() or item != item.strip():
                    yield Finding((*place, index), f"{item!r} is empty, or has white space at an end")


def what_writes_has_a_template(definition: Definition) -> Iterator[Finding]:
    """And what does not, has none (A20, A21, A25)."""
    for where, process in _processes(definition):
        for position, action in enumerate(process.actions):
            place: Path = (*where, "actions", position, "template")
            if action.type in _WRITING and action.template is None:
                yield Finding(place[:-1], f"{action.name!r} sends a mail: say by which template")
            elif action.type not in _WRITING and action.template is not None:
                yield Finding(place, f"{action.name!r} is of type {action.type}, which sends no mail")


def sub_cases_are_of_a_process_of_cases(definition: Definition) -> Iterator[Finding]:
    """One of the same company (CA-7); an Action that starts a Case says which, others have none."""
    processes = {process.name: process for process in definition.processes}
    for where, process in _processes(definition):
        for position, action in enumerate(process.actions):
            place: Path = (*where, "actions", position, "process")
            if action.process is None:
                if action.type is ActionType.START_CASE:
                    yield Finding(place[:-1], f"{action.name!r} starts a Case: say of which process")
                continue
            started = processes.get(action.process)
            if action.type not in _OF_SUB_CASES:
                yield Finding(place, f"{action.name!r} is of type {action.type}, which is about no Sub-Case")
            elif started is None or started.kind is not ProcessKind.CASE:
                yield Finding(place, f"there is no process of Cases {action.process!r}")
            elif started.company != process.company:
                yield Finding(place, f"{action.process!r} is another company's than {process.name!r}")


def sub_cases_come_to_an_end(definition: Definition) -> Iterator[Finding]:
    """No process starts Cases that lead back to it: they would begin for ever."""
    starts = {
        process.name: {
            action.process: (*where, "actions", position, "process")
            for position, action in enumerate(process.actions)
            if action.process and action.type is ActionType.START_CASE
        }
        for where, process in _processes(definition)
    }
    for name, started in starts.items():
        for first, place in started.items():
            way = _way(starts, first, name)
            if way:
                yield Finding(place, f"Cases would begin for ever: {' starts '.join((name, *way))}")


def _way(starts: Mapping[str, Mapping[str, Path]], start: str, end: str) -> tuple[str, ...]:
    """Processes from one to the other, each started by the one before; empty where none leads there."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        following = [each for each in starts.get(way[-1], ()) if each not in seen]
        seen.update(following)
        ways += [(*way, each) for each in following]
    return ()


def what_calls_says_what_and_how_long(definition: Definition) -> Iterator[Finding]:
    """And what calls no external system says nothing of it (A23)."""
    for where, process in _processes(definition):
        for position, action in enumerate(process.actions):
            place: Path = (*where, "actions", position)
            if action.type is ActionType.EXTERNAL_CALL:
                for field, what in _ASKED_OF_CALLS.items():
                    if getattr(action, field) is None:
                        yield Finding(place, f"{action.name!r} calls an external system: say {field}, {what}")
            else:
                for field in (*_ASKED_OF_CALLS, "retry_after_minutes"):
                    if getattr(action, field):
                        wrong = f"{action.name!r} is of type {action.type}, which calls no external system"
                        yield Finding((*place, field), wrong)


def conditions_can_be_worked_out(definition: Definition) -> Iterator[Finding]:
    """Each is about custom fields that its process uses, and compares what can be compared."""
    fields = {field.name: field for field in definition.fields}
    for where, process in _processes(definition):
        known = tuple(fields[use.field] for use in process.fields if use.field in fields)
        for position, step in enumerate(process.steps):
            place: Path = (*where, "steps", position)
            yield from _condition((*place, "when"), step.when, known)
            for index, use in enumerate(step.actions):
                yield from _condition((*place, "actions", index, "when"), use.when, known)


def _condition(place: Path, text: str | None, fields: tuple[CustomField, ...]) -> Iterator[Finding]:
    if text is not None and (wrong := check(text, fields)):
        yield Finding(place, wrong)


def _processes(definition: Definition) -> Iterator[tuple[Path, Process]]:
    for index, process in enumerate(definition.processes):
        yield ("processes", index), process


RULES: tuple[Rule, ...] = (
    kinds_have_what_is_theirs,
    cases_take_steps,
    steps_and_actions_have_names_of_their_own,
    steps_launch_actions_of_their_process,
    every_action_is_launched_by_something,
    checklists_ask_something,
    what_writes_has_a_template,
    sub_cases_are_of_a_process_of_cases,
    sub_cases_come_to_an_end,
    what_calls_says_what_and_how_long,
    conditions_can_be_worked_out,
)
