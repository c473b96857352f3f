"""Programs and tables on the pages of docs/, for tests that hold them to what they say."""

import re
from pathlib import Path

_PROGRAM = re.compile(r"^```[a-z]+ (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs(page: str) -> dict[str, str]:
    """The code blocks of a page that have a file name behind their language, by that name."""
    return {found["name"]: found["text"] for found in _PROGRAM.finditer(Path(page).read_text())}


def table(page: str, mark: str) -> list[list[str]]:
    """The cells of the table behind `<!-- table: mark -->`, without its head and without code marks."""
    rest = Path(page).read_text().split(f"<!-- table: {mark} -->\n", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in rest.splitlines()[2:]]


def commands(page: str, heading: str) -> list[str]:
    """The shell blocks without a file name in the section under a heading, up to the next one."""
    section = Path(page).read_text().split(f"\n{heading}\n", 1)[1]
    return _COMMANDS.findall(re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0])
