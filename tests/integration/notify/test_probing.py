"""Whatever is sent to notify's HTTP, its answer is one that its OpenAPI describes (schemathesis)."""

import pytest

from services.notify.app import api_of
from services.notify.permissions import ENDPOINTS
from shared.auth import OPERATOR
from tests.support.dispatch import Dispatch, request, written
from tests.support.doorman import Doorman
from tests.support.probing import probe
from tests.support.waiting import eventually

MAILS = {
    "sent": request(1),
    "failed": written(2, "nobody@harbour.test"),
    "refused": written(3, "billing@mailroom.test"),
}
HANDLED = {"sent": 409, "failed": 200, "refused": 409}
"""What is answered to who wants a mail in this state sent again, or given up."""


@pytest.mark.timeout(300)  # some hundred requests, on a machine that may be busy
@pytest.mark.parametrize("state", MAILS)
async def test_no_request_gets_an_answer_that_openapi_does_not_describe(office: Dispatch, state: str) -> None:
    office.scripts["main"].recipients = {"nobody@harbour.test": (550, "nobody")}

    async def attempted() -> bool:
        return await office.states() == list(MAILS)

    async with office.sending():
        await office.ask(*MAILS.values())
        await eventually(attempted)
    api = api_of(office.work)
    api.state.authenticator = Doorman()
    there = {"mail": str(MAILS[state].message.mail)}
    statuses = await probe(api, f"olga/{OPERATOR}", ENDPOINTS, there, examples=10)
    for operation, seen in statuses.items():
        assert (HANDLED[state] if operation.startswith("POST") else 200) in seen, operation
