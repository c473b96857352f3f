"""What each program has to be let do in Kafka, and no more: from the tables of topics and readers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.readers import READERS
from shared.topics import ACTIVITY_ANSWERS, ACTIVITY_CALLS, ACTIVITY_REQUESTS, DEAD_LETTERS, TOPICS, Topic

OPERATOR = "operator"
"""Who calls `mailroom topics apply`, `dlq`, `events` and `recover`."""
REQUESTER = "requester"
"""Another system that asks for something."""
CONNECTOR = "connector"
"""A requester that does what Actions ask for."""
ROLES: tuple[str, ...] = (*DEAD_LETTERS, OPERATOR, REQUESTER, CONNECTOR)

_OPERATORS = ("Create", "Read", "Alter", "AlterConfigs", "DescribeConfigs")


@dataclass(frozen=True, slots=True)
class Right:
    """On one resource, under Kafka's names. Who may read or write may describe, too."""

    kind: Literal["topic", "group", "transactional-id"]
    name: str
    operations: tuple[str, ...]


def transactional_id(service: str, prefix: str) -> str:
    """Of a service's relay; the same for every process of it: Kafka fences all but the newest."""
    return f"{prefix}mailroom.{service}.relay"


def group(consumer: str, prefix: str) -> str:
    """Of a consumer: deployments that share a cluster keep out of each other's groups."""
    return prefix + consumer


def writers(topic: Topic) -> frozenset[str]:
    """The services that write it: of what others write, its reader puts dead letters back."""
    return frozenset({topic.producer}) if topic.producer in DEAD_LETTERS else readers(topic)


def readers(topic: Topic) -> frozenset[str]:
    """The services that have a consumer on it."""
    return frozenset(reader.service for reader in READERS if reader.topic is topic)


def concerning(service: str) -> tuple[Topic, ...]:
    """The topics that a service writes or reads."""
    return tuple(topic for topic in TOPICS if service in writers(topic) | readers(topic))


def rights(role: str, prefix: str = "") -> list[Right]:
    """All rights of one of the `ROLES`, in the order of the tables."""
    if role == OPERATOR:
        return _on(TOPICS, prefix, *_OPERATORS)
    if role in (REQUESTER, CONNECTOR):
        read = [ACTIVITY_ANSWERS, *([ACTIVITY_CALLS] if role == CONNECTOR else [])]
        return _on([ACTIVITY_REQUESTS], prefix, "Write") + _on(read, prefix, "Read")
    return [
        # A relay reads what its service has said; `mailroom doctor` looks at how topics are configured.
        *(
            Right("topic", prefix + topic.name, (*_writing(role, topic), "Read", "DescribeConfigs"))
            for topic in concerning(role)
        ),
        *(
            Right("group", group(reader.consumer, prefix), ("Read",))
            for reader in READERS
            if reader.service == role
        ),
        Right("transactional-id", transactional_id(role, prefix), ("Write",)),
    ]


def _writing(service: str, topic: Topic) -> tuple[str, ...]:
    return ("Write",) if service in writers(topic) else ()


def _on(topics: Iterable[Topic], prefix: str, *operations: str) -> list[Right]:
    return [Right("topic", prefix + topic.name, operations) for topic in topics]
