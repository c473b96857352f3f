"""Which Mailroom a command is about, and how one fails that does not know."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.instance import SERVICES, Servers, Unclear, servers, services_named
from shared.kafka_access import KafkaAccess
from shared.topics import DEAD_LETTERS

DSN = "postgresql://localhost:1/mailroom"


def test_servers_are_named_both_or_taken_from_the_home(tmp_path: Path) -> None:
    assert servers(tmp_path, "localhost:1", DSN) == Servers(KafkaAccess("localhost:1"), DSN)
    for half in (("localhost:1", None), (None, DSN)):
        with pytest.raises(Unclear, match="Give both"):
            servers(tmp_path, *half)
    with pytest.raises(Unclear, match="Nothing is up in"):
        servers(tmp_path, None, None)


def test_services_are_all_or_those_that_are_named_each_once() -> None:
    assert services_named(None) == SERVICES
    assert services_named(["notify", "ingest", "notify"]) == ("notify", "ingest")
    with pytest.raises(Unclear, match="There is no service 'bulk'; there are ingest, activity, notify"):
        services_named(["notify", "bulk"])
    assert set(SERVICES) == set(DEAD_LETTERS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["recover", "--dsn", DSN], "Give both --bootstrap and --dsn"),
        (["recover", "--service", "bulk", "--dsn", DSN, "--bootstrap", "localhost:1"], "There is no service"),
        (["backup", "--to", "/nowhere", "--home", "/nowhere"], "Nothing is up in /nowhere"),
        (["retention", "run", "--home", "/nowhere"], "Nothing is up in /nowhere"),
        (["migrate", "--service", "bulk", "--dsn", DSN], "There is no service 'bulk'"),
        (["doctor", "--service", "bulk"], "There is no service 'bulk'"),
        (["events", "tail", "--home", "/nowhere"], "Nothing is up in /nowhere"),
        (["topics", "plan", "--bootstrap", "localhost:1"], "Kafka does not answer at localhost:1"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
