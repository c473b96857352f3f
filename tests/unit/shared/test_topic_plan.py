"""What `mailroom topics` would change, without a cluster."""

from dataclasses import replace
from datetime import timedelta

from shared.topic_configuration import configuration, kept_for
from shared.topic_plan import Action, Present, plan
from shared.topics import ACTIVITY_ORGANISATION, DEAD_LETTERS, INGEST_MAILS, TOPICS


def present() -> dict[str, Present]:
    return {"p." + INGEST_MAILS.name: Present(12, configuration(INGEST_MAILS))}


def test_a_missing_topic_is_made_as_the_table_says() -> None:
    (change,) = plan([INGEST_MAILS], "p.", {})
    assert change.action is Action.MAKE
    assert change.topic == "p.ingest.mails.v1"
    assert change.partitions == 12
    assert change.configuration["retention.ms"] == str(30 * 24 * 3600 * 1000)


def test_nothing_is_planned_where_all_is_as_it_should_be() -> None:
    assert plan([INGEST_MAILS], "p.", present()) == []


def test_topics_that_keep_nothing_for_ever_may_keep_it_longer() -> None:
    kept = {topic.name: topic.retention for topic in kept_for(45)}
    assert kept["ingest.mails.v1"] == timedelta(days=45)
    assert kept["ingest.dlq.v1"] == timedelta(days=90)
    assert kept["activity.activities.v1"] is None
    (change,) = plan([each for each in kept_for(45) if each.name == INGEST_MAILS.name], "p.", present())
    assert "retention.ms=3888000000 (was 2592000000)" in change.sentence
    assert kept_for(30) == TOPICS


def test_partitions_are_added_and_never_taken_away() -> None:
    (grow,) = plan([replace(INGEST_MAILS, partitions=24)], "p.", present())
    assert (grow.action, grow.partitions) == (Action.GROW, 24)
    assert "order per key is lost" in grow.sentence
    (leave,) = plan([replace(INGEST_MAILS, partitions=6)], "p.", present())
    assert leave.action is Action.LEAVE


def test_configuration_that_differs_is_set_and_what_others_set_is_kept() -> None:
    mine = {**configuration(INGEST_MAILS), "retention.ms": "1", "segment.bytes": "1000"}
    (change,) = plan([INGEST_MAILS], "p.", {"p." + INGEST_MAILS.name: Present(12, mine)})
    assert change.action is Action.CONFIGURE
    assert change.configuration == {**configuration(INGEST_MAILS), "segment.bytes": "1000"}
    assert "retention.ms=2592000000 (was 1)" in change.sentence


def test_of_three_copies_two_have_to_hold_what_is_confirmed() -> None:
    """Or Kafka would confirm what one broker has alone, and lose it with that broker."""
    name, held = "p." + INGEST_MAILS.name, configuration(INGEST_MAILS)
    (change,) = plan([INGEST_MAILS], "p.", {name: Present(12, held, replicas=3)})
    assert (change.action, change.configuration) == (Action.CONFIGURE, {**held, "min.insync.replicas": "2"})
    for replicas in (1, 2):
        assert plan([INGEST_MAILS], "p.", {name: Present(12, held, replicas)}) == []


def test_dead_letters_have_room_for_a_record_of_full_size_and_its_reason() -> None:
    room = {topic.name: int(configuration(topic)["max.message.bytes"]) for topic in TOPICS}
    largest = max(room[topic.name] for topic in TOPICS if topic not in DEAD_LETTERS.values())
    assert all(room[topic.name] > largest for topic in DEAD_LETTERS.values())


def test_a_compacted_topic_is_kept_for_ever() -> None:
    assert configuration(ACTIVITY_ORGANISATION)["cleanup.policy"] == "compact"
    assert configuration(ACTIVITY_ORGANISATION)["retention.ms"] == "-1"
