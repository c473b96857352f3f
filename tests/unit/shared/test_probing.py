"""What schemathesis is asked to find, it finds."""

from typing import Any

import pytest
from fastapi import APIRouter

from shared.http import create_api
from tests.support.doorman import Doorman
from tests.support.probing import probe


@pytest.mark.parametrize(
    ("answer", "found"), [({"days": 3}, None), ({"days": "three"}, "schema"), (None, "Server error")]
)
async def test_an_answer_that_openapi_does_not_describe_is_found(answer: Any, found: str | None) -> None:
    router = APIRouter(prefix="/v1")
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    described: Any = {200: {"content": {"application/json": {"schema": schema, "example": {"days": 3}}}}}

    @router.get("/days", responses=described)
    async def days() -> Any:
        if answer is None:
            raise RuntimeError("out of days")
        return answer

    api = create_api("days", [router])
    api.state.authenticator = Doorman()
    if found is None:
        assert await probe(api, "jane", ["GET /v1/days"], {}, examples=2) == {"GET /v1/days": {200}}
    else:
        with pytest.raises(BaseExceptionGroup) as raised:
            await probe(api, "jane", ["GET /v1/days"], {}, examples=2)
        assert found in repr(raised.value)
