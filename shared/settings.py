"""Settings of a process: environment variables for what is public, files for what is secret.

Every variable begins with `MAILROOM_`. A secret is a file `MAILROOM_SECRETS_DIR/<name>`, because an
environment shows up in process lists, crash reports and child processes. Nothing here knows whether the
process runs on one machine, in a container or in a cluster (design §8).
"""

import re
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as NotParsed

from shared.keyring import Keyring
from shared.readers import LONGEST_KEPT, LONGEST_REPEATED

PREFIX = "MAILROOM_"
_SECRET_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

# Where people put passwords although they should not.
_NOT_SHOWN = frozenset({"postgres_dsn"})

# pydantic-settings names the field that it could not parse in its message only.
_FIELD = re.compile(r'field "(\w+)"')

S = TypeVar("S", bound="ServiceSettings")


class SettingsError(Exception):
    """A setting is missing or wrong. The message is one sentence per variable, fit to be shown as it is."""


class ServiceSettings(BaseSettings):
    """What every service needs. A service adds its own fields in `services/<name>/settings.py`.

    Each field's description is part of the error message for it: it says what is expected.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    kafka_bootstrap: str = Field(description="host:port of Kafka's bootstrap servers, separated by commas")
    postgres_dsn: str = Field(
        pattern=r"^postgres(ql)?://([^:@/]+@)?[^@]+$",
        description="postgresql://role@host:port/database, without the password",
    )
    postgres_password_secret: str = Field(
        default="postgres_password",
        description="name of the secret with the database role's password; no such file means no password",
    )
    topic_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="what stands before every topic's name: letters, digits, '.', '_', '-'",
    )
    blobs_url: str = Field(
        pattern=r"^[a-z0-9]+://",
        description="URL of the blob store: file:///folder, s3://bucket/path, gs://… or az://…",
    )
    http_host: str = Field(default="127.0.0.1", description="address that the HTTP server listens on")
    http_port: int = Field(
        default=8080, ge=0, le=65535, description="port of the HTTP server; 0 takes a free one"
    )
    secrets_dir: Path = Field(description="folder that holds one file per secret")
    token_keys: str = Field(
        default="token_keys",
        description="name of the secret with the keys that sign plus addresses (format: shared/keyring.py)",
    )
    oidc_issuer: str = Field(
        default="", description="issuer (iss) of the JWTs that the HTTP API accepts; empty refuses them all"
    )
    oidc_audience: str = Field(default="mailroom", description="audience (aud) that a JWT must name")
    oidc_jwks: str = Field(
        default="",
        description="URL or file of the issuer's public keys (JWKS); empty asks the issuer's discovery page",
    )
    topic_days: int = Field(
        default=LONGEST_KEPT.days,
        ge=LONGEST_KEPT.days,
        le=LONGEST_REPEATED.days,
        description="days that topics keep what they do not keep for ever: `mailroom topics apply` sets it, "
        "and `mailroom doctor` looks",
    )
    inbox_days: int = Field(
        default=93,
        gt=LONGEST_REPEATED.days,
        description="days that it is remembered which events were worked on: more than the "
        f"{LONGEST_REPEATED.days} for which one can come again",
    )
    orphans_hours: int = Field(
        default=24,
        ge=1,
        description="hours that a blob which nothing refers to is left alone: longer than any transaction",
    )
    retention_seconds: float = Field(
        default=3600.0,
        gt=0,
        description="seconds between two looks for what has been kept long enough (the _DAYS settings)",
    )
    log_level: str = Field(
        default="info", pattern=r"^(debug|info|warning|error)$", description="debug, info, warning or error"
    )
    traces_endpoint: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="URL of an OpenTelemetry collector (OTLP over HTTP, without /v1/traces); empty asks "
        "OTEL_EXPORTER_OTLP_ENDPOINT, and if that is empty, too, nothing is traced",
    )
    stop_seconds: float = Field(
        default=25.0, gt=0, description="seconds that a stop may take before the process ends regardless"
    )

    def secret(self, name: str) -> str:
        """The text of the secret `name`, without the line break at its end.

        Raises `SettingsError` when the file is missing, unreadable or empty.
        """
        text = self.optional_secret(name)
        if not text:
            raise SettingsError(
                f"Secret {name!r} is missing or empty: expected the file {self.secrets_dir / name} "
                f"({PREFIX}SECRETS_DIR/{name})."
            )
        return text

    def optional_secret(self, name: str) -> str | None:
        """Like `secret`, but None when there is no such file."""
        # Names of secrets come from the organisation's configuration: they must not walk out of the folder.
        if not _SECRET_NAME.fullmatch(name):
            raise SettingsError(f"Secret name {name!r} may hold letters, digits, '.', '_' and '-' only.")
        try:
            return (self.secrets_dir / name).read_text(encoding="utf-8").rstrip("\r\n")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"Secret {name!r} cannot be read: {error}.") from error

    def keyring(self) -> Keyring:
        """The keys that sign plus addresses and Message-IDs (AMB-38). Raises `SettingsError`."""
        try:
            return Keyring.parse(self.secret(self.token_keys))
        except ValueError as error:
            raise SettingsError(f"Secret {self.token_keys!r}: {error}") from None

    def postgres_password(self) -> str | None:
        """The database role's password, if it has one."""
        return self.optional_secret(self.postgres_password_secret)


def load(settings: type[S], **overrides: object) -> S:
    """Read `settings` from the environment; `overrides` (by field name) win.

    Raises `SettingsError` with one sentence per variable that is missing or wrong.
    """
    try:
        return settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(settings, detail) for detail in error.errors())) from None
    except NotParsed as error:
        named = _FIELD.search(str(error))
        name = named[1] if named else ""
        raise SettingsError(f"{_variable(name)} is no JSON; {_expected(settings, name)}.") from None


def _sentence(settings: type[ServiceSettings], detail: ErrorDetails) -> str:
    name, *inside = map(str, detail["loc"]) if detail["loc"] else ("",)
    expected = _expected(settings, name) or f"expected {detail['msg']}"
    if detail["type"] == "missing" and not inside:
        return f"{_variable(name)} is not set; {expected}."
    # In JSON, too, may stand what people should not put there.
    shown = not inside and name not in _NOT_SHOWN and isinstance(detail["input"], str | int | float)
    given = repr(detail["input"]) if shown else " at ".join(filter(None, ("wrong", ".".join(inside))))
    return f"{_variable(name)} is {given}; {expected}."


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _expected(settings: type[ServiceSettings], name: str) -> str:
    field = settings.model_fields.get(name)
    return f"expected {field.description}" if field and field.description else ""
