"""The container image, built and run as `make test STACK=containers` finds it; compose.yaml stands on it."""

import json
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.waiting import eventually

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

# Servers that are not there: a service starts all the same, and waits for them.
NOWHERE = {
    "MAILROOM_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "MAILROOM_POSTGRES_DSN": "postgresql://mailroom_activity@127.0.0.1:1/mailroom",
    "MAILROOM_BLOBS_URL": "memory:///",
    "MAILROOM_SECRETS_DIR": "/tmp",
}


def docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return (done.stdout + done.stderr).strip()


def built(*options: str) -> str:
    return docker("build", "--quiet", "--file", "deploy/images/Dockerfile", *options, ".")


@pytest.fixture(scope="module")
def image() -> str:
    return built()


@pytest.fixture
def service(image: str) -> Iterator[str]:
    """A service that runs as in production: nothing can be written but `/tmp`."""
    name = f"mailroom-test-{uuid4().hex[:8]}"
    settings = [part for each in NOWHERE.items() for part in ("--env", "=".join(each))]
    confined = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    docker("run", "--detach", "--name", name, *confined, *settings, image, "run", "activity")
    yield name
    docker("rm", "--force", name)


def test_an_image_that_is_built_again_is_the_same_but_for_its_labels(image: str) -> None:
    def layers(image: str) -> list[str]:
        said: list[str] = json.loads(docker("inspect", "--format", "{{json .RootFS.Layers}}", image))
        return said

    assert layers(built("--no-cache", "--build-arg", "REVISION=another")) == layers(image)


async def test_a_service_is_well_in_its_container_and_ends_in_order_when_it_is_told_to(service: str) -> None:
    await eventually(
        lambda: docker("inspect", "--format", "{{.State.Health.Status}}", service) == "healthy", deadline=120
    )
    assert docker("exec", service, "id", "-u") == "10001"
    assert "unavailable" in docker("exec", service, "healthy", "/readyz", check=False)
    docker("stop", "--time", "60", service)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", service) == "0"
    assert '"event": "stopped"' in docker("logs", service)


def test_a_container_that_is_stopped_while_it_starts_does_not_wait_to_be_killed(image: str) -> None:
    """The first process of a container is spared the signals that it has no handler for."""
    early = (
        "import os, signal; from deploy import cli; cli.app = lambda: os.kill(1, signal.SIGTERM); cli.main()"
    )
    done = subprocess.run(
        ["docker", "run", "--rm", "--entrypoint", "python", image, "-c", early], check=False, timeout=120
    )
    assert done.returncode == 128 + 15


def test_the_servers_of_one_machine_are_no_part_of_it(image: str) -> None:
    assert "pip install 'mailroom[local]'" in docker("run", "--rm", image, "up", check=False)
