"""Asks activity for the configuration that is applied, and gives it another."""

from typing import Any

import httpx

from shared.contracts.activity_organisation import Definition


class Unanswered(Exception):
    """activity refused, or is not there. The message is a sentence for people."""


class StillInUse(Exception):
    """The definition takes away what is in use; `sentences` say what, one each."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def current(url: str, token: str) -> Definition | None:
    """What is applied now; None before the first time. Raises `Unanswered`."""
    answer = _ask("GET", url, token)
    return None if answer is None else Definition.model_validate(answer["definition"])


def put(url: str, token: str, definition: Definition, *, dry_run: bool = False) -> dict[str, Any]:
    """Apply; returns `version` and `changed`. Raises `Unanswered`, or `StillInUse`."""
    answer = _ask("PUT", url, token, json=definition.model_dump(mode="json"), params={"dry_run": dry_run})
    if answer is None:
        raise Unanswered(f"Nothing at {url} takes a configuration.")
    return answer


def _ask(method: str, url: str, token: str, **request: Any) -> dict[str, Any] | None:
    try:
        answer = httpx.request(
            method,
            f"{url.rstrip('/')}/v1/configuration",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30.0,
            **request,
        )
    except httpx.HTTPError as error:
        raise Unanswered(f"activity does not answer at {url}: {error}. Is it running?") from error
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    if answer.status_code == httpx.codes.CONFLICT and answer.json().get("code") == "configuration_in_use":
        raise StillInUse([f"{use['kind']}: {use['detail']}" for use in answer.json()["uses"]])
    if answer.is_error:
        raise Unanswered(_problem(answer))
    body: dict[str, Any] = answer.json()
    return body


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return f"activity answered {answer.status_code}."
    lines = [f"  {error['at']}: {error['detail']}" for error in problem.get("errors", ())]
    return "\n".join([f"activity answered {answer.status_code}: {problem.get('title')}.", *lines]) + (
        "" if lines else f"\n  {problem.get('detail')}"
    )
