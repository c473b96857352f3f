"""What a request says in the body of an HTTP request, made from its contract.

The URL says which step on which activity, the token who asks; what is left is the body. Its schema, the
meaning of its fields and its example are the contract's own.
"""

import json
from functools import cache
from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.alias_generators import to_pascal

from shared.asyncapi import SAMPLES
from shared.bodies import invalid, said_in_json
from shared.contracts.activity_requests import Request
from shared.contracts.asking import to_be_said
from shared.contracts.meanings import explain
from shared.topics import ACTIVITY_REQUESTS

ELSEWHERE = ("type", "reference", "contact", "actor")
"""Said by the URL and the token, and so no fields of a body."""


def name_of(model: type[Request]) -> str:
    """A request's type."""
    return str(model.model_fields["type"].default)


@cache
def body_of(model: type[Request], name: str | None = None) -> Any:
    """The annotation of a body for a request. Where no field is needed it may be left out.

    `name` is the one that the request goes by, if it has several.
    """
    name = name or name_of(model)
    fields: dict[str, Any] = {
        field: (info.annotation, info) for field, info in model.model_fields.items() if field not in ELSEWHERE
    }
    for field, _ in to_be_said(model):
        info = model.model_fields[field]
        fields[field] = (Annotated[info.annotation, *info.metadata], ...)
    config = ConfigDict(extra="forbid", json_schema_extra=lambda schema: explain(schema, model))
    made = create_model(f"{to_pascal(name.replace('.', '_'))}Body", __config__=config, **fields)
    examples: Any = {"sample": {"value": example_of(name)}}
    if any(info.is_required() for info in made.model_fields.values()):
        return Annotated[said_in_json(made), Body(openapi_examples=examples)]
    return Annotated[said_in_json(made), Body(default_factory=made, openapi_examples=examples)]


def example_of(name: str) -> dict[str, Any]:
    """The committed sample of a request, as a body."""
    path = SAMPLES / ACTIVITY_REQUESTS.name / f"{name}.json"
    sample = json.loads(path.read_text())["value"]
    return {name: value for name, value in sample.items() if name not in ELSEWHERE}


def request_of(model: type[Request], body: BaseModel, **given: Any) -> Request:
    """The request that a body makes with what URL and token give. Raises FastAPI's 422."""
    try:
        return model.model_validate({**body.model_dump(exclude_unset=True), **given})
    except ValidationError as error:
        raise invalid(error) from None
