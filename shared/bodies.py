"""Bodies of requests: read as strictly as people mean them, so that a slip of the pen does nothing."""

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, get_args

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError, WrapValidator

UNKNOWN_FIELD = "extra_forbidden"
"""What pydantic calls a field that a model does not have."""


def said_in_json(model: type[Any]) -> Any:
    """For a body's annotation: the model, as strict as JSON is: `"5"` is no number.

    A field that it does not have is refused, also inside of a part: whoever misspelled it would else learn
    that it was done, and it was not. Records on topics are read more kindly (design §4).
    """
    adapter: TypeAdapter[Any] = TypeAdapter(model)

    def strictly(value: Any, _: Any) -> Any:
        return adapter.validate_json(json.dumps(value), strict=True, extra="forbid")

    return Annotated[model, WrapValidator(strictly)]


def invalid(error: ValidationError) -> RequestValidationError:
    """What pydantic found wrong in a body, as the answer that FastAPI would have given itself."""
    found = error.errors(include_url=False, include_context=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found])


def unknown_field(annotation: Any, path: Sequence[str | int]) -> str:
    """A sentence about a field that a body does not have: which one may be meant, or all that there are.

    `annotation` is the body's, `path` where the field stands in it.
    """
    *parts, name = path
    for part in parts:
        for model in _models(annotation):
            if part in model.model_fields:
                annotation = model.model_fields[str(part)].annotation
                break
    known = sorted({field for model in _models(annotation) for field in model.model_fields})
    near = get_close_matches(str(name), known, 1)
    if near:
        return f"There is no such field; did you mean {near[0]!r}?"
    return f"There is no such field; there are {', '.join(known)}." if known else "There is no such field."


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)
