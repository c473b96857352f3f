"""Looks for bytes that reach ever more of the parsers' code (atheris), from what is known on.

    python -m tests.fuzz parse|sanitise [options of libFuzzer, such as -max_total_time=600]

What it finds interesting stays in `.fuzz/<target>`, and is where the next run begins. What breaks a parser is
written to `.fuzz/` and belongs into `tests/data/found`, where the suite reads it ever since.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["services.ingest", "email"]):
    from services.ingest.domain.mail import ParsedMail
    from services.ingest.parsing import html
    from services.ingest.parsing.parser import parse, parse_headers
from tests.support.hostile import KINDS
from tests.support.soundness import assert_sound
from tests.unit.ingest.desk import DATA, MAILS

HOME = Path(".fuzz")
SEED_BYTES = 3000


def read_mail(raw: bytes) -> None:
    """Whatever the bytes are, both parsers make a mail of them that can be stored and shown."""
    for rust_first in (False, True):
        mail = parse(raw, rust_first=rust_first)
        assert_sound(mail)
    assert parse_headers(raw, "").digest == mail.digest


def sanitise(written: bytes) -> None:
    """Nothing gets past the sanitiser, nor means something else when it is read again."""
    page = written.decode("utf-8", "replace").replace("\0", "")
    html.strip(page)
    for _ in range(2):
        page = html.sanitise(page)
        assert_sound(ParsedMail(size=0, digest="", html=page))
    html.to_text(page)


TARGETS: dict[str, Callable[[bytes], None]] = {"parse": read_mail, "sanitise": sanitise}


def seeds() -> list[bytes]:
    """The mails that are known."""
    kinds = (kind.raw() for kind in KINDS if not kind.alone)
    files = (path.read_bytes() for folder in (MAILS, DATA / "found") for path in folder.glob("[!.]*"))
    return [raw for raw in (*kinds, *files) if len(raw) <= SEED_BYTES]


def main(name: str, *options: str) -> None:
    """Fuzz one target, until it is stopped or an option says so."""
    corpus = HOME / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(seeds()):
        body = raw if name == "parse" else raw.partition(b"\r\n\r\n")[2]
        (corpus / f"seed-{number}").write_bytes(body)
    own = (f"-artifact_prefix={HOME}/", f"-max_len={SEED_BYTES}", "-timeout=60")
    atheris.Setup(["fuzz", str(corpus), *own, *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
