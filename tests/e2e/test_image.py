"""The container image, built and run as `make test STACK=containers` finds it; compose.yaml stands on it."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
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


def built(*options: str, context: Path = Path()) -> str:
    dockerfile = str(context / "deploy/images/Dockerfile")
    return docker("build", "--quiet", "--file", dockerfile, *options, str(context))


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


def layers(image: str) -> list[str]:
    said: list[str] = json.loads(docker("inspect", "--format", "{{json .RootFS.Layers}}", image))
    return said


def contents(image: str) -> set[tuple[str, ...]]:
    """What the image adds to its base: of every entry its path, mode, owner, date, target and digest."""
    name = f"mailroom-test-{uuid4().hex[:8]}"
    docker("create", "--name", name, image)
    try:
        return {
            entry for tree in ("/opt", "/usr/local/bin", "/var/lib/mailroom") for entry in _tree(name, tree)
        }
    finally:
        docker("rm", name)


def _tree(container: str, path: str) -> Iterator[tuple[str, ...]]:
    copied = subprocess.Popen(["docker", "cp", f"{container}:{path}", "-"], stdout=subprocess.PIPE)
    with copied, tarfile.open(fileobj=copied.stdout, mode="r|") as archive:
        for each in archive:
            file = archive.extractfile(each) if each.isfile() else None
            digest = hashlib.sha256(file.read()).hexdigest() if file else ""
            owner = f"{each.uid}:{each.gid}"
            yield path, each.name, oct(each.mode), owner, str(each.mtime), each.linkname, digest


def test_an_image_that_is_built_again_is_the_same_but_for_its_labels(image: str) -> None:
    again = built("--no-cache", "--build-arg", "REVISION=another")
    assert contents(again) == contents(image)
    assert layers(again) == layers(image)


def test_a_change_of_one_source_alone_is_in_the_image_that_is_built_next(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "uv.lock", "README.md", "LICENSE", ".dockerignore"):
        shutil.copy2(name, tmp_path)
    for name in ("services", "shared", "deploy"):
        shutil.copytree(name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    built(context=tmp_path)
    said = f"said in {uuid4().hex}"
    (tmp_path / "shared/__init__.py").write_text(f'"""{said}"""\n')
    image = built(context=tmp_path)
    done = docker(
        "run", "--rm", "--entrypoint", "python", image, "-c", "import shared; print(shared.__doc__)"
    )
    assert done == said


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
