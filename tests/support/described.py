"""Each service's HTTP as it is wired, without servers behind it: for what it says of itself."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from services.activity.app import build as build_activity
from services.activity.settings import ActivitySettings
from services.ingest.app import build as build_ingest
from services.ingest.settings import IngestSettings
from services.notify.app import build as build_notify
from services.notify.settings import NotifySettings
from shared.keyring import generate_keyring

_SERVICES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "activity": (build_activity, ActivitySettings),
    "ingest": (build_ingest, IngestSettings),
    "notify": (build_notify, NotifySettings),
}
NAMES = tuple(_SERVICES)


def described(name: str, folder: Path) -> FastAPI:
    """The application of a service. Nothing can be asked of it but its description.

    Raises `RuntimeError` outside an event loop, which the pool of connections belongs to.
    """
    asyncio.get_running_loop()
    build, settings = _SERVICES[name]
    (folder / "token_keys").write_text(generate_keyring())
    made = settings(
        kafka_bootstrap="127.0.0.1:1",
        postgres_dsn="postgresql://nobody@127.0.0.1:1/none",
        blobs_url=folder.as_uri(),
        secrets_dir=folder,
    )
    api: FastAPI = build(made).api
    return api
