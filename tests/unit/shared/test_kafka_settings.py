"""How Kafka is reached: what belongs together is given together, and a password is seen by nobody."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from deploy.local.endpoints import Address, Endpoints, ServiceEndpoint
from deploy.service_settings import settings_of
from shared.kafka import _security
from shared.kafka_access import KafkaAccess
from shared.settings import KafkaSettings, SettingsError, load
from tests.support.certificates import Authority

SASL = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "SCRAM-SHA-512",
    "kafka_sasl_user": "mailroom-activity",
}
PASSWORD = "hunter2"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KafkaSettings.model_fields:
        monkeypatch.delenv(f"MAILROOM_{name.upper()}", raising=False)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "kafka_password").write_text(f"{PASSWORD}\n")
    return tmp_path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    certificate, key = authority.signed("mailroom").stored(tmp_path, "client")
    return {
        "kafka_ca_file": tmp_path / "ca.pem",
        "kafka_certificate_file": certificate,
        "kafka_key_file": key,
    }


def access(**settings: Any) -> KafkaAccess:
    return load(KafkaSettings, kafka_bootstrap="kafka:9093", **settings).kafka()


def test_nothing_but_the_address_is_plain_text() -> None:
    assert access() == KafkaAccess("kafka:9093")
    assert access().client() == {
        "bootstrap_servers": "kafka:9093",
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }


def test_the_environment_says_it_for_commands_too(monkeypatch: pytest.MonkeyPatch, secrets: Path) -> None:
    for name, value in {**SASL, "secrets_dir": str(secrets)}.items():
        monkeypatch.setenv(f"MAILROOM_{name.upper()}", value)
    assert (access().user, access().password) == ("mailroom-activity", PASSWORD)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_each_mechanism_reaches_both_of_kafkas_clients(protocol: str, mechanism: str, secrets: Path) -> None:
    asked = {**SASL, "kafka_security_protocol": protocol, "kafka_sasl_mechanism": mechanism}
    made = access(**asked, secrets_dir=secrets)
    told = made.client()
    assert (told["security_protocol"], told["sasl_mechanism"]) == (protocol, mechanism)
    assert (told["sasl_plain_username"], told["sasl_plain_password"]) == ("mailroom-activity", PASSWORD)
    assert (told["ssl_context"] is not None) == (protocol == "SASL_SSL")
    security = _security(made)
    assert (security.username, security.password) == ("mailroom-activity", PASSWORD)  # type: ignore[attr-defined]
    assert (security.use_ssl, security.ssl_context) == (protocol == "SASL_SSL", made.tls)


def test_an_instances_own_kafka_is_reached_in_plain_text_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, secrets: Path
) -> None:
    for name, value in {**SASL, "secrets_dir": str(secrets)}.items():
        monkeypatch.setenv(f"MAILROOM_{name.upper()}", value)
    nowhere = Address(host="localhost", port=1)
    service = ServiceEndpoint(http="http://localhost:1", postgres_dsn="postgresql://a@b/c")
    instance = Endpoints.model_construct(
        home=secrets, kafka_bootstrap="own:1", imap=nowhere, smtp=nowhere, services={"notify": service}
    )
    assert settings_of("notify", instance).kafka() == instance.kafka == KafkaAccess("own:1")


def test_a_password_shows_nowhere(secrets: Path) -> None:
    settings = load(KafkaSettings, kafka_bootstrap="kafka:9093", **SASL, secrets_dir=secrets)
    assert PASSWORD not in repr(settings) + repr(settings.kafka()) + str(settings.kafka())


def test_certificates_and_hosts_names_are_checked(files: dict[str, Path]) -> None:
    for asked in ({}, files):
        tls = access(kafka_security_protocol="SSL", **asked).tls
        assert tls is not None
        assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"kafka_sasl_user": "a"},
            "KAFKA_SASL_USER is set, but MAILROOM_KAFKA_SECURITY_PROTOCOL is PLAINTEXT",
        ),
        (
            {"kafka_sasl_mechanism": "PLAIN", "kafka_security_protocol": "SSL"},
            "KAFKA_SASL_MECHANISM is set, but",
        ),
        ({"kafka_ca_file": "ca.pem"}, "KAFKA_CA_FILE is set, but .+; expected SSL or SASL_SSL"),
        ({**SASL, "kafka_sasl_user": ""}, "KAFKA_SASL_USER is not set; expected user"),
        ({**SASL, "kafka_sasl_mechanism": None}, "KAFKA_SASL_MECHANISM is not set; expected PLAIN, "),
        ({**SASL, "kafka_sasl_mechanism": "GSSAPI"}, "KAFKA_SASL_MECHANISM is 'GSSAPI'; expected PLAIN, "),
        ({"kafka_security_protocol": "TLS"}, "KAFKA_SECURITY_PROTOCOL is 'TLS'; expected PLAINTEXT, SSL"),
        (SASL, "KAFKA_PASSWORD_SECRET: Secret 'kafka_password' is missing or empty"),
    ],
)
def test_what_does_not_belong_together_is_refused_by_name(
    asked: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=rf"^MAILROOM_{sentence}") as refused:
        access(**asked, secrets_dir=tmp_path)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("missing", ["kafka_certificate_file", "kafka_key_file"])
def test_a_certificate_and_its_key_need_each_other(missing: str, files: dict[str, Path]) -> None:
    del files[missing]
    with pytest.raises(SettingsError, match=rf"^MAILROOM_{missing.upper()} is not set; expected file"):
        access(kafka_security_protocol="SSL", **files)


@pytest.mark.parametrize("name", ["kafka_ca_file", "kafka_certificate_file", "kafka_key_file"])
def test_a_file_that_is_missing_or_no_good_is_told_by_its_setting(name: str, files: dict[str, Path]) -> None:
    given = files[name]
    given.write_text("nothing of the kind")
    # Kafka's client reads certificate and key at once: of a bad certificate, the pair is told.
    told = "KAFKA_KEY_FILE" if name == "kafka_certificate_file" else name.upper()
    with pytest.raises(SettingsError, match=rf"^MAILROOM_{told} is '.+', which is no good: "):
        access(kafka_security_protocol="SSL", **files)
    given.unlink()
    with pytest.raises(SettingsError, match=rf"^MAILROOM_{name.upper()} is '.+', which is no good: no such"):
        access(kafka_security_protocol="SSL", **files)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    _, files["kafka_key_file"] = Authority().signed("mailroom", password=b"secret").stored(tmp_path, "other")
    with pytest.raises(SettingsError, match=r"^MAILROOM_KAFKA_KEY_FILE is "):
        access(kafka_security_protocol="SSL", **files)
