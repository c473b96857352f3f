"""What a new configuration takes away, and what of that is still in use: such a one is refused whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from services.activity import store_uses as store
from services.activity.permissions import can_answer
from services.activity.store_uses import MOST, SHOWN, LeftAlone, Use
from shared.contracts.activity_organisation import CustomField, Definition
from shared.organisation import Organisation
from shared.unit_of_work import Batch

NAMED = ("companies", "processes", "queues", "users", "mailboxes")
"""Kinds of things that activities or contacts stand on by their names."""


@dataclass(frozen=True)
class InUse:
    """Something that cannot go, and what uses it; `process` is set for what is part of one.

    `option` is that of a list which is taken away. `becomes` says that it stays, and what of it changes.
    """

    kind: str
    use: Use
    process: str | None = None
    option: str | None = None
    becomes: str | None = None

    @property
    def sentence(self) -> str:
        """For people: what, why not, and who it is that uses it."""
        what = f"option {self.option!r} of {self.use.name!r}" if self.option else repr(self.use.name)
        of = f" of process {self.process!r}" if self.process else ""
        verb = f"change its {self.becomes}" if self.becomes else "be removed"
        count = f"{MOST} or more" if self.use.count >= MOST else str(self.use.count)
        stand = "stands on it" if self.use.count == 1 else "stand on it"
        users = self.use.users if self.use.count != 1 else _ONE[self.use.users]
        shown = f" ({', '.join(self.use.examples)}{', …' if self._more else ''})" if self.use.examples else ""
        return f"{what}{of} cannot {verb}: {count} {users} {stand}{shown}"

    @property
    def _more(self) -> bool:
        return self.use.count > len(self.use.examples)


_OF_FLOWS = (
    ("queues", "queue"),
    ("due_dates", "due_date"),
    ("templates", "template"),
    ("processes", "process"),
)
"""What the Actions of a running Case name, and by which word of the flow."""

_ONE = {"activities": "activity", "contacts": "contact"}


async def in_use(batch: Batch[Any], before: Organisation, after: Definition) -> list[InUse]:
    """What `after` leaves out of `before`, or turns into something else, and is still stood on."""
    connection, organisation = batch.connection, before.name
    found: list[InUse] = []
    for kind in NAMED:
        names = removed(before, after, kind)
        found += [InUse(kind, use) for use in await store.of_named(connection, organisation, kind, names)]
    for kind, what in _OF_FLOWS:
        names = removed(before, after, kind)
        found += [InUse(kind, use) for use in await store.of_flows(connection, organisation, what, names)]
    gone = removed(before, after, "users")
    found += [InUse("users", use) for use in await store.of_approvers(connection, organisation, gone)]
    turned = other_kind(before, after)
    found += [
        InUse("processes", use, becomes="kind")
        for use in await store.of_named(connection, organisation, "processes", turned)
    ]
    categories = lost_categories(before, after)
    found += [
        InUse("categories", use, process)
        for process, use in await store.of_categories(connection, organisation, categories)
    ]
    reasons = lost_wait_reasons(before, after)
    found += [
        InUse("wait_reasons", use, process)
        for process, use in await store.of_wait_reasons(connection, organisation, reasons)
    ]
    lost = dict(lost_values(before, after))
    found += [
        InUse("fields", use, process, option, "type" if lost[process, use.name, option] else None)
        for process, option, use in await store.of_fields(connection, organisation, sorted(lost, key=_order))
    ]
    return found


async def going_on(batch: Batch[Any], before: Organisation, after: Definition) -> dict[str, int]:
    """How many Cases end on a flow that a process will have no more, by process."""
    new = {process.name: (process.actions, process.steps) for process in after.processes}
    changed = [
        process.name
        for process in before.processes
        if process.name in new and new[process.name] != (process.actions, process.steps)
    ]
    return await store.running(batch.connection, before.name, sorted(changed))


async def left_alone(batch: Batch[Any], before: Organisation, after: Organisation) -> list[LeftAlone]:
    """Approvals that wait for nobody but those who cannot answer any more, such as the suspended (A25)."""
    gone = sorted(_can_answer(before) - _can_answer(after))
    return await store.left_alone(batch.connection, after.name, gone, sorted(_can_answer(after)))


def by_approver(found: Iterable[LeftAlone]) -> list[Use]:
    """How many approvals each of those who cannot answer leaves behind, in order of their names."""
    left: dict[str, list[str]] = {}
    for each in found:
        for name in each.approvers:
            left.setdefault(name, []).append(each.reference)
    return [Use(name, "activities", len(left[name]), tuple(left[name][:SHOWN])) for name in sorted(left)]


def _can_answer(organisation: Organisation) -> set[str]:
    return {user.name for user in organisation.users if can_answer(organisation, user.name)}


def removed(before: Organisation | Definition, after: Definition, kind: str) -> list[str]:
    """Names of the things of a kind that are gone, in order."""
    return sorted(
        {thing.name for thing in getattr(before, kind)} - {thing.name for thing in getattr(after, kind)}
    )


def other_kind(before: Organisation | Definition, after: Definition) -> list[str]:
    """Names of the processes that have Tickets and are to have Cases, or the reverse, in order."""
    kinds = {process.name: process.kind for process in before.processes}
    return sorted(
        process.name for process in after.processes if kinds.get(process.name, process.kind) != process.kind
    )


def lost_values(
    before: Organisation | Definition, after: Definition
) -> Iterator[tuple[tuple[str, str, str | None], bool]]:
    """Values that would mean nothing any more: (process, custom field, option), and if the field is retyped.

    A field that a process does not use any more, one of another type, and options that a list has lost. Of a
    process that is gone nothing is said here.
    """
    fields = {each.name: each for each in after.fields}
    past = {each.name: each for each in before.fields}
    uses = {process.name: {use.field for use in process.fields} for process in after.processes}
    for process in before.processes:
        for use in process.fields if process.name in uses else ():
            old = past[use.field]
            new = fields[use.field] if use.field in uses[process.name] else None
            if new is None or new.type is not old.type:
                yield (process.name, use.field, None), new is not None
                continue
            yield from (((process.name, use.field, option), False) for option in _lost(old, new))


def _lost(old: CustomField, new: CustomField) -> list[str]:
    return sorted(set(old.options) - set(new.options))


def lost_categories(before: Organisation | Definition, after: Definition) -> list[tuple[str, str]]:
    """Categories that a process has no more, as (process, path), in order; the case of letters is all one.

    Of a process that is gone nothing is said here.
    """
    left = {
        process.name: {category.path.casefold() for category in process.categories}
        for process in after.processes
    }
    return sorted(
        (process.name, category.path)
        for process in before.processes
        for category in process.categories
        if process.name in left and category.path.casefold() not in left[process.name]
    )


def lost_wait_reasons(before: Organisation | Definition, after: Definition) -> list[tuple[str, str]]:
    """Wait reasons that a process has no more, as (process, reason), in order."""
    left = {process.name: frozenset(process.wait_reasons) for process in after.processes}
    return sorted(
        (process.name, reason)
        for process in before.processes
        for reason in process.wait_reasons
        if process.name in left and reason not in left[process.name]
    )


def _order(value: tuple[str, str, str | None]) -> tuple[str, str, str]:
    process, field, option = value
    return process, field, option or ""
