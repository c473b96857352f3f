"""Logs carry ids, and neither bodies of mails nor whole addresses (design §7)."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared import logs

Lines = Callable[[], list[dict[str, Any]]]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.configure("ingest", "info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_one_json_object_that_says_who_when_and_what(lines: Lines) -> None:
    logs.get_logger("services.ingest").info("mail fetched", uid=7)
    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "mail fetched",
        "uid": 7,
        "level": "info",
        "logger": "services.ingest",
        "service": "ingest",
    }


def test_libraries_speak_the_same_way(lines: Lines) -> None:
    logging.getLogger("some.library").warning("sent to %s", "jane.doe@example.org")
    (line,) = lines()
    assert (line["event"], line["logger"], line["level"]) == (
        "sent to j…@example.org",
        "some.library",
        "warning",
    )


def test_addresses_are_shortened_wherever_they_stand(lines: Lines) -> None:
    logs.get_logger("x").info(
        "to jane@example.org",
        sender="Jane <jane.doe+x@mail.example.org>",
        recipients=["a.b@c.example", ("d@e.example",)],
        by={"info+1-T.abc@acme.example": {"deep": "f.g@h.example"}},
    )
    (line,) = lines()
    assert line["event"] == "to j…@example.org"
    assert line["sender"] == "Jane <j…@mail.example.org>"
    assert line["recipients"] == ["a…@c.example", ["d…@e.example"]]
    assert line["by"] == {"i…@acme.example": {"deep": "f…@h.example"}}


@pytest.mark.parametrize("name", sorted(logs.NEVER_LOGGED))
def test_content_is_left_out_by_its_name(name: str, lines: Lines) -> None:
    logs.get_logger("x").info("mail", **{name.upper(): "Dear sir"}, mail={name: "Dear sir"})
    assert "Dear" not in json.dumps(lines())


def test_bytes_are_counted_not_shown(lines: Lines) -> None:
    logs.get_logger("x").info("raw", mail=b"Dear sir")
    assert lines()[0]["mail"] == "[8 bytes]"


def test_a_traceback_shows_no_variables_and_no_quoted_data(lines: Lines) -> None:
    class Mail(BaseModel):
        size: int

    def work(body: str) -> None:
        try:
            Mail.model_validate({"size": body})
        except ValidationError as error:
            raise RuntimeError(f"null value\nDETAIL:  Failing row contains ({body}, x@y.example)") from error

    try:
        work("Dear sir")
    except RuntimeError:
        logs.get_logger("x").exception("failed")
    (line,) = lines()
    assert [row["exc_type"] for row in line["exception"]] == ["RuntimeError", "ValidationError"]
    assert "Dear" not in json.dumps(line)
    assert "null value" in json.dumps(line)


def test_ids_of_the_work_at_hand_are_on_every_line(lines: Lines) -> None:
    log = logs.get_logger("x")
    with logs.correlated("c-1", f"00-{TRACE}-00f067aa0ba902b7-01", mail_id="m-1"):
        log.info("inside")
        assert logs.current_correlation_id() == "c-1"
        with logs.correlated(None, "nonsense"):
            log.info("deeper")
    log.info("outside")
    inside, deeper, outside = lines()
    ids = {"correlation_id": "c-1", "trace_id": TRACE, "mail_id": "m-1"}
    assert {name: inside.get(name) for name in ids} == {name: deeper.get(name) for name in ids} == ids
    assert not outside.keys() & ids.keys()
    assert logs.current_correlation_id() is None


def test_what_json_does_not_know_is_written_as_text(lines: Lines) -> None:
    class Sender:
        def __str__(self) -> str:
            return "jane.doe@example.org"

    logs.get_logger("x").info("odd", sender=Sender())
    assert lines()[0]["sender"] == "j…@example.org"


def test_levels_below_the_chosen_one_are_silent(lines: Lines) -> None:
    logs.get_logger("x").debug("detail")
    logging.getLogger("aiokafka.consumer").info("chatter")
    assert lines() == []


@given(st.emails())
def test_no_mail_address_survives(address: str) -> None:
    local, _, domain = address.rpartition("@")
    if len(local) > 1:
        assert f"{local}@" not in logs.redacted(f"<{address}>")
    assert f"@{domain}" in logs.redacted(address)
