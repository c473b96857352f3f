"""The tables that tie activity's contracts to its rules are complete."""

from typing import get_args

import pytest

from services.activity import event_records
from services.activity.api_steps import PROBLEM_OF
from services.activity.asked_steps import OF_SEVERAL, STEPS
from services.activity.domain.decide import offered_to
from services.activity.domain.events import Event
from services.activity.domain.refusals import RefusalCode
from services.activity.domain.vocabulary import Outcome, Purpose
from services.activity.labels import STATUS, status_label
from services.activity.resources import MODELS
from services.activity.work import PERFORMERS
from services.activity.work_contacts import Asked
from shared.contracts import activity_activities as said
from shared.contracts.activity_requests import ActivityOpen, OnActivity, WorkTakeNext
from shared.contracts.ingest_mails import MailReceived
from shared.contracts.notify_mails import RequestRefused
from shared.topics import ACTIVITY_ACTIVITIES, ACTIVITY_REQUESTS, NOTIFY_MAILS


def test_every_event_has_a_record_of_its_own() -> None:
    records = {happened: record for happened, (record, _) in event_records.RECORDS.items()}
    assert set(records) == set(get_args(Event))
    assert set(records.values()) == set(ACTIVITY_ACTIVITIES.models.values())


def test_every_request_has_a_step() -> None:
    requests = set(ACTIVITY_REQUESTS.models.values())
    about_contacts = set(get_args(Asked))
    assert set(STEPS).isdisjoint(OF_SEVERAL)
    of_no_ticket_yet = (ActivityOpen, WorkTakeNext)
    assert {*STEPS, *OF_SEVERAL} == requests - about_contacts - {*of_no_ticket_yet}
    assert about_contacts == {
        each for each in requests if not issubclass(each, (OnActivity, *of_no_ticket_yet))
    }


def test_every_record_that_comes_in_is_worked_on() -> None:
    reports = set(NOTIFY_MAILS.models.values()) - {RequestRefused}
    assert {MailReceived, *ACTIVITY_REQUESTS.models.values(), *reports} <= set(PERFORMERS)


def test_steps_are_called_over_http_as_in_the_contract() -> None:
    of_none_yet = {f"{kind}.{step}" for kind in MODELS for step in ("open", "take_next")}
    for kind, models in MODELS.items():
        asked = {name for name in ACTIVITY_REQUESTS.models if name.startswith(f"{kind}.")}
        assert {f"{kind}.{name}" for name in models} == asked - of_none_yet


def test_every_refusal_of_the_rules_has_a_place_over_http() -> None:
    """What is incomplete is the caller's to mend (422); the rest is a matter of state (409)."""
    assert {code.value for code in RefusalCode} - set(PROBLEM_OF) == {"incomplete", "incomplete_split"}


def test_the_contract_knows_every_outcome_and_purpose() -> None:
    outcomes = said.ActivityMailReported.model_fields["outcome"].annotation
    purposes = said.ActivityMailRequested.model_fields["purpose"].annotation
    assert set(get_args(outcomes)) == {outcome.value for outcome in Outcome}
    assert set(get_args(purposes)) == {purpose.value for purpose in Purpose}


@pytest.mark.parametrize(
    ("accepted", "label"),
    [
        (None, "To Do"),
        ("fr", "À faire"),
        ("fr-CA, en;q=0.8", "À faire"),
        ("de, fr;q=0.5", "À faire"),
        ("de", "To Do"),
        ("*", "To Do"),
        (";;,,", "To Do"),
    ],
)
def test_a_status_is_labelled_in_a_language_that_we_have(accepted: str | None, label: str) -> None:
    """AMB-2."""
    assert status_label("to_do", accepted) == label


def test_every_language_labels_every_status() -> None:
    """ST-1."""
    statuses = set(get_args(said.Status))
    assert all(set(labels) == statuses for labels in STATUS.values())


def test_what_people_are_offered_can_be_asked_for() -> None:
    """A file comes with its bytes; spam is a method; robots, customers and connectors are offered nothing."""
    elsewhere = {"add_file", "reject_as_spam"}
    for kind, models in MODELS.items():
        offered = {step.name for step in offered_to(kind)}
        assert offered - elsewhere <= set(models), kind
        assert set(models) - offered <= {"reject_work", "feedback", "answer_call"}, kind
