"""Activities as HTTP shows them: header data for everybody, the rest for who may see the process (AMB-34)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.activity.domain.activity import Activity
from services.activity.labels import status_label
from services.activity.rules import process_rules
from services.activity.views_courses import CourseView, TaskView, course_view, task_view
from services.activity.views_due import DueView, due_header, due_view
from services.activity.views_files import FileView, file_view
from shared.contracts.activity_requests import Actor
from shared.field_values import FieldValue
from shared.organisation import Organisation, Unknown
from shared.pages import Page


class ActivityHeader(BaseModel):
    """What anybody of the organisation sees. `permitted` says whether the caller may open it.

    `title` is null where the caller may not, and the organisation hides titles (AMB-34).
    """

    reference: str
    kind: str
    title: str | None
    status: str
    status_label: str
    process: str
    assignee: str | None
    queue: str | None
    due: DueView
    permitted: bool


class ActivitySummary(ActivityHeader):
    """A line of a list, where the caller may see the process."""

    version: int
    category: str | None
    owner: str | None
    new_information: bool
    opened: datetime


class ContactView(BaseModel):
    """A contact with one of its tags (CT-2). Of a person who was `erased` only the id is left (CT-21)."""

    tag: str
    id: UUID
    address: str
    first_name: str
    last_name: str
    auto_created: bool
    erased: bool = False


class WaitView(BaseModel):
    """What it waits for (ST-9). `until` is None where that is other Tickets (T27)."""

    type: str
    until: datetime | None
    days: int | None
    close_if_no_response: bool
    reason: str | None


class ResolutionView(BaseModel):
    """How, when and by whom it was resolved; `written` is the mail or note that says so."""

    method: str
    by: Actor
    at: datetime
    written: UUID | None


class ReopeningView(BaseModel):
    """By whom and when it was last reopened (ST-15)."""

    by: Actor
    at: datetime


class FieldView(BaseModel):
    """A custom field of the activity's process, with what stands in it (BK-14).

    `type` and `title` are null and the name for a value whose field the process has no longer.
    """

    name: str
    title: str
    type: str | None
    mandatory: bool
    value: bool | int | str | None


class LinkView(BaseModel):
    """A linked activity, as header data (LK-7)."""

    reason: str
    activity: ActivityHeader


class FamilyView(BaseModel):
    """What splits, conversions, merges and Cases tie it to, as header data (LK-1).

    `parent` was split into it and others, goes on as it (T30), or is the Case of an Action or Sub-Case;
    `parts` are what it was split into itself (T27), `sub_cases` the Cases under it (CA-7). It goes on in
    `merged_into` (T33), or as that Case; `merged` go on in it.
    """

    parent: ActivityHeader | None
    parts: list[ActivityHeader]
    sub_cases: list[ActivityHeader]
    merged_into: ActivityHeader | None
    merged: list[ActivityHeader]


class ActivityView(ActivitySummary):
    """All of an activity but its timeline.

    `keep_with_me` is whom it stays with (ST-20); with `for_person` no robot gets it (ST-8). `links` are the
    first of them; where there are more, `more_links` is the `after` for `/v1/tickets/{reference}/links`.
    `course` is a Case's, `task` an Action's. Contacts, links and files of an Action are its Case's (LK-1);
    those of a Sub-Case, and its fields, are those of the Case at the top (CA-7).
    """

    id: UUID
    description: str
    mailbox: str | None
    started_by: str
    wait: WaitView | None
    feedback_until: datetime | None
    first_resolution: ResolutionView | None
    resolution: ResolutionView | None
    reopening: ReopeningView | None
    fields: list[FieldView]
    contacts: list[ContactView]
    links: list[LinkView]
    more_links: str | None
    family: FamilyView
    files: list[FileView]
    keep_with_me: str | None
    for_person: bool
    course: CourseView | None
    task: TaskView | None


class StepOffer(BaseModel):
    """A step and whether it can be taken now; if not, why."""

    step: str
    allowed: bool
    code: str | None = None
    detail: str | None = None
    missing: tuple[str, ...] = ()


class Shown:
    """Makes views for one caller: his organisation, the processes he may see, his language."""

    def __init__(
        self, organisation: Organisation, processes: frozenset[str], language: str | None, now: datetime
    ) -> None:
        self._organisation = organisation
        self._processes = processes
        self._language = language
        self._now = now

    def row(self, row: Any) -> ActivityHeader | ActivitySummary:
        """A row of `activities` as a line of a list."""
        if row["process"] not in self._processes:
            return self.header(row)
        return ActivitySummary(
            **self.header(row).model_dump(),
            version=row["version"],
            category=row["category"],
            owner=row["owner"],
            new_information=row["new_information"],
            opened=row["created_at"],
        )

    def header(self, row: Any) -> ActivityHeader:
        """The header data of a row of `activities`."""
        permitted = row["process"] in self._processes
        due = due_view(row, self._organisation, self._language, self._now)
        hidden = self._organisation.rules.hide_titles and not permitted
        return ActivityHeader(
            reference=row["reference"],
            kind=row["kind"],
            title=None if hidden else row["title"],
            status=row["status"],
            status_label=status_label(row["status"], self._language),
            process=self._title(row["process"]),
            assignee=row["assignee"],
            queue=row["queue"],
            due=due if permitted else due_header(due),
            permitted=permitted,
        )

    def whole(
        self,
        activity: Activity,
        row: Any,
        fields: tuple[FieldValue, ...],
        contacts: list[Any],
        links: Page[LinkView],
        family: list[Any],
        files: list[Any],
    ) -> ActivityView:
        """All of an activity; `family` are the rows of those that splits and merges tie it to."""
        summary = self.row(row)
        wait = activity.wait
        return ActivityView(
            **summary.model_dump(),
            id=activity.id,
            description=activity.description,
            mailbox=activity.mailbox,
            started_by=activity.started_by.value,
            wait=wait
            and WaitView(
                type=wait.type.value,
                until=wait.until,
                days=wait.days,
                close_if_no_response=wait.close_if_no_response,
                reason=wait.reason,
            ),
            feedback_until=activity.feedback_until,
            first_resolution=row["first_resolution"],
            resolution=row["resolution"],
            reopening=row["reopening"],
            fields=[] if activity.task else self._fields(activity, fields),
            contacts=[ContactView(**dict(contact)) for contact in contacts],
            links=links.items,
            more_links=links.next,
            family=self._family(activity, family),
            files=[file_view(file, str(activity.reference)) for file in files],
            keep_with_me=activity.keep_with_me,
            for_person=activity.for_person,
            course=course_view(activity),
            task=task_view(activity),
        )

    def link(self, row: Any) -> LinkView:
        """A row of `activities` with its `link_reason`."""
        return LinkView(reason=row["link_reason"], activity=self.header(row))

    def _family(self, activity: Activity, rows: list[Any]) -> FamilyView:
        by_id = {row["id"]: self.header(row) for row in rows}
        below = [row for row in rows if row["parent"] == activity.id]
        return FamilyView(
            parent=activity.parent and by_id[activity.parent],
            parts=[by_id[row["id"]] for row in below if row["kind"] == "ticket"],
            sub_cases=[by_id[row["id"]] for row in below if row["kind"] == "case"],
            merged_into=activity.merged_into and by_id[activity.merged_into],
            merged=[by_id[row["id"]] for row in rows if row["merged_into"] == activity.id],
        )

    def _fields(self, activity: Activity, fields: tuple[FieldValue, ...]) -> list[FieldView]:
        values = {each.name: each.value for each in fields}
        try:
            rules = process_rules(self._organisation, activity.process, activity.mailbox).fields
        except Unknown:
            rules = ()
        shown = [
            FieldView(
                name=rule.name,
                title=rule.title,
                type=rule.type.value,
                mandatory=rule.mandatory,
                value=values.pop(rule.name, None),
            )
            for rule in rules
        ]
        left = (
            FieldView(name=name, title=name, type=None, mandatory=False, value=value)
            for name, value in values.items()
            if not activity.is_sub_case  # what others of the same Cases have is theirs to show
        )
        return [*shown, *left]

    def _title(self, process: str) -> str:
        try:
            return self._organisation.process(process).title
        except Unknown:
            return process
