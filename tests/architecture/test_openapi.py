"""OpenAPI tells callers all: every operation has an example, and every example is what its schema says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from services.activity.resources import RESOURCES
from shared.openapi_examples import JSON
from tests.support.described import NAMES, described

NO_EXAMPLE = {"message/rfc822", "application/octet-stream"}


def contents(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body and answer: its operation, media type and content."""
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for method, operation in operations.items():
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for body in (*bodies, *operation["responses"].values()):
                for media_type, content in body.get("content", {}).items():
                    yield f"{method.upper()} {path}", media_type, content


@pytest.mark.parametrize("name", NAMES)
async def test_every_body_and_answer_has_an_example_that_keeps_to_its_schema(
    name: str, tmp_path: Path
) -> None:
    document = described(name, tmp_path).openapi()
    seen = 0
    for operation, media_type, content in contents(document):
        if media_type in NO_EXAMPLE:
            continue
        given = [each["value"] for each in content.get("examples", {}).values()]
        examples = given or ([content["example"]] if "example" in content else [])
        assert examples, f"{operation} has no example for {media_type}"
        if media_type == JSON:
            schema = {**content["schema"], "components": document["components"]}
            for example in examples:
                found = Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(example)
                assert [error.message for error in found] == [], operation
        seen += 1
    assert seen > 5


async def test_every_step_is_an_operation_of_its_own_with_the_contracts_words(tmp_path: Path) -> None:
    paths = described("activity", tmp_path).openapi()["paths"]
    steps = [(each.prefix, step, model) for each in RESOURCES for step, model in each.steps.items()]
    for prefix, step, model in steps:
        operation = paths[f"{prefix}/{{reference}}/steps/{step}"]["post"]
        assert (model.__doc__ or "").splitlines()[0] in operation["description"]
        assert operation["requestBody"]["content"][JSON]["examples"]["sample"]["value"] is not None
        (key,) = (each for each in operation["parameters"] if each["name"] == "Idempotency-Key")
        assert key["required"]
