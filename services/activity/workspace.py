"""What a batch knows and changes, between the read from Postgres and the write back.

Everything is read once, before the first record is worked on, and written once, after the last. In between
the rules see what earlier records of the same batch did, so that how batches are cut changes nothing
(design §3).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from services.activity import (
    announce,
    event_records,
    store_activities,
    store_erasing,
    store_families,
    store_history,
    store_links,
    store_mails,
    store_requests,
    store_threads,
)
from services.activity.approval_links import ApprovalLinks
from services.activity.domain.activity import Activity
from services.activity.domain.events import Event, Linked, Unlinked
from services.activity.domain.states import State, Status
from services.activity.filing import Filing
from services.activity.knowledge import Knowledge
from services.activity.needs import Needs
from services.activity.numbers import Blocks, NumbersRanOut
from services.activity.people import People
from services.activity.store_erasing import Traces
from services.activity.store_history import HistoryRow, Note
from services.activity.store_mails import Mail
from services.activity.store_requests import Answered, RequestKey
from services.activity.store_rows import Key
from services.activity.ties import Ties
from shared import references
from shared.contracts.envelope import Envelope
from shared.failure import FamilyMoved
from shared.organisation import Organisation
from shared.outbox import Outgoing
from shared.postgres import Connection
from shared.references import Reference, ReferenceKind


class Workspace(Knowledge):
    """One batch's view of the tables: plain Python between `load` and `save`, which do the SQL."""

    def __init__(
        self,
        now: datetime,
        organisations: Mapping[str, Organisation],
        numbers: Blocks,
        links: ApprovalLinks | None = None,
    ) -> None:
        super().__init__(organisations)
        self.now = now
        self.links = links
        self.answers_since: datetime | None = None
        self.answers: dict[RequestKey, Answered] = {}
        self.contended = False  # whether others hold some of what could be taken next
        self.said: list[Outgoing] = []
        self.counts: list[Counter] = []  # one more of each, once this is committed
        self.people = People(self.said)
        self.traces: dict[Key, Traces] = {}
        self.files = Filing()
        self._numbers = numbers
        self._before = _Before()
        self._history: list[HistoryRow] = []
        self._notes: list[Note] = []
        self._ties = Ties()
        self._erased: list[Traces] = []
        self._ordinal = 0

    def bearer(self, activity: Activity) -> Activity:
        """Who has an activity's contacts, files and custom fields: what it is part of (LK-1, CA-7)."""
        if activity.bearer == activity.id:
            return activity
        return self.activities[activity.organisation, activity.bearer]

    # What changes

    def begin(self) -> None:
        """The next record: its effects are numbered from the beginning, so that a replay numbers alike."""
        self._ordinal = 0

    def next_reference(self, organisation: str, kind: ReferenceKind = ReferenceKind.TICKET) -> Reference:
        """A reference that nobody had before, of a Ticket or a Case. Raises `NumbersRanOut`."""
        try:
            return references.OF_NUMBER[kind](next(self._numbers[organisation]))
        except LookupError:
            raise NumbersRanOut(organisation) from None

    def happened(self, cause: Envelope, activity: Activity, event: Event) -> None:
        """An event; `activity` is what it left behind."""
        organisation = activity.organisation
        record = event_records.record_of(activity, event, self.organisations[organisation].version)
        said = announce.event(cause, self._ordinal, activity, record)
        self.said.append(said)
        self._ordinal += 1
        assert said.value is not None, "events are no tombstones"
        self._history.append(HistoryRow.of(organisation, record, said.value))
        self._came_to_be(activity, event)

    def _came_to_be(self, activity: Activity, event: Event) -> None:
        self._know(activity)
        self._ties.note(activity, event)
        self.families.note(activity, event)
        self.move(activity, event)
        if isinstance(event, Linked | Unlinked):
            self._tie(activity, event)
        self.files.note(activity, event)

    def answer(self, cause: Envelope, digest: str, record: announce.Answer) -> None:
        """The first answer to a request, kept for its repeats; `digest` tells them from other requests."""
        said = announce.answer(cause, record)
        assert said.value is not None, "answers are no tombstones"
        key = store_requests.key_of(cause)
        self.answers[key] = Answered(key, cause.time, digest, said.value)
        self.said.append(said)

    def note(self, activity: Activity, id_: UUID, text: str) -> None:
        """The text of a note that was added."""
        self._notes.append(Note(activity.organisation, id_, activity.id, text))

    def keep(self, mail: Mail) -> None:
        """A mail that came in or was asked for, or what has become of it."""
        if mail.key not in self.mails or self.mails[mail.key].message_id != mail.message_id:
            self._index(mail)
        self.mails[mail.key] = mail

    def erase(self, found: Traces) -> None:
        """All there is of a person goes, beside what activities and contacts say themselves (CT-21)."""
        self._erased.append(found)

    # Postgres

    async def load(self, connection: Connection, needs: Needs) -> None:
        """Read what the batch needs; its families are locked when this returns. Raises `FamilyMoved`."""
        self.answers = await store_requests.answers(connection, needs.requests)
        self._references = await store_activities.find(connection, needs.references)
        found = await store_mails.by_message_id(connection, needs.message_ids)
        # A later copy of a mail changes nothing of what the first one said.
        found += await store_mails.by_id(connection, needs.mails | needs.arrived)
        for mail in found:
            self.keep(mail)
        for place in await store_threads.associations(connection, needs.arrived | self.mails.keys()):
            self._stands(place)
        self.effects = await store_threads.effects(connection, needs.arrived)
        keys = needs.activities | await store_activities.of_conversations(connection, needs.conversations)
        keys |= {(organisation, id_) for (organisation, _), id_ in self._references.items()}
        keys |= {(mail[0], id_) for mail, places in self.standing.items() for id_ in places}
        keys |= await self._load_traces(connection, needs)
        copied = {key for key in map(self._key_of, needs.copied) if key}
        keys |= await store_links.of(connection, copied)
        self.families.roots = await store_families.lock(connection, keys)
        await self._load_activities(connection, keys, needs)
        if any(each not in self.activities for each in self._links_of(self._with_bearers(needs.copied))):
            raise FamilyMoved("an activity that is copied from was linked meanwhile")
        await self._load_threads(connection, needs)
        threads = self._with_bearers(needs.threads)
        self.newest = await store_mails.newest_incoming(connection, threads)
        self._remember()
        self._before = _Before(
            activities=dict(self.activities),
            mails=dict(self.mails),
            effects=set(self.effects),
            answers=set(self.answers),
        )

    async def _load_traces(self, connection: Connection, needs: Needs) -> set[Key]:
        """What there is of persons who are to be erased; the activities that can lose contacts."""
        for key in sorted(needs.erased):
            self.traces[key] = await store_erasing.traces(connection, key)
        still = {key for found in self.traces.values() for key in found.open}
        return still | await store_erasing.tagged_open(connection, needs.merged)

    async def claim(self, connection: Connection, wanted: Collection[Key]) -> list[Activity]:
        """Lock, waiting for nobody, and read what else the batch may take; those of these that it knows now.

        Only for steps that concern nothing but the activity itself. A Case that is taken may go on by that:
        what is tied to it is read, too, and who is on all of that.
        """
        keys = set(wanted) - self.activities.keys()
        held = await store_families.lock_free(connection, keys) if keys else set()
        found = await store_activities.load(connection, held)
        cases = {key for key, each in found.items() if each.course}
        found |= await store_activities.load(
            connection,
            await store_families.relatives(connection, cases) - self.activities.keys() - found.keys(),
        )
        for activity in found.values():
            self._know(activity)
            self._before.activities[activity.organisation, activity.id] = activity
        met = {(key[0], each.contact) for key, activity in found.items() for each in activity.contacts}
        await self.people.load(connection, (), met - self.people.known.keys())
        return [self.activities[key] for key in wanted if key in self.activities]

    async def _load_activities(self, connection: Connection, keys: set[Key], needs: Needs) -> None:
        """The activities, and those that splits, merges and Cases tie them to: their locks are the same."""
        for activity in (await store_activities.load(connection, keys)).values():
            self._know(activity)
        tied = {
            key
            for key, each in self.activities.items()
            if each.parent or each.merged_into or each.course or each.state is State.WAIT_SPLIT
        }
        relatives = await store_families.relatives(connection, tied, sub_cases=needs.ending)
        for activity in (await store_activities.load(connection, relatives - keys)).values():
            self._know(activity)

    async def _load_threads(self, connection: Connection, needs: Needs) -> None:
        tagged = {
            (organisation, each.contact)
            for (organisation, _), activity in self.activities.items()
            for each in activity.contacts
        }
        whole = needs.merged | needs.erased
        await self.people.load(connection, needs.addresses, tagged | needs.contacts | whole, whole)
        for each in await store_threads.correspondents(connection, self.activities.keys()):
            self.correspondents[each.organisation, each.activity][each.address] = each.mailbox
        # Only a mail that comes in continues a thread that has ended.
        threads = self._with_bearers(needs.copied)
        if needs.arrived:
            known = self.activities.items()
            threads |= {key for key, each in known if each.status is Status.CLOSED or needs.closing}
        for place in await store_threads.threads(connection, threads):
            self._stands(place)
        await self.files.load(connection, self._with_bearers(threads | needs.filed))

    async def save(self, connection: Connection) -> None:
        """Write what has changed. Raises `FamilyMoved` when somebody else made the same thing meanwhile.

        Tables come in one order for everybody, and rows in the order of their keys, so that two batches
        never wait for each other.
        """
        before = self._before
        await store_threads.add_effects(connection, self.effects - before.effects)
        await store_requests.add(
            connection, [each for key, each in self.answers.items() if key not in before.answers]
        )
        await self.people.save(connection)
        await store_activities.save(connection, before.activities, self.activities.values())
        await self._ties.save(connection)
        await store_families.unite(connection, self.families.united(self.activities))
        new = [mail for key, mail in self.mails.items() if key not in before.mails]
        await store_mails.add(connection, new)
        changed = [mail for key, mail in self.mails.items() if before.mails.get(key, mail) != mail]
        await store_mails.update(connection, before.mails, changed)
        await self.save_places(connection)
        await self.files.save(connection, self.now)
        await store_history.add_notes(connection, self._notes)
        await store_history.add_history(connection, self._history)
        await store_erasing.erase(connection, self._erased, self.now)


@dataclass(frozen=True, slots=True)
class _Before:
    """What the tables held, to tell what has changed."""

    activities: dict[Key, Activity] = field(default_factory=dict)
    mails: dict[Key, Mail] = field(default_factory=dict)
    effects: set[tuple[str, UUID, str]] = field(default_factory=set)
    answers: set[RequestKey] = field(default_factory=set)
