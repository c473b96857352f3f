"""Reads a folder of YAML into an organisation's definition; every error names file and line (design §10).

How the files are cut does not matter: each is a mapping of the definition's keys, and lists of the same key
in several files follow each other in order of the files' names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from shared.contracts.activity_organisation import Definition
from shared.organisation_rules import findings


@dataclass(frozen=True)
class Mistake:
    """What is wrong, and where: `file` as it was found, `line` counted from 1."""

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


class ConfigurationError(Exception):
    """The folder does not hold a valid organisation. `mistakes` lists all that was found, in order."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(frozen=True)
class _Place:
    """A node of YAML, in the file it came from."""

    file: Path
    node: Any
    line: int

    def __getitem__(self, key: str | int) -> "_Place":
        """The place of a child, or this one where there is no such child."""
        try:
            child = self.node[key]
        except (KeyError, IndexError, TypeError):
            return self
        position = self.node.lc.key(key) if isinstance(self.node, CommentedMap) else self.node.lc.item(key)
        return _Place(self.file, child, position[0] + 1)


def read(folder: Path) -> Definition:
    """The organisation in `folder`. Raises `ConfigurationError` with every mistake in it."""
    files = sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))
    if not files:
        raise ConfigurationError([Mistake(folder, 1, "there is no file *.yaml in this folder")])
    content: dict[str, Any] = {}
    places: dict[tuple[str | int, ...], _Place] = {}
    mistakes: list[Mistake] = []
    for file in files:
        try:
            _gather(file, content, places)
        except ConfigurationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigurationError(mistakes)
    try:
        definition = Definition.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(
            [_mistake(places, files[0], detail["loc"], detail["msg"]) for detail in error.errors()]
        ) from None
    mistakes = [_mistake(places, files[0], found.path, found.sentence) for found in findings(definition)]
    if mistakes:
        raise ConfigurationError(mistakes)
    return definition


def _gather(file: Path, content: dict[str, Any], places: dict[tuple[str | int, ...], _Place]) -> None:
    root = _load(file)
    for key in root:
        place = _Place(file, root, 1)[key]
        if isinstance(place.node, CommentedSeq):
            gathered = content.setdefault(key, [])
            for index, item in enumerate(place.node):
                places[key, len(gathered)] = place[index]
                gathered.append(item)
        elif key in content:
            first = places[(key,)]
            raise ConfigurationError(
                [Mistake(file, place.line, f"{key!r} stands in {first.file.name}:{first.line} already")]
            )
        else:
            content[key] = place.node
        places.setdefault((key,), place)


def _load(file: Path) -> CommentedMap:
    try:
        root = YAML(typ="rt").load(file.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError([Mistake(file, line, str(error.problem))]) from None
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError([Mistake(file, 1, f"it cannot be read: {error}")]) from None
    if root is None:
        return CommentedMap()
    if not isinstance(root, CommentedMap):
        raise ConfigurationError([Mistake(file, 1, "it has to be a mapping, such as `processes:`")])
    return root


def _mistake(
    places: dict[tuple[str | int, ...], _Place], fallback: Path, path: tuple[str | int, ...], sentence: str
) -> Mistake:
    """Find the deepest node of YAML that `path` leads to."""
    place = places.get(path[:2]) or places.get(path[:1])
    if place is None:
        return Mistake(fallback.parent, 1, f"{_dotted(path)}: {sentence}")
    for key in path[2:] if path[:2] in places else path[1:]:
        place = place[key]
    return Mistake(place.file, place.line, f"{_dotted(path)}: {sentence}")


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(_words(path))


def _words(path: tuple[str | int, ...]) -> Iterator[str]:
    for key in path:
        yield str(key + 1) if isinstance(key, int) else key
