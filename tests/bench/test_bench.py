"""`make bench` in small: that it counts right and says what it promises, never how fast anything is."""

import ast
import hashlib
import json
import tempfile
from pathlib import Path

import pytest

from deploy.local.endpoints import Endpoints
from tests.bench import figures, floor, passing
from tests.bench.__main__ import PARTS, measure
from tests.bench.bench import Bench
from tests.bench.installation import with_mail_servers
from tests.bench.report import documented, figures_table, processor_table
from tests.bench.usage import Usage

MAILS = 200
FLOOR = "a26ba22814e114acb5dfdcacd3a2e1caaa70309ba982d59354704fa0a0089c5c"
"""What `floor.py` is, since it was frozen."""
WANTED = frozenset({"mail_to_ticket", "reply_to_ticket"})


@pytest.mark.timeout(5 * passing.STANDSTILL_SECONDS)
async def test_mails_and_their_replies_are_measured_beside_the_floor(stack: Endpoints) -> None:
    said: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 — nothing else runs here
        async with with_mail_servers(stack, folder) as servers:
            found = await measure(Bench(servers, passing.Spy((), folder), MAILS), WANTED, said.append)
        figures.write(folder / "bench.json", found)
        written = json.loads((folder / "bench.json").read_text())
    assert written.keys() == WANTED | {"machine"}
    assert len(said) == 1
    for name in WANTED:
        each = written[name]
        assert each["unit"] == "mails/s"
        assert each["mails"] == MAILS
        assert each["ratio"] == pytest.approx(each["value"] / each["floor"], rel=0.01)
        ours = {"ingest", "ingest parsers", "activity", "kafka", "postgres", "postgres: ingest", "dovecot"}
        assert ours <= each["processor_ms"].keys()
        assert {"floor ingest", "floor work", "kafka"} <= each["floor_processor_ms"].keys()
    assert "mail to ticket" in {row[0] for row in figures_table(found)}
    assert "activity" in {row[0] for row in processor_table(found)}


def test_the_floor_stays_as_it_is_and_knows_nothing_of_mailroom() -> None:
    script = Path(floor.__file__).read_bytes()
    assert hashlib.sha256(script).hexdigest() == FLOOR, "older ratios are worthless now: write a decision"
    nodes = list(ast.walk(ast.parse(script)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & {"services", "shared", "deploy", "tests"}


def test_every_figure_is_given_by_one_part() -> None:
    given = [name for part in PARTS for name in part.gives]
    assert len(given) == len(set(given))


def test_memory_is_told_early_and_late() -> None:
    samples = [{"ingest": (100 + number) * 10**6, "late": 1} for number in range(40)]
    del samples[0]["late"]
    assert figures.growth(samples) == {"ingest": figures.Growth(early=114.5, late=134.5, most=139.0)}
    assert figures.growth(samples[:3]) == {}


def test_a_rate_is_told_beside_the_floors() -> None:
    def run(seconds: float) -> passing.Measured:
        used = {"postgres": Usage(2.0, 1), "postgres: ingest": Usage(1.5, 1)}
        return passing.Measured(1000, seconds, used, others=0.0, memory=())

    figure = figures.figure(run(10.0), run(5.0), more={"longest": 3.0})
    assert (figure.value, figure.floor, figure.ratio) == (100.0, 200.0, 0.5)
    assert figure.processor_ms == {"postgres": 2.0, "postgres: ingest": 1.5}
    assert run(10.0).processor_time == pytest.approx(0.002)
    assert figure.as_json()["longest"] == 3.0


def test_tables_of_a_page_are_replaced_and_its_words_kept() -> None:
    page = "Words.\n\n<!-- table: one -->\n| old |\n| - |\n\nMore.\n<!-- table: two -->\n| stays |\n"
    expected = "Words.\n\n<!-- table: one -->\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n\nMore.\n"
    rewritten = documented(page, {"one": [("a", "b"), ("1", "2")]})
    assert rewritten == expected + "<!-- table: two -->\n| stays |\n"
    assert documented(rewritten, {"one": [("a", "b"), ("1", "2")]}) == rewritten
