"""Bearer tokens of an OpenID Connect issuer (design §7)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fastapi import APIRouter
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from shared import auth
from shared.auth import Authenticator, Caller, Principal, require_role
from shared.http import create_api
from shared.local_issuer import ISSUER, ensure_issuer, issue
from shared.problems import Problem
from shared.settings import ServiceSettings, load

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
JANE = Principal("jane", "acme", "user", frozenset({"admin"}))


def settings(folder: Path, **more: Any) -> ServiceSettings:
    given = {
        "kafka_bootstrap": "localhost:9092",
        "postgres_dsn": "postgresql://mailroom@localhost/mailroom",
        "blobs_url": "memory:///",
        "secrets_dir": folder,
        "oidc_issuer": ISSUER,
        "oidc_jwks": str(folder / "local_issuer_jwks"),
    }
    return load(ServiceSettings, **{**given, **more})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ensure_issuer(tmp_path)
    return tmp_path


@pytest.fixture
def authenticator(folder: Path) -> Authenticator:
    return Authenticator(settings(folder))


def claims(**changes: Any) -> dict[str, Any]:
    """A good token's claims; a change to None leaves one out."""
    good = {
        "iss": ISSUER,
        "aud": "mailroom",
        "sub": "jane",
        "organisation": "acme",
        "exp": NOW + HOUR,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(folder: Path, **changes: Any) -> str:
    header = {"kid": json.loads((folder / "local_issuer_jwks").read_text())["keys"][0]["kid"]}
    return jwt.encode(claims(**changes), (folder / "local_issuer_key").read_text(), "EdDSA", headers=header)


async def refusal(authenticator: Authenticator, token: str) -> Problem:
    with pytest.raises(Problem) as refused:
        await authenticator.authenticate(token)
    return refused.value


async def test_a_token_of_the_local_issuer_names_its_principal(
    folder: Path, authenticator: Authenticator
) -> None:
    token = issue(folder, JANE, now=NOW, lifetime=HOUR)
    assert await authenticator.authenticate(token) == JANE


async def test_kind_and_roles_have_defaults(folder: Path, authenticator: Authenticator) -> None:
    assert await authenticator.authenticate(signed(folder)) == Principal("jane", "acme", "user", frozenset())


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - HOUR},
        {"exp": None},
        {"nbf": NOW + HOUR},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://issuer.example"},
        {"iss": None},
        {"sub": None},
        {"organisation": None},
        {"organisation": ""},
        {"organisation": ["acme"]},
        {"kind": "god"},
        {"kind": ["user"]},
        {"roles": "admin"},
    ],
    ids=lambda changes: " ".join(f"{name}-{type(value).__name__}" for name, value in changes.items()),
)
async def test_a_token_with_wrong_claims_is_refused(
    folder: Path, authenticator: Authenticator, changes: dict[str, Any]
) -> None:
    problem = await refusal(authenticator, signed(folder, **changes))
    assert problem.status_code == 401
    assert problem.headers is not None
    assert problem.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_small_difference_of_clocks_is_borne(folder: Path, authenticator: Authenticator) -> None:
    assert await authenticator.authenticate(signed(folder, exp=datetime.now(UTC) - timedelta(seconds=5)))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "e30.e30.", "e30.e30.e30"])
async def test_what_is_no_token_is_refused(authenticator: Authenticator, token: str) -> None:
    assert (await refusal(authenticator, token)).status_code == 401


async def test_nobody_signs_for_the_issuer(folder: Path, authenticator: Authenticator) -> None:
    """No signature, the public key as an HMAC secret, a key of one's own: all refused."""
    jwks = json.loads((folder / "local_issuer_jwks").read_text())
    kid = {"kid": jwks["keys"][0]["kid"]}
    forged = [
        jwt.encode(claims(), "", "none", headers=kid),
        jwt.encode(claims(), jwks["keys"][0]["x"].ljust(64, "="), "HS256", headers=kid),
        jwt.encode(claims(), ed25519.Ed25519PrivateKey.generate(), "EdDSA", headers=kid),
        jwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", headers=kid),
        jwt.encode(claims(), ed25519.Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": "other"}),
        jwt.encode(claims(), ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ]
    for token in forged:
        assert (await refusal(authenticator, token)).status_code == 401


async def test_without_an_issuer_everybody_is_refused(folder: Path) -> None:
    authenticator = Authenticator(settings(folder, oidc_issuer="", oidc_jwks=""))
    assert authenticator.not_ready() is None
    assert (await refusal(authenticator, signed(folder))).status_code == 401


class Issuer:
    """An OpenID Connect issuer as seen through httpx."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.keys: list[dict[str, Any]] = []

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.away:
            return httpx.Response(503)
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"jwks_uri": "https://issuer.example/keys"})
        return httpx.Response(200, json={"keys": self.keys})

    def publish(self, algorithm: str, kid: str) -> Callable[..., str]:
        """Add a new key; returns what signs with it."""
        key: Any
        if algorithm == "RS256":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            row = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        elif algorithm == "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
            row = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        else:
            key = ed25519.Ed25519PrivateKey.generate()
            row = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self.keys.append({**row, "kid": kid, "use": "sig"})

        def sign(**changes: Any) -> str:
            return jwt.encode(
                claims(iss="https://issuer.example", **changes), key, algorithm, headers={"kid": kid}
            )

        return sign


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def remote(folder: Path, issuer: Issuer) -> Authenticator:
    chosen = settings(folder, oidc_issuer="https://issuer.example", oidc_jwks="")
    return Authenticator(chosen, client=issuer.client)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_keys_are_found_through_discovery_and_kept(
    issuer: Issuer, remote: Authenticator, algorithm: str
) -> None:
    sign = issuer.publish(algorithm, "a")
    assert remote.not_ready() is not None
    for _ in range(3):
        assert (await remote.authenticate(sign())).user == "jane"
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    assert remote.not_ready() is None


async def test_an_unknown_key_makes_us_ask_but_not_each_time(
    issuer: Issuer, remote: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger with made-up key ids must not have us flood the issuer."""
    now = 1000.0
    monkeypatch.setattr(auth, "monotonic", lambda: now)
    await remote.authenticate(issuer.publish("EdDSA", "a")())
    new = issuer.publish("EdDSA", "b")
    assert (await refusal(remote, new())).status_code == 401
    assert len(issuer.asked) == 2
    now += auth.RETRY_SECONDS + 1
    assert (await remote.authenticate(new())).user == "jane"
    assert len(issuer.asked) == 4


async def test_an_issuer_that_is_away_locks_nobody_out_who_was_known(
    issuer: Issuer, remote: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(auth, "monotonic", lambda: now)
    known = issuer.publish("EdDSA", "a")
    await remote.authenticate(known())
    issuer.away = True
    now += auth.RETRY_SECONDS + 1
    unknown = issuer.publish("EdDSA", "b")
    assert (await refusal(remote, unknown())).status_code == 401
    assert (await remote.authenticate(known())).user == "jane"


async def test_without_any_keys_the_answer_is_to_come_back(issuer: Issuer, remote: Authenticator) -> None:
    issuer.away = True
    problem = await refusal(remote, issuer.publish("EdDSA", "a")())
    assert problem.status_code == 503
    assert problem.headers is not None
    assert "Retry-After" in problem.headers


async def test_keys_that_we_do_not_take_are_passed_over(issuer: Issuer, remote: Authenticator) -> None:
    issuer.keys = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "h", "alg": "HS256"},
        {"kty": "new", "kid": "n"},
        {"kty": "RSA", "kid": "e", "use": "enc"},
    ]
    assert await remote.authenticate(issuer.publish("EdDSA", "a")())


async def test_an_endpoint_learns_who_is_calling(folder: Path) -> None:
    router = APIRouter()

    @router.get("/v1/me")
    async def me(caller: Caller) -> str:
        return caller.user

    @router.get("/v1/admin")
    async def admin(caller: Caller) -> None:
        require_role(caller, "admin")

    api = create_api("example", [router])
    api.state.authenticator = Authenticator(settings(folder))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://test") as client:
        known = {"Authorization": f"Bearer {signed(folder)}"}
        assert (await client.get("/v1/me", headers=known)).json() == "jane"
        assert (await client.get("/v1/me")).json()["code"] == "unauthenticated"
        refused = (await client.get("/v1/admin", headers=known)).json()
        assert (refused["code"], refused["missing"]) == ("forbidden", ["role:admin"])


def test_the_local_issuer_keeps_its_key_to_itself(tmp_path: Path) -> None:
    public = ensure_issuer(tmp_path)
    private = tmp_path / "local_issuer_key"
    before = private.read_bytes()
    assert ensure_issuer(tmp_path) == public
    assert private.read_bytes() == before
    assert private.stat().st_mode & 0o077 == 0
    assert "d" not in json.loads(public.read_text())["keys"][0]
