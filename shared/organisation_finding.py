"""What a rule about an organisation's configuration finds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from shared.contracts.activity_organisation import Definition

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where: keys and indexes (from 0) into the definition."""

    path: Path
    sentence: str


Rule = Callable[[Definition], Iterator[Finding]]


def repeated(path: Path, names: Iterable[str], place: str) -> Iterator[Finding]:
    """A finding for each of `names` that is there again, whatever its case. `path` leads to the list."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name.casefold() in seen:
            yield Finding((*path, index), f"{name!r} stands twice in {place}")
        seen.add(name.casefold())


def levels(path: str) -> list[str]:
    """The levels that ` / ` joins in a category or in an option of a multi-level list."""
    return path.split(" / ")


def level_is_bad(path: str) -> bool:
    """Whether a level is empty, or begins or ends with white space or a slash."""
    return any(not each or each != each.strip() or each.strip("/") != each for each in levels(path))
