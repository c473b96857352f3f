"""Keeps `docs/requirements.md` in step: which ids the code works by, and which tests prove each.

Run as `make requirements` it rewrites the column of tests; the sentences are written by hand.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

PAGE = Path("docs/requirements.md")
_KINDS = "AMB|BK|BL|CA|CE|CT|FB|GL|IN|IT|LK|NT|PA|RT|SH|SL|ST|UH|X8"
_ID = rf"(?:(?:{_KINDS})-\d+|[TCA]\d+b?)"
# Neither the middle of a longer word nor of a reference. Of a range such as "T7 to T9" only the ends are
# cited, and a mention anywhere in a test's file counts: whoever writes it stands for it.
ID = re.compile(rf"(?<![\w.-]){_ID}(?![\w-]*\d)(?!\.\d)\b")
ROW = re.compile(rf"^\| (?P<id>{_ID}) \| (?P<sentence>.+?) \| (?P<tests>.*?) ?\|$")


def cited(paths: Iterable[Path]) -> dict[str, set[str]]:
    """The ids that stand in files, each with the files it stands in."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        for name in ID.findall(path.read_text()):
            found[name].add(str(path))
    return found


def in_code() -> dict[str, set[str]]:
    """The ids that the code says it works by."""
    folders = [Path("services"), Path("shared"), Path("deploy")]
    return cited(path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".sql"))


def in_tests() -> dict[str, set[str]]:
    """The ids that tests prove."""
    return cited(Path("tests").rglob("test_*.py"))


def natural(name: str) -> tuple[str, int, str]:
    """What ids are sorted by: `T9` before `T17` before `T17b` before `T18`."""
    kind, number, rest = re.fullmatch(r"(.*?)-?(\d+)(b?)", name).groups()  # type: ignore[union-attr]
    return kind, int(number), rest


def tables() -> list[list[str]]:
    """The ids of each table of the page, in the page's order."""
    found: list[list[str]] = []
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            found.append([])
        elif row := ROW.match(line):
            found[-1].append(row["id"])
    return found


def on_page() -> dict[str, tuple[str, str]]:
    """The page's rows: id to sentence and tests."""
    rows = (ROW.match(line) for line in PAGE.read_text().splitlines())
    return {row["id"]: (row["sentence"], row["tests"]) for row in rows if row}


def column(tests: Iterable[str]) -> str:
    """How the page names tests: files below `tests/`, at most four."""
    names = sorted(name.removeprefix("tests/").removesuffix(".py") for name in tests)
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(f"`{name}`" for name in names[:4]) + more


def rewritten() -> str:
    """The page with its column of tests as it has to be."""
    proofs = in_tests()

    def line(text: str) -> str:
        row = ROW.match(text)
        return f"| {row['id']} | {row['sentence']} | {column(proofs[row['id']])} |" if row else text

    return "\n".join(line(text) for text in PAGE.read_text().splitlines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(rewritten())
    missing = sorted(in_code().keys() - on_page().keys())
    sys.stdout.write(f"{len(on_page())} requirements; without a row: {' '.join(missing) or 'none'}\n")
