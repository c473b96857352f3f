"""`mailroom topics acls`: what each user of Kafka has to be let do, said in three ways."""

import json
import shlex
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from shared.readers import READERS
from shared.rights import ROLES, concerning, rights, writers
from shared.topics import ACTIVITY_REQUESTS, DEAD_LETTERS, INGEST_MAILS, TOPICS

OPTIONS = (
    "--user",
    "activity=CN=activity,O=Acme",
    "--user",
    "requester=shop",
    "--user",
    "requester=web site",
)


def told(*options: str) -> str:
    result = CliRunner().invoke(app, ["topics", "acls", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def in_commands(text: str) -> Iterator[tuple[str, str, str, str]]:
    for line in text.splitlines():
        words = shlex.split(line)
        assert words[:6] == [
            "kafka-acls.sh", "--bootstrap-server", "$KAFKA", "--command-config", "$ADMIN", "--add"
        ]  # fmt: skip
        options = list(zip(words[6::2], words[7::2], strict=True))
        (principal,) = [value for name, value in options if name == "--allow-principal"]
        operations = [value for name, value in options if name == "--operation"]
        for name, value in options:
            if name not in ("--allow-principal", "--operation"):
                yield from ((principal, name.removeprefix("--"), value, each) for each in operations)


def in_json(text: str) -> Iterator[tuple[str, str, str, str]]:
    for each in json.loads(text):
        for operation in each["operations"]:
            yield each["principal"], each["resource"], each["name"], operation


def test_all_ways_say_the_same() -> None:
    asked = (*OPTIONS, "--prefix", "acme.")
    rights_told = set(in_json(told("--format", "json", *asked)))
    assert set(in_commands(told("--format", "commands", *asked))) == rights_told
    table = told(*asked)
    for principal, kind, name, operation in rights_told:
        assert any(
            all(word in line for word in (principal, kind, name, operation)) for line in table.splitlines()
        )


def test_users_go_by_the_names_that_are_given() -> None:
    rights_told = set(in_json(told("--format", "json", *OPTIONS)))
    assert {principal for principal, *_ in rights_told} == {
        "User:ingest",
        "User:CN=activity,O=Acme",
        "User:notify",
        "User:operator",
        "User:shop",
        "User:web site",
    }
    assert {each[1:] for each in rights_told if each[0] == "User:shop"} == {
        ("topic", "activity.requests.v1", "Write"),
        ("topic", "activity.answers.v1", "Read"),
    }


@pytest.mark.parametrize("named", ["shop", "shop=shop", "ingest="])
def test_a_user_without_a_role_is_refused(named: str) -> None:
    result = CliRunner().invoke(app, ["topics", "acls", "--user", named])
    assert result.exit_code == 1
    assert "say ROLE=NAME, with a role of ingest, activity, notify, operator" in result.stderr


def test_nobody_but_ingest_may_say_that_mail_came() -> None:
    for role in ROLES:
        may_write = {right.name for right in rights(role) if "Write" in right.operations}
        assert (INGEST_MAILS.name in may_write) == (role == "ingest")
        assert (ACTIVITY_REQUESTS.name in may_write) == (role in ("activity", "requester", "connector"))


def test_every_topic_has_a_service_that_writes_it_and_each_consumer_its_group() -> None:
    assert {topic for service in DEAD_LETTERS for topic in concerning(service)} == set(TOPICS)
    assert all(writers(topic) for topic in TOPICS)
    groups = {right.name for role in ROLES for right in rights(role, "x.") if right.kind == "group"}
    assert groups == {f"x.{reader.consumer}" for reader in READERS}
