"""The shape of the project: the same files do the same job everywhere, and stay short (design §9)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = ("services", "shared", "deploy")
SERVICES = ("activity", "ingest", "notify")
LONGEST = 300
NO_JOB = {"utils.py", "helpers.py", "common.py", "base.py", "misc.py"}

# Every service has these: who knows one knows four.
JOBS = ("app.py", "handlers.py", "api.py", "announce.py", "settings.py", "domain", "migrations")


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(Path(folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, by full name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("job", JOBS)
def test_a_service_has_the_file_for_the_job(service: str, job: str) -> None:
    assert (Path("services") / service / job).exists()


def test_no_file_is_named_after_no_job() -> None:
    assert [path for path in sources(*CODE, "tests") if path.name in NO_JOB] == []


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    long = {str(path): n for path in sources(*CODE) if (n := len(path.read_text().splitlines())) > LONGEST}
    assert long == {}


def test_contracts_import_pydantic_and_the_standard_library_only() -> None:
    allowed = re.compile(r"(pydantic|shared\.contracts|[a-z_]+$|collections\.|importlib\.)")
    foreign = {
        (str(path), name)
        for path in sources("shared/contracts")
        for name in imported(path)
        if not allowed.match(name) or name in ("shared", "services", "deploy")
    }
    assert foreign == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_domain_does_no_input_or_output(service: str) -> None:
    doors = ("asyncio", "asyncpg", "aiokafka", "faststream", "fastapi", "httpx", "aiosmtplib", "aioimaplib")
    frame = ("shared.postgres", "shared.outbox", "shared.unit_of_work", "shared.blobs", "shared.kafka")
    used = {
        (str(path), name)
        for path in sources(f"services/{service}/domain")
        for name in imported(path)
        if name.partition(".")[0] in doors or name in frame
    }
    assert used == set()


@pytest.mark.parametrize("service", SERVICES)
def test_sql_stands_in_stores_only(service: str) -> None:
    statement = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s+\S", re.MULTILINE)
    strayed = {
        str(path)
        for path in sources(f"services/{service}")
        if "store" not in path.stem and "store" not in path.parent.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.search(node.value)
    }
    assert strayed == set()


def test_every_package_and_public_module_says_what_it_is_for() -> None:
    silent = [
        str(path)
        for path in sources(*CODE)
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []
