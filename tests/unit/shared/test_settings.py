"""Settings: a mistake is one sentence that names the variable; secrets are files (design §10)."""

from pathlib import Path

import pytest
from pydantic import Field

from services.activity.settings import ActivitySettings
from shared.keyring import generate_keyring
from shared.settings import ServiceSettings, SettingsError, load

GOOD = {
    "MAILROOM_KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "MAILROOM_POSTGRES_DSN": "postgresql://mailroom_ingest@127.0.0.1:5432/mailroom",
    "MAILROOM_BLOBS_URL": "file:///var/lib/mailroom/blobs",
    "MAILROOM_SECRETS_DIR": "/run/secrets",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ServiceSettings.model_fields:
        monkeypatch.delenv(f"MAILROOM_{name.upper()}", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_a_good_environment_is_read() -> None:
    settings = load(ServiceSettings, http_port=0)
    assert settings.kafka_bootstrap == "127.0.0.1:9092"
    assert settings.secrets_dir == Path("/run/secrets")
    assert (settings.topic_prefix, settings.http_port) == ("", 0)


@pytest.mark.parametrize("variable", sorted(GOOD))
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_variable_is_named(variable: str, empty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "") if empty else monkeypatch.delenv(variable)
    with pytest.raises(SettingsError, match=rf"^{variable} is not set; expected .+\.$"):
        load(ServiceSettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAILROOM_HTTP_PORT", "http"),
        ("MAILROOM_HTTP_PORT", "70000"),
        ("MAILROOM_BLOBS_URL", "/var/lib/blobs"),
        ("MAILROOM_TOPIC_PREFIX", "shard one"),
        ("MAILROOM_LOG_LEVEL", "loud"),
        ("MAILROOM_STOP_SECONDS", "0"),
    ],
)
def test_a_wrong_value_is_shown_with_what_was_expected(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"^{variable} is '{value}'; expected .+\.$"):
        load(ServiceSettings)


def test_every_mistake_gets_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILROOM_KAFKA_BOOTSTRAP")
    monkeypatch.setenv("MAILROOM_HTTP_PORT", "http")
    with pytest.raises(SettingsError) as mistakes:
        load(ServiceSettings)
    assert len(str(mistakes.value).splitlines()) == 2


def test_a_password_in_the_dsn_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for dsn in ("postgresql://role:hunter2@localhost/mailroom", "mysql://role:hunter2@localhost/mailroom"):
        monkeypatch.setenv("MAILROOM_POSTGRES_DSN", dsn)
        with pytest.raises(
            SettingsError, match=r"^MAILROOM_POSTGRES_DSN is wrong; .+ password\.$"
        ) as refused:
            load(ServiceSettings)
        assert "hunter2" not in str(refused.value)


class WithServers(ServiceSettings):
    """A service with a setting in JSON."""

    servers: dict[str, int] = Field(default_factory=dict, description="JSON of ports by name")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ('{"relay": ', "is no JSON"),
        ('{"relay": "hunter2"}', "is wrong at relay"),
        ('["hunter2"]', "is wrong"),
    ],
)
def test_a_mistake_in_json_is_placed_and_its_value_not_shown(
    given: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILROOM_SERVERS", given)
    with pytest.raises(SettingsError) as refused:
        load(WithServers)
    assert str(refused.value) == f"MAILROOM_SERVERS {wrong}; expected JSON of ports by name."


def test_every_setting_says_what_is_expected() -> None:
    assert [name for name, field in ServiceSettings.model_fields.items() if not field.description] == []


def test_a_secret_is_a_file(tmp_path: Path) -> None:
    settings = load(ServiceSettings, secrets_dir=tmp_path)
    (tmp_path / "imap_info").write_text(" pass word \n")
    assert settings.secret("imap_info") == " pass word "
    assert settings.optional_secret("other") is None
    assert settings.postgres_password() is None


def test_a_missing_or_empty_secret_names_its_file(tmp_path: Path) -> None:
    settings = load(ServiceSettings, secrets_dir=tmp_path)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "folder").mkdir()
    for name in ("none", "empty", "folder"):
        with pytest.raises(SettingsError, match=name):
            settings.secret(name)


def test_the_token_keys_are_read_from_their_secret(tmp_path: Path) -> None:
    (tmp_path / "token_keys").write_text(generate_keyring(3))
    assert load(ServiceSettings, secrets_dir=tmp_path).keyring().signs == 3


def test_wrong_token_keys_name_their_secret(tmp_path: Path) -> None:
    (tmp_path / "token_keys").write_text("hunter2")
    with pytest.raises(SettingsError, match=r"^Secret 'token_keys': The token keys are wrong") as wrong:
        load(ServiceSettings, secrets_dir=tmp_path).keyring()
    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize("name", ["../passwd", "/etc/passwd", "a/b", "", "..", "a\0b", ".env"])
def test_a_secret_s_name_does_not_leave_the_folder(name: str, tmp_path: Path) -> None:
    """Names of secrets come from the organisation's configuration."""
    with pytest.raises(SettingsError, match="may hold letters"):
        load(ServiceSettings, secrets_dir=tmp_path).secret(name)


def test_an_inbox_that_forgets_what_a_topic_can_repeat_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILROOM_INBOX_DAYS", "90")
    with pytest.raises(
        SettingsError, match=r"MAILROOM_INBOX_DAYS is '90'; expected days .+ more than the 90 "
    ):
        load(ServiceSettings)


@pytest.mark.parametrize(("variable", "days"), [("MAILS_DAYS", "29"), ("ANSWERS_DAYS", "90")])
def test_what_a_topic_still_has_cannot_be_forgotten(
    variable: str, days: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MAILROOM_{variable}", days)
    with pytest.raises(
        SettingsError, match=rf"MAILROOM_{variable} is '{days}'; expected days .+ the [39]0 for"
    ):
        load(ActivitySettings)
