"""schemathesis against an application in this process: what its OpenAPI promises, tried by machine.

Cases are made in a thread, the same ones each time, and asked on the test's own event loop, where its
database pool lives.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import httpx
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# Not `positive_data_acceptance`: no schema says that a process exists, or that a time lies in the future.
# And who is let in is the concern of the tests of permissions.
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
]


async def probe(
    api: FastAPI, token: str, operations: Collection[str], there: Mapping[str, str], examples: int
) -> dict[str, set[int]]:
    """Ask each of these operations as it should be asked, and as it should not; the statuses of each.

    An operation is called as in the tables of permissions, `there` are path parameters of things that exist.
    Raises all that schemathesis found.
    """
    loop, wrong = asyncio.get_running_loop(), list[FailureGroup]()
    statuses: dict[str, set[int]] = {}
    transport = httpx.ASGITransport(app=api, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://mailroom") as client:

        def ask(case: Case) -> None:
            said = case.as_transport_kwargs(base_url="http://mailroom")
            said.pop("cookies", None)
            if isinstance(said.get("data"), str | bytes):
                said["content"] = said.pop("data")
            asking = asyncio.run_coroutine_threadsafe(client.request(**said), loop)
            answer = asking.result(30)
            statuses.setdefault(case.operation.label, set()).add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        for found in schemathesis.openapi.from_dict(api.openapi()).get_all_operations():
            operation = found.ok()
            if operation.label not in operations:
                continue
            known = {name: value for name, value in there.items() if f"{{{name}}}" in operation.path}
            for mode, parameters in ((GenerationMode.POSITIVE, known), (GenerationMode.NEGATIVE, None)):
                cases = operation.as_strategy(
                    generation_mode=mode, path_parameters=parameters, headers=headers
                )
                try:
                    await asyncio.to_thread(_each(cases, examples, ask))
                except FailureGroup as failures:
                    wrong.append(failures)
                except Unsatisfiable:
                    assert mode is GenerationMode.NEGATIVE, f"{operation.label} cannot be asked"
    if wrong:
        raise BaseExceptionGroup("what OpenAPI promises is not so", wrong)
    assert statuses.keys() == set(operations)
    return statuses


def _each(cases: Any, examples: int, ask: Any) -> Any:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def run(case: Case) -> None:
        ask(case)

    return run
