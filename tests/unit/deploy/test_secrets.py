"""`mailroom secrets`: each reader finds its own, and nobody else's."""

from pathlib import Path

from deploy.secrets import make_secrets
from shared.keyring import Keyring, generate_keyring
from shared.settings import ServiceSettings, load

SERVICES = ("ingest", "activity", "notify")


def settings(folder: Path, service: str) -> ServiceSettings:
    return load(
        ServiceSettings,
        kafka_bootstrap="k:1",
        postgres_dsn="postgresql://a@b/c",
        blobs_url="memory:///",
        secrets_dir=folder / service,
    )


def test_each_service_finds_the_same_keys_and_a_password_of_its_own(tmp_path: Path) -> None:
    make_secrets(tmp_path, SERVICES)
    found = [settings(tmp_path, service) for service in SERVICES]
    assert {frozenset(each.keyring().keys.items()) for each in found} == {
        frozenset(found[0].keyring().keys.items())
    }
    assert len({each.postgres_password() for each in found}) == len(SERVICES)
    for service, each in zip(SERVICES, found, strict=True):
        assert (tmp_path / "operator" / "passwords" / service).read_text().strip() == each.postgres_password()
        assert not (tmp_path / service / "local_issuer_key").exists(), "who serves issues no tokens"
        assert not any(path.stat().st_mode & 0o077 for path in (tmp_path / service).iterdir())


def test_the_database_server_sees_its_own_password_only(tmp_path: Path) -> None:
    make_secrets(tmp_path, SERVICES)
    (seen,) = (tmp_path / "postgres").iterdir()
    assert seen.stat().st_mode & 0o004, "it runs as another user"
    assert (tmp_path / "operator" / "pgpass").read_text() == f"*:*:*:*:{seen.read_text()}"
    assert (tmp_path / "operator" / "pgpass").stat().st_mode & 0o777 == 0o600, (
        "or PostgreSQL's clients refuse"
    )


def test_what_is_there_stays_and_what_the_operator_changed_is_handed_out(tmp_path: Path) -> None:
    make_secrets(tmp_path, SERVICES)
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    make_secrets(tmp_path, SERVICES)
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == before
    (tmp_path / "ingest" / "help_imap").write_text("that of the real mailbox")
    new = generate_keyring(key_id=2)
    (tmp_path / "operator" / "token_keys").write_text(new)
    make_secrets(tmp_path, SERVICES)
    assert (tmp_path / "ingest" / "help_imap").read_text() == "that of the real mailbox"
    assert all(settings(tmp_path, service).keyring() == Keyring.parse(new) for service in SERVICES)
