"""An agent at work: knows activity's HTTP, as any program of a team would. A robot knows the same."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from shared import references


class Refused(Exception):
    """The service did not do what was asked. The message is its problem's title and detail."""


@dataclass(frozen=True)
class Agent:
    """Somebody who works on Tickets, Cases and Actions, with a token of their own."""

    name: str
    url: str
    token: str

    def tickets(self, **filters: str) -> list[dict[str, Any]]:
        """The newest Tickets."""
        items: list[dict[str, Any]] = self._ask("GET", "/v1/tickets", params=filters)["items"]
        return items

    def cases(self) -> list[dict[str, Any]]:
        """The newest Cases."""
        items: list[dict[str, Any]] = self._ask("GET", "/v1/cases")["items"]
        return items

    def activity(self, reference: str) -> dict[str, Any]:
        """One Ticket, Case or Action as it stands."""
        return self._ask("GET", _place(reference))

    def course(self, case: str) -> dict[str, Any]:
        """A Case with its steps and all Actions that were launched in them."""
        return self._ask("GET", f"{_place(case)}/course")

    def drawing(self, case: str) -> str:
        """The same as SVG."""
        return self._answer("GET", f"{_place(case)}/drawing").text

    def take_next(self) -> str:
        """Take what is to be done next, for who works through what is there; returns its reference."""
        taken = self._ask("POST", "/v1/inbox/next", headers={"Idempotency-Key": str(uuid4())})
        return str(taken["reference"])

    def timeline(self, reference: str) -> list[dict[str, Any]]:
        """All that happened to it, newest first."""
        entries: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self._ask("GET", f"{_place(reference)}/timeline", params={"limit": "50", **cursor})
            entries += page["items"]
            if page["next"] is None:
                return entries
            cursor = {"after": page["next"]}

    def take_step(self, reference: str, step: str, /, **values: Any) -> dict[str, Any]:
        """A step, with the version that was seen, so that nobody is run over (ST-23)."""
        seen = self.activity(reference)["version"]
        return self._ask(
            "POST",
            f"{_place(reference)}/steps/{step}",
            json=values,
            headers={"If-Match": f'"{seen}"', "Idempotency-Key": str(uuid4())},
        )

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        body: dict[str, Any] = self._answer(method, path, **request).json()
        return body

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        answer = httpx.request(method, self.url + path, headers=headers, timeout=30.0, **request)
        if answer.is_error:
            problem = answer.json()
            raise Refused(f"{method} {path}: {problem['title']}: {problem['detail']}")
        return answer


def _place(reference: str) -> str:
    parsed = references.parse(reference)
    assert parsed is not None
    return f"/v1/{parsed.kind}s/{reference}"
