"""Each table of permissions is about what there is: no endpoint, no request is missing, none is left over."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.activity import permissions as activity
from services.activity.app import build as build_activity
from services.activity.settings import ActivitySettings
from services.ingest import permissions as ingest
from services.ingest.app import build as build_ingest
from services.ingest.settings import IngestSettings
from services.notify import permissions as notify
from services.notify.app import build as build_notify
from services.notify.settings import NotifySettings
from shared.keyring import generate_keyring
from shared.permissions import Rules
from shared.topics import ACTIVITY_REQUESTS

SERVICES = [
    ("activity", activity.ENDPOINTS, build_activity, ActivitySettings),
    ("ingest", ingest.ENDPOINTS, build_ingest, IngestSettings),
    ("notify", notify.ENDPOINTS, build_notify, NotifySettings),
]


@pytest.mark.parametrize(("name", "rules", "build", "settings"), SERVICES, ids=[row[0] for row in SERVICES])
def test_every_endpoint_has_a_rule(
    name: str, rules: Rules, build: Callable[[Any], Any], settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "token_keys").write_text(generate_keyring())
    made = settings(
        kafka_bootstrap="127.0.0.1:1",
        postgres_dsn="postgresql://nobody@127.0.0.1:1/none",
        blobs_url=tmp_path.as_uri(),
        secrets_dir=tmp_path,
    )
    paths = build(made).api.openapi()["paths"]
    found = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}
    there = {endpoint for endpoint in found if " /v1/" in endpoint}
    assert there - rules.keys() == set(), f"write a rule into services/{name}/permissions.py"
    assert rules.keys() - there == set(), f"services/{name}/permissions.py knows endpoints that are gone"


def test_every_request_has_a_rule() -> None:
    there = set(ACTIVITY_REQUESTS.models.values())
    assert there - activity.REQUESTS.keys() == set(), (
        "write into REQUESTS of services/activity/permissions.py which role the request needs"
    )
    assert activity.REQUESTS.keys() - there == set()
