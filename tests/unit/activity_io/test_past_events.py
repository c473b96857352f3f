"""What was published leads back to what happened: nothing but the texts is lost on the way."""

import json
from pathlib import Path

import pytest

from services.activity.event_records import RECORDS
from services.activity.past_events import Texts, event_of
from shared.contracts import activity_activities as said
from shared.topics import ACTIVITY_ACTIVITIES

SAMPLES = Path("shared/contracts/samples") / ACTIVITY_ACTIVITIES.name


@pytest.mark.parametrize("type_", sorted(ACTIVITY_ACTIVITIES.models))
def test_an_event_comes_back_from_its_record(type_: str) -> None:
    sample = json.loads((SAMPLES / f"{type_}.json").read_text())
    record = ACTIVITY_ACTIVITIES.models[type_].model_validate(sample["value"])
    assert isinstance(record, said.ActivityRecord)
    # What may be left out, as it is then understood.
    if isinstance(record, said.ActivityOpened):
        record = record.model_copy(update={"family": record.family or record.activity})
    if isinstance(record, said.ActivityStatusChanged):
        record = record.model_copy(update={"until": record.until or record.at})
    event = event_of("acme", record, Texts("A title", "A description"))
    model, fields = RECORDS[type(event)]
    assert model is type(record)
    again = fields(event, getattr(record, "configuration", 0))
    assert again == {name: getattr(record, name) for name in again}
    assert (event.stamp.at, event.stamp.by.id, event.stamp.rule) == (record.at, record.actor.id, record.rule)


def test_texts_that_nobody_knows_leave_what_was_written_alone() -> None:
    sample = json.loads((SAMPLES / "ticket.edited.json").read_text())
    record = said.ActivityEdited.model_validate(sample["value"])
    event = event_of("acme", record, Texts())
    assert (event.title, event.description) == (None, None)  # type: ignore[union-attr]
