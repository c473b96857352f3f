"""Design §3: which mails are parsed alone."""

from pathlib import Path

import pytest

from services.ingest.parsing.lookout import Caution, look
from tests.unit.ingest.desk import MAILS


@pytest.mark.parametrize("path", sorted(MAILS.glob("*.eml")), ids=lambda path: path.stem)
def test_ordinary_mail_is_parsed_with_its_page(path: Path) -> None:
    assert look(path.read_bytes()) is Caution.NONE


@pytest.mark.parametrize(
    ("raw", "caution"),
    [
        (b"\r\n--x" * 201, Caution.LENIENT),
        (b"\r--x" * 201, Caution.LENIENT),
        (b"Content-Type: MESSAGE/rfc822\n\n" * 51, Caution.LENIENT),
        (b"=?" * 2001, Caution.LENIENT),
        (b"x" * 600_000, Caution.ALONE),
        (b"x\n" + b"x" * 524_289, Caution.ALONE),
        (b"x" * 524_288 + b"\n" + b"x" * 524_288, Caution.NONE),
        (b"<b>" * 100_001, Caution.ALONE),
        (b"0123456789\n" * 800_000, Caution.ALONE),
        (b"", Caution.NONE),
    ],
)
def test_what_may_kill_or_hold_up_a_parser_is_seen_in_the_bytes(raw: bytes, caution: Caution) -> None:
    assert look(raw) is caution
