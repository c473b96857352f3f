"""Whoever reads a topic says what it relies on, and no contract changes under it (design §4)."""

from copy import deepcopy
from typing import Any

import pytest

from shared.contracts.compatibility import Schema
from shared.decoding import Incoming, Unreadable, decode
from shared.readers import READERS
from tests.support.reads import Statement, broken, committed, contracts, paths
from tests.support.samples import Sample, sample

READ = [(reader, name) for reader in READERS for name in reader.topic.models]
IDS = [f"{reader.consumer}-{name}" for reader, name in READ]


def test_the_contracts_still_say_what_their_readers_rely_on() -> None:
    assert broken(committed(), contracts()) == []


def test_every_consumer_states_what_it_reads_of_every_record_that_may_come() -> None:
    stated = {(consumer, name) for consumer, records in committed().items() for name in records}
    assert stated == set(contracts())


@pytest.mark.parametrize(("reader", "name"), READ, ids=IDS)
def test_a_reader_takes_a_record_without_what_may_be_left_out_and_names_what_may_not(
    reader: Any, name: str
) -> None:
    topic, given = reader.topic, sample(reader.topic, name)
    required = topic.models[name].model_json_schema().get("required", [])
    for field in topic.models[name].model_fields:
        without = Sample(
            given.headers, given.key, {key: given.value[key] for key in given.value if key != field}
        )
        found = decode(without.raw(topic), topic.models, structured=topic.requests)
        if field in required:
            assert isinstance(found, Unreadable)
            assert found.detail.startswith(f"{field}: ")
        else:
            assert isinstance(found, Incoming)


def changed(change: Any) -> list[str]:
    """What is said when the schema of a record that activity reads is changed like this."""
    schemas = contracts()
    key = ("activity.mails", "mail.received")
    schemas[key] = deepcopy(schemas[key])
    change(schemas[key])
    stated: Statement = {"activity.mails": {"mail.received": committed()["activity.mails"]["mail.received"]}}
    return broken(stated, schemas)


def _remove(schema: Schema) -> None:
    del schema["properties"]["message_id"]


def _remove_inside(schema: Schema) -> None:
    del schema["$defs"]["Target"]["properties"]["mailbox"]


def _retype(schema: Schema) -> None:
    schema["properties"]["received"] = {"type": "integer"}


def _loosen(schema: Schema) -> None:
    schema["required"].remove("targets")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_remove, "activity.mails reads message_id of mail.received, which would be gone"),
        (
            _remove_inside,
            "activity.mails reads targets[].mailbox of mail.received, which would be gone",
        ),
        (
            _retype,
            'activity.mails reads received of mail.received, which is string, format "date-time" '
            "and would be integer",
        ),
        (_loosen, "activity.mails reads targets of mail.received, which is list of object"),
    ],
)
def test_a_change_under_a_reader_is_named_by_consumer_record_and_field(change: Any, said: str) -> None:
    sentences = changed(change)
    assert len(sentences) == 1
    assert sentences[0].startswith(said)


def test_what_nobody_reads_may_change_for_them() -> None:
    unread = set(paths(contracts()["activity.mails", "mail.received"])) - set(
        committed()["activity.mails"]["mail.received"]
    )
    assert "explanation" in unread

    def remove(schema: Schema) -> None:
        del schema["properties"]["explanation"]

    assert changed(remove) == []


def test_a_record_that_is_gone_is_missed() -> None:
    schemas = contracts()
    del schemas["notify.requests", "mail.compose"]
    assert broken(committed(), schemas) == ["notify.requests reads mail.compose, which would be gone"]
