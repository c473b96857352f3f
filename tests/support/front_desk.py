"""activity's HTTP in process, on an office's database, and those who call it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI

from services.activity.app import api_of
from shared.blobs import BlobStore
from tests.support.doorman import Doorman
from tests.support.office import Office

TICKET = "/v1/tickets/100001-T"


def front_desk(office: Office, folder: Path) -> FastAPI:
    """The application, with the doorman in place of an issuer; blobs lie in the folder."""
    blobs = BlobStore(f"file://{folder}", "activity")
    api = api_of(office.unit, office.work, office.organisations, blobs)
    api.state.authenticator = Doorman()
    return api


@asynccontextmanager
async def connected(api: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application."""
    transport = httpx.ASGITransport(app=api)
    async with httpx.AsyncClient(transport=transport, base_url="http://activity") as client:
        yield client


class Caller:
    """A user with a browser, at work on the Ticket that lies at `place`."""

    def __init__(self, client: httpx.AsyncClient, name: str, place: str = TICKET) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {name}"}
        self._place = place

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {**self._headers, "Idempotency-Key": uuid4().hex}
        return await self._client.request(method, path, json=body, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self._client.get(path, headers={**self._headers, **headers})

    async def step(self, step: str, *, key: str | None = None, seen: int | None = None, **fields: Any) -> Any:
        headers = {**self._headers, "Idempotency-Key": key or uuid4().hex}
        if seen is not None:
            headers["If-Match"] = f'"{seen}"'
        return await self._client.post(f"{self._place}/steps/{step}", json=fields, headers=headers)

    async def open(self, key: str | None = None, **fields: Any) -> httpx.Response:
        headers = {**self._headers, "Idempotency-Key": key or uuid4().hex}
        return await self._client.post("/v1/tickets", json=fields, headers=headers)
