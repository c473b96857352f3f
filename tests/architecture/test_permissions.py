"""Each table of permissions is about what there is: no endpoint, no request is missing, none is left over."""

from pathlib import Path

import pytest

from services.activity import permissions as activity
from services.activity.uploads import ActivityAddFile
from services.ingest import permissions as ingest
from services.notify import permissions as notify
from shared.topics import ACTIVITY_REQUESTS
from tests.support.described import NAMES, described

TABLES = {"activity": activity.ENDPOINTS, "ingest": ingest.ENDPOINTS, "notify": notify.ENDPOINTS}


@pytest.mark.parametrize("name", NAMES)
async def test_every_endpoint_has_a_rule(name: str, tmp_path: Path) -> None:
    paths = described(name, tmp_path).openapi()["paths"]
    found = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}
    there = {endpoint for endpoint in found if " /v1/" in endpoint}
    assert there - TABLES[name].keys() == set(), f"write a rule into services/{name}/permissions.py"
    assert TABLES[name].keys() - there == set(), f"services/{name}/permissions.py knows what is gone"


def test_every_request_has_a_rule() -> None:
    there = set(ACTIVITY_REQUESTS.models.values())
    assert there - activity.REQUESTS.keys() == set(), (
        "write into REQUESTS of services/activity/permissions.py which role the request needs"
    )
    # What comes over HTTP only, with its bytes.
    assert activity.REQUESTS.keys() - there == {ActivityAddFile}
