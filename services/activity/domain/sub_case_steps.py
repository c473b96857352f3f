"""The steps between a Case and its Sub-Cases, and of the Actions that start these or wait for them."""

from dataclasses import dataclass
from uuid import UUID

from services.activity.domain.contacts import Tagged
from services.activity.domain.course import SubCase
from services.activity.domain.links import Other
from services.activity.domain.steps import Edit, Opening, Step
from services.activity.domain.vocabulary import Reason
from shared.field_values import FieldValue


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSubCase(Opening):
    """A Case begins under another one (C2). `by_hand` says that a person wanted it, and no Action.

    `bearer` is the Case at the top, whose contacts, fields, links and files all under it have (CA-7):
    `shared` are its contacts and `values` its fields, which have to be what the process asks for.
    """

    name = "open_sub_case"
    participle = "started as a Sub-Case"
    parent: Other
    process: str
    bearer: UUID
    by_hand: bool = False
    shared: tuple[Tagged, ...] = ()
    values: tuple[FieldValue, ...] = ()


@dataclass(frozen=True, slots=True)
class StartSubCase(Step):
    """Start another Case under it (C2, CA-7)."""

    name = "start_sub_case"
    participle = "given a Sub-Case"
    started: SubCase


@dataclass(frozen=True, slots=True)
class EndSubCase(Step):
    """A Sub-Case of it is closed; `cancelled` where it was not brought to its end (CA-4)."""

    name = "sub_case_ended"
    participle = "told of the end of a Sub-Case"
    sub_case: Other
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EditShared(Edit):
    """Change its contacts or fields from a Sub-Case, which has them, too (CA-7): so whoever owns it."""

    name = "edit_shared"
    participle = "edited from its Sub-Case"


@dataclass(frozen=True, slots=True)
class StartCase(Step):
    """It has started the Case that it is for; or could not, and `why` (C2)."""

    name = "start_case"
    participle = "done by starting a Case"
    why: str | None = None


@dataclass(frozen=True, slots=True)
class AwaitSubCases(Step):
    """It waits for Sub-Cases; or there are none to wait for, for this `reason` (A22)."""

    name = "await_sub_cases"
    participle = "set to wait for Sub-Cases"
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class SubCasesEnded(Step):
    """No Sub-Case runs any more that it would wait for (A22); the last one was perhaps `cancelled`."""

    name = "sub_cases_ended"
    participle = "told of the end of its Sub-Cases"
    cancelled: bool = False
