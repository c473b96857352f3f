"""`docs/configuration.md` explains every key there is, with examples that are an organisation together."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from deploy.config.folder import ConfigurationError, read
from shared.conditions import check
from shared.contracts.activity_organisation import Definition, ProcessKind

PAGE = Path("docs/configuration.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The parts that a field's type is made of, and those that they are made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for argument in get_args(annotation):
        yield from models(argument)


KEYS = sorted({key for model in models(Definition) for key in model.model_fields})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, example in enumerate(EXAMPLES):
        (tmp_path / f"{number:02}.yaml").write_text(example)
    return tmp_path


def test_the_examples_are_a_valid_organisation_together(folder: Path) -> None:
    definition = read(folder)
    assert all(getattr(definition, kind) for kind in Definition.model_fields)


def test_the_conditions_of_the_page_can_be_worked_out(folder: Path) -> None:
    definition = read(folder)
    fields = {field.name: field for field in definition.fields}
    used = next(process.fields for process in definition.processes if process.kind is ProcessKind.CASE)
    table = re.search(r"^\| Write \|.*?\n\n", PAGE, re.DOTALL | re.MULTILINE)
    assert table
    shown = re.findall(r"`([^`]*)`", "".join(re.findall(r"^\|.*?\|", table[0], re.MULTILINE)))
    conditions = [text for text in shown if re.search(r"\w\w", text) and text not in ("and", "or", "not")]
    conditions.remove("monitors ?? 0")
    assert len(conditions) > 10
    for text in conditions:
        assert check(text, (fields[use.field] for use in used)) is None, text


def test_every_kind_has_its_place_in_a_heading() -> None:
    headings = " ".join(re.findall(r"^## (.*)$", PAGE, re.MULTILINE))
    assert set(Definition.model_fields) - set(re.findall(r"\w+", headings)) == {"wait_reasons"}


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_shown_in_an_example_or_named_in_the_text(key: str) -> None:
    shown = re.search(rf"(?<![\w-]){key}:", "\n".join(EXAMPLES))
    assert shown or f"`{key}`" in PAGE


def test_an_example_that_is_wrong_would_be_found(folder: Path) -> None:
    """The check of the examples is the one of `mailroom config check`."""
    (folder / "zz.yaml").write_text("queues: [{name: lost, title: Lost, team: nobody}]\n")
    with pytest.raises(
        ConfigurationError, match=r"zz\.yaml:1: queues\.2\.team: there is no 'nobody' in teams"
    ):
        read(folder)
