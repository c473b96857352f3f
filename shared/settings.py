"""Settings of a process: environment variables for what is public, files for what is secret.

Every variable begins with `MAILROOM_`. A secret is a file `MAILROOM_SECRETS_DIR/<name>`, because an
environment shows up in process lists, crash reports and child processes. Nothing here knows whether the
process runs on one machine, in a container or in a cluster (design §8).
"""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as NotParsed

from shared.kafka_access import KafkaAccess, Mechanism, Protocol
from shared.keyring import Keyring
from shared.readers import LONGEST_KEPT, LONGEST_REPEATED

PREFIX = "MAILROOM_"
_SECRET_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

# Where people put passwords although they should not.
_NOT_SHOWN = frozenset({"postgres_dsn"})

# pydantic-settings names the field that it could not parse in its message only.
_FIELD = re.compile(r'field "(\w+)"')

_TLS_FIELDS = ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
_SASL_FIELDS = ("kafka_sasl_mechanism", "kafka_sasl_user")

S = TypeVar("S", bound="KafkaSettings")


class SettingsError(Exception):
    """A setting is missing or wrong. The message is one sentence per variable, fit to be shown as it is."""


class KafkaSettings(BaseSettings):
    """How to reach Kafka, and where secrets are: what every service has, and every command that asks Kafka.

    Each field's description is part of the error message for it: it says what is expected.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    kafka_bootstrap: str = Field(description="host:port of Kafka's bootstrap servers, separated by commas")
    kafka_security_protocol: Protocol = Field(
        default="PLAINTEXT",
        description="PLAINTEXT, SSL (which is TLS), SASL_PLAINTEXT or SASL_SSL, as Kafka's listener has it",
    )
    kafka_ca_file: Path | None = Field(
        default=None,
        description="file (PEM) of the authorities that sign Kafka's certificates; empty trusts the system's",
    )
    kafka_certificate_file: Path | None = Field(
        default=None, description="file (PEM) of the certificate that Kafka knows us by, for mutual TLS"
    )
    kafka_key_file: Path | None = Field(
        default=None, description="file (PEM, not encrypted) of that certificate's key"
    )
    kafka_sasl_mechanism: Mechanism | None = Field(
        default=None, description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with SASL"
    )
    kafka_sasl_user: str = Field(default="", description="user whom Kafka knows us by, with SASL")
    kafka_password_secret: str = Field(
        default="kafka_password", description="name of the secret with that user's password"
    )
    secrets_dir: Path = Field(default=Path(), description="folder that holds one file per secret")

    def kafka(self) -> KafkaAccess:
        """How Kafka is reached, with what stands in files. Raises `SettingsError`."""
        protocol = self.kafka_security_protocol
        tls, sasl = protocol in ("SSL", "SASL_SSL"), protocol in ("SASL_PLAINTEXT", "SASL_SSL")
        self._require_protocol(tls, "SSL or SASL_SSL", _TLS_FIELDS)
        self._require_protocol(sasl, "SASL_PLAINTEXT or SASL_SSL", _SASL_FIELDS)
        if sasl:
            self._require_all(_SASL_FIELDS, f"because {_variable('kafka_security_protocol')} is {protocol}")
        return KafkaAccess(
            self.kafka_bootstrap,
            protocol,
            self.kafka_sasl_mechanism,
            self.kafka_sasl_user,
            self._kafka_password() if sasl else "",
            self._tls() if tls else None,
        )

    def _require_protocol(self, given: bool, protocols: str, names: tuple[str, ...]) -> None:
        for name in names:
            if getattr(self, name) and not given:
                raise SettingsError(
                    f"{_variable(name)} is set, but {_variable('kafka_security_protocol')} is "
                    f"{self.kafka_security_protocol}; expected {protocols}."
                )

    def _require_all(self, names: tuple[str, ...], why: str) -> None:
        for name in names:
            if not getattr(self, name):
                raise SettingsError(f"{_variable(name)} is not set; {_expected(type(self), name)}, {why}.")

    def _kafka_password(self) -> str:
        try:
            return self.secret(self.kafka_password_secret)
        except SettingsError as error:
            raise SettingsError(f"{_variable('kafka_password_secret')}: {error}") from None

    def _tls(self) -> ssl.SSLContext:
        """Certificates and hosts' names are always checked: what cannot be checked is not our Kafka."""
        certificate, key = self.kafka_certificate_file, self.kafka_key_file
        with _readable("kafka_ca_file", self.kafka_ca_file):
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
        if certificate or key:
            self._require_all(("kafka_certificate_file", "kafka_key_file"), "because one needs the other")
            assert certificate is not None
            assert key is not None
            with _readable("kafka_certificate_file", certificate):
                certificate.read_bytes()
            with _readable("kafka_key_file", key):
                key.read_bytes()
                # Without any password OpenSSL would ask the terminal for that of an encrypted key.
                context.load_cert_chain(certificate, key, password="")
        return context

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


class ServiceSettings(KafkaSettings):
    """What every service needs. A service adds its own fields in `services/<name>/settings.py`."""

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


@contextmanager
def _readable(name: str, path: Path | None) -> Iterator[None]:
    """Whatever goes wrong with the file of a setting is said of that setting."""
    try:
        yield
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsError(
            f"{_variable(name)} is {str(path)!r}, which is no good: {_why(error)}."
        ) from error


def _why(error: Exception) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
    return (reason or str(error)).lower().replace("_", " ")


def _sentence(settings: type[KafkaSettings], detail: ErrorDetails) -> str:
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


def _expected(settings: type[KafkaSettings], name: str) -> str:
    field = settings.model_fields.get(name)
    return f"expected {field.description}" if field and field.description else ""
