"""Whatever is sent to activity's HTTP, its answer is one that its OpenAPI describes (schemathesis)."""

from pathlib import Path

import pytest

from services.activity.permissions import ENDPOINTS
from shared.auth import OPERATOR
from tests.support.front_desk import front_desk
from tests.support.office import Office, received
from tests.support.probing import probe

PARTS = 6  # as many tests, which several processes share


@pytest.mark.timeout(300)  # some hundred requests, on a machine that may be busy
@pytest.mark.parametrize("part", range(PARTS))
async def test_no_request_gets_an_answer_that_openapi_does_not_describe(
    office: Office, tmp_path: Path, part: int
) -> None:
    await office.take_in(received(message_id="one@harbour.test"))
    (mail,) = await office.mails("100001-T")
    there = {"reference": "100001-T", "mail": str(mail), "number": "0"}
    api = front_desk(office, tmp_path)
    operations = sorted(ENDPOINTS)[part::PARTS]
    statuses = await probe(api, f"amelie/{OPERATOR}", operations, there, examples=4)
    assert any(200 in seen for seen in statuses.values())
