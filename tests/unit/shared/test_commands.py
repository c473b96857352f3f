"""`mailroom run` and `mailroom token`."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.commands import run, token
from shared.auth import Authenticator
from shared.local_issuer import ISSUER
from shared.settings import ServiceSettings, load


@pytest.fixture
def mailroom() -> typer.Typer:
    app = typer.Typer()
    run.register(app)
    token.register(app)
    return app


async def test_an_issued_token_opens_the_local_services(mailroom: typer.Typer, tmp_path: Path) -> None:
    given = ["--user", "jane", "--organisation", "acme", "--role", "admin", "--kind", "robot"]
    result = CliRunner().invoke(mailroom, ["token", *given, "--secrets-dir", str(tmp_path)])
    assert result.exit_code == 0
    settings = load(
        ServiceSettings,
        kafka_bootstrap="k:1",
        postgres_dsn="postgresql://a@b/c",
        blobs_url="memory:///",
        secrets_dir=tmp_path,
        oidc_issuer=ISSUER,
        oidc_jwks=str(tmp_path / "local_issuer_jwks"),
    )
    principal = await Authenticator(settings).authenticate(result.stdout.strip())
    assert (principal.user, principal.organisation, principal.kind) == ("jane", "acme", "robot")
    assert principal.roles == {"admin"}


def test_a_token_of_no_known_kind_is_not_issued(mailroom: typer.Typer, tmp_path: Path) -> None:
    given = ["--user", "jane", "--organisation", "acme", "--kind", "god", "--secrets-dir", str(tmp_path)]
    result = CliRunner().invoke(mailroom, ["token", *given])
    assert result.exit_code == 1
    assert "--kind is 'god'" in result.stderr


def test_a_token_is_taken_from_the_home_of_an_instance(mailroom: typer.Typer, tmp_path: Path) -> None:
    missing = CliRunner().invoke(mailroom, ["token", "--user", "jane", "--home", str(tmp_path)])
    assert (missing.exit_code, "mailroom up" in missing.stderr) == (1, True)
    (tmp_path / "secrets").mkdir()
    found = CliRunner().invoke(mailroom, ["token", "--user", "jane", "--home", str(tmp_path)])
    assert (found.exit_code, found.stdout.count(".")) == (0, 2)


def test_an_unknown_service_is_refused_with_the_names_of_the_known(mailroom: typer.Typer) -> None:
    result = CliRunner().invoke(mailroom, ["run", "postoffice"])
    assert result.exit_code == 1
    assert result.stderr == "There is no service 'postoffice'; there are ingest, activity, notify.\n"
