"""Files of a Ticket, by its rules (NT-15, NT-16, NT-20)."""

from dataclasses import replace
from uuid import UUID

import pytest
from msgspec import structs

from services.activity.domain.events import FileAdded, FileEdited, FileRemoved
from services.activity.domain.family_steps import TakeOver
from services.activity.domain.file_steps import AddFile, EditFile, RemoveFile
from services.activity.domain.files import MEGABYTE, Brought, size_in_mail
from services.activity.domain.refusals import Missing, RefusalCode
from services.activity.domain.states import State
from services.activity.domain.steps import Step
from tests.unit.activity.tickets import (
    ALICE,
    BOB,
    ERP,
    FILE,
    OTHERS,
    ROBOT,
    SPLIT_OFF,
    STARTED,
    SYSTEM,
    Life,
    life_in,
    only,
    refused,
)

CHANGES: tuple[Step, ...] = (EditFile(FILE, "plan B.pdf"), RemoveFile(FILE))


@pytest.mark.parametrize("actor", [ALICE, BOB, ROBOT, ERP])
def test_anybody_puts_a_file_on_what_somebody_works_on(actor: object) -> None:
    """NT-15, ST-22: it takes nothing from who works on it, and leaves its state and holders alone."""
    life = life_in(State.IN_PROGRESS)
    before = life.it
    added = only(FileAdded, life.take(AddFile(FILE), actor))  # type: ignore[arg-type]
    assert (added.file, added.source) == (FILE, None)
    assert life.it == structs.replace(before, version=before.version + 1, changed=before.version + 1)


@pytest.mark.parametrize("step", CHANGES, ids=lambda step: step.name)
def test_only_who_works_on_it_changes_its_files(step: Step) -> None:
    """NT-20, ST-22: what is not purely additive waits until nobody else works on it."""
    life = life_in(State.IN_PROGRESS)
    refusal = refused(life.take(step, BOB))
    assert (refusal.code, refusal.missing) == (RefusalCode.CONFLICT, (Missing.ASSIGNMENT,))
    assert life.take(step, ALICE)
    assert life_in(State.TO_DO).take(step, BOB)


@pytest.mark.parametrize("step", [AddFile(FILE), *CHANGES], ids=lambda step: step.name)
def test_files_of_what_is_closed_stay_as_they_are(step: Step) -> None:
    """NT-20, T38."""
    assert refused(life_in(State.CLOSED).take(step)).code is RefusalCode.CLOSED


def test_a_file_is_called_otherwise_and_found_by_other_words() -> None:
    """NT-16: what is left out stays, and what is said again changes nothing."""
    life = life_in(State.TO_DO)
    called = only(FileEdited, life.take(EditFile(FILE, called="plan B.pdf"))).file
    assert called == replace(FILE, name="plan B.pdf")
    tagged = only(FileEdited, life.take(EditFile(called, tags=("plan", "floor", "plan")))).file
    assert tagged == replace(called, tags=("plan", "floor"))
    assert life.take(EditFile(tagged, "plan B.pdf", ("plan", "floor"))) == ()
    assert only(FileEdited, life.take(EditFile(tagged, tags=()))).file == called
    assert only(FileRemoved, life.take(RemoveFile(called))).file == called


def test_files_come_along_from_another() -> None:
    """LK-1, LK-5: with where they come from."""
    brought = (Brought(FILE, OTHERS[0]), Brought(replace(FILE, id=UUID(int=0xF2)), OTHERS[0]))
    merged, opened, part = life_in(State.TO_DO), Life(), Life()
    for life, step, actor in (
        (merged, TakeOver(OTHERS[0], files=brought), ALICE),
        (opened, replace(STARTED, files=brought), ALICE),
        (part, replace(SPLIT_OFF, files=brought), SYSTEM),
    ):
        done = life.take(step, actor)
        assert not hasattr(done, "code")
        added = [each for each in done if isinstance(each, FileAdded)]  # type: ignore[union-attr]
        assert [(each.file, each.source) for each in added] == [(each.file, OTHERS[0]) for each in brought]


def test_a_mail_is_as_large_as_it_is_sent() -> None:
    """NT-15, AMB-40: files in base64, the text twice; never less than it will really be."""
    assert MEGABYTE == 1_048_576
    assert size_in_mail("", (57 * 1000,)) == 78 * 1000 + 2 * 1024
    assert size_in_mail("é", ()) == 4 + 1024
    assert size_in_mail("", (73 * MEGABYTE,)) <= 100 * MEGABYTE < size_in_mail("", (74 * MEGABYTE,))
