"""The committed samples of the contracts, as records of Kafka."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from shared.asyncapi import SAMPLES
from shared.topics import TOPICS, Topic
from tests.support.notes import Raw

RECORDS = [(topic, name) for topic in TOPICS for name in topic.models]
IDS = [f"{topic.name}-{name}" for topic, name in RECORDS]


@dataclass(frozen=True)
class Sample:
    """One committed sample."""

    headers: dict[str, str]
    key: str
    value: dict[str, Any]

    def raw(self, topic: Topic, offset: int = 0, **headers: str) -> Raw:
        """As Kafka would hand it over, with these headers in place of its own."""
        said = {**self.headers, **headers}
        return Raw(
            offset=offset,
            value=json.dumps(self.value).encode(),
            headers=tuple((name, value.encode()) for name, value in said.items()),
            key=self.key.encode(),
            topic=topic.name,
        )


@cache
def sample(topic: Topic, name: str) -> Sample:
    """The sample of a record."""
    return Sample(**json.loads((SAMPLES / topic.name / f"{name}.json").read_text()))
