"""An agent at work: knows activity's HTTP, as any program of a team would."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx


class Refused(Exception):
    """The service did not do what was asked. The message is its problem's title and detail."""


@dataclass(frozen=True)
class Agent:
    """Somebody who works on Tickets, with a token of their own."""

    name: str
    url: str
    token: str

    def tickets(self, **filters: str) -> list[dict[str, Any]]:
        """The newest Tickets."""
        items: list[dict[str, Any]] = self._ask("GET", "/v1/tickets", params=filters)["items"]
        return items

    def ticket(self, reference: str) -> dict[str, Any]:
        """One Ticket as it stands."""
        return self._ask("GET", f"/v1/tickets/{reference}")

    def timeline(self, reference: str) -> list[dict[str, Any]]:
        """All that happened to it, newest first."""
        entries: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self._ask("GET", f"/v1/tickets/{reference}/timeline", params={"limit": "50", **cursor})
            entries += page["items"]
            if page["next"] is None:
                return entries
            cursor = {"after": page["next"]}

    def take_step(self, reference: str, step: str, **values: Any) -> dict[str, Any]:
        """A step, with the version that was seen, so that nobody is run over (ST-23)."""
        seen = self.ticket(reference)["version"]
        return self._ask(
            "POST",
            f"/v1/tickets/{reference}/steps/{step}",
            json=values,
            headers={"If-Match": f'"{seen}"', "Idempotency-Key": str(uuid4())},
        )

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        answer = httpx.request(method, self.url + path, headers=headers, timeout=30.0, **request)
        if answer.is_error:
            problem = answer.json()
            raise Refused(f"{method} {path}: {problem['title']}: {problem['detail']}")
        body: dict[str, Any] = answer.json()
        return body
