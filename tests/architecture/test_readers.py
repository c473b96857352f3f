"""What services subscribe to is what `mailroom topics apply` registers (design §2)."""

from datetime import UTC, datetime

import pytest

from services.activity.app import subscriptions as activity
from services.activity.work import Work
from services.ingest.handlers import subscriptions as of_ingest
from services.notify.app import subscriptions as notify
from services.notify.handlers import Handlers
from shared.contracts.envelope import Envelope
from shared.decoding import Unknown
from shared.organisation import Organisations
from shared.readers import READERS
from shared.topics import TOPICS
from shared.unit_of_work import Subscription

WIRED: dict[str, tuple[Subscription, ...]] = {
    "ingest": of_ingest(None),  # type: ignore[arg-type]
    "activity": activity(Work(Organisations(), None)),  # type: ignore[arg-type]
    "notify": tuple(notify(Handlers(None, None))),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("service", sorted(WIRED))
def test_every_subscription_is_registered_and_no_other(service: str) -> None:
    wired = {(each.consumer, each.topic.name) for each in WIRED[service]}
    assert wired == {(each.consumer, each.topic.name) for each in READERS if each.service == service}


@pytest.mark.parametrize("service", sorted(WIRED))
def test_whoever_answers_requests_bypasses_the_inbox(service: str) -> None:
    """A repeated request finds its stored answer and gets it again (design §2)."""
    for subscription in WIRED[service]:
        assert subscription.refuse is None or not subscription.inbox


@pytest.mark.parametrize("service", sorted(WIRED))
def test_only_requests_are_answered(service: str) -> None:
    for subscription in WIRED[service]:
        assert subscription.refuse is None or subscription.topic.requests


@pytest.mark.parametrize("service", sorted(WIRED))
def test_a_refused_request_is_answered_where_the_table_says_under_its_id(service: str) -> None:
    """AsyncAPI tells others so: who asks finds the answer by `ce_causationid`."""
    asked = Envelope(id="7", source="/erp", type="nobody.knows", time=datetime.now(UTC), organisation="acme")
    for subscription in WIRED[service]:
        if subscription.refuse is None:
            assert subscription.topic.answered_on is None
        else:
            answer = subscription.refuse(asked, Unknown(asked))
            assert answer.topic is subscription.topic.answered_on
            assert answer.envelope.causationid == asked.id


def test_a_topic_of_requests_is_named_so() -> None:
    """What is unknown there is refused, and structured mode is accepted (design §3, §4)."""
    requests = {topic.name for topic in TOPICS if topic.requests}
    assert requests == {topic.name for topic in TOPICS if topic.name.split(".")[1] == "requests"}
    assert requests == {"ingest.requests.v1", "activity.requests.v1", "notify.requests.v1"}
