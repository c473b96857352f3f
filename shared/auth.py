"""Who is asking: JWT bearer tokens of an OpenID Connect issuer (design §7).

The issuer's public keys are read in the background and kept; a request waits for the issuer only when its
token names a key that we have not seen, and then at most once per half minute for all requests together.
What a caller may do in which process is configuration, not part of the token.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, Literal, get_args

import httpx
import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.logs import get_logger
from shared.metrics import AUTHENTICATION_FAILURES, JWKS_REFRESHES
from shared.permissions import Need, Rule
from shared.problems import FORBIDDEN, UNAUTHENTICATED, UNAVAILABLE, Problem
from shared.settings import ServiceSettings

PrincipalKind = Literal["user", "robot", "system", "integration"]

OPERATOR = "operator"
"""The role that configures, sees every mailbox, and handles mail that nobody takes or that cannot be sent."""

# Public-key algorithms only: with HS256 the public key would be a signing key, and "none" signs nothing.
ALGORITHMS = ("EdDSA", "ES256", "ES384", "PS256", "RS256")
LEEWAY_SECONDS = 30
REFRESH_SECONDS = 600.0
RETRY_SECONDS = 30.0
FETCH_TIMEOUT_SECONDS = 5.0

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that acts. `user` is the token's `sub`, `roles` are the token's own.

    `rule` is what the endpoint asks that let them in (shared/permissions.py); None outside of guarded ones.
    """

    user: str
    organisation: str
    kind: PrincipalKind = "user"
    roles: frozenset[str] = frozenset()
    rule: Rule | None = None


class Authenticator:
    """Checks tokens. Also the component (shared/health.py) that keeps the issuer's keys fresh."""

    name = "authenticator"

    def __init__(
        self, settings: ServiceSettings, client: Callable[[], httpx.AsyncClient] | None = None
    ) -> None:
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._jwks = settings.oidc_jwks
        self._client = client or (lambda: httpx.AsyncClient(timeout=FETCH_TIMEOUT_SECONDS))
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried = float("-inf")
        self._refreshing = asyncio.Lock()

    async def run(self) -> None:
        """Read the keys now and then, for ever."""
        while True:
            if self._issuer:
                await self._refresh()
            await asyncio.sleep(REFRESH_SECONDS if self._keys else RETRY_SECONDS)

    def not_ready(self) -> str | None:
        """Not having keys is said here, but stops nobody who needs no token: Kafka goes on."""
        if self._issuer and not self._keys:
            return f"The public keys of {self._issuer} could not be read yet."
        return None

    async def authenticate(self, token: str) -> Principal:
        """The principal of a token. Raises `Problem`: 401 if it is refused, 503 without any keys."""
        try:
            key = await self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            return _principal(claims)
        except jwt.PyJWTError as error:
            raise _refused(type(error).__name__, f"The token is refused: {error}.") from error

    async def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        if not self._issuer:
            raise jwt.InvalidIssuerError("no issuer is configured")
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"algorithm {header.get('alg')!r} is not accepted")
        name = str(header.get("kid", ""))
        if name not in self._keys and monotonic() - self._tried > RETRY_SECONDS:
            await self._refresh()
        if not self._keys:
            raise Problem(
                UNAVAILABLE,
                "The token issuer's keys are not known at the moment; try again.",
                headers={"Retry-After": str(int(RETRY_SECONDS))},
            )
        key = self._keys.get(name)
        if key is None or key.algorithm_name != header["alg"]:
            raise jwt.InvalidKeyError("it is signed with a key that the issuer does not publish")
        return key

    async def _refresh(self) -> None:
        asked = monotonic()
        async with self._refreshing:
            if self._tried > asked:  # somebody else did it while this one waited
                return
            try:
                self._keys = _public_keys(await self._read())
                JWKS_REFRESHES.labels("read").inc()
            except (httpx.HTTPError, OSError, ValueError, KeyError, jwt.PyJWTError) as error:
                # The keys we have stay good: an issuer that is away must not lock everybody out.
                JWKS_REFRESHES.labels("failed").inc()
                _log.warning("issuer's keys not read", issuer=self._issuer, reason=str(error))
            finally:
                self._tried = monotonic()

    async def _read(self) -> Any:
        if self._jwks and "://" not in self._jwks:
            return json.loads(await asyncio.to_thread(Path(self._jwks).read_bytes))
        async with self._client() as client:
            where = self._jwks
            if not where:
                page = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                where = (await client.get(page)).raise_for_status().json()["jwks_uri"]
            return (await client.get(where)).raise_for_status().json()


def _public_keys(jwks: Any) -> dict[str, jwt.PyJWK]:
    """The signing keys of a JWKS by their id. Keys of kinds that we do not take are passed over."""
    keys = {}
    for row in jwks["keys"]:
        if row.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK(row)
        except jwt.PyJWTError:
            continue
        if key.algorithm_name in ALGORITHMS:
            keys[str(row.get("kid", ""))] = key
    if not keys:
        raise ValueError("the JWKS holds no key that can be used")
    return keys


def _principal(claims: dict[str, Any]) -> Principal:
    organisation = claims.get("organisation")
    if not isinstance(organisation, str) or not organisation:
        raise jwt.MissingRequiredClaimError("organisation")
    kind = claims.get("kind", "user")
    if kind not in get_args(PrincipalKind):
        raise jwt.InvalidTokenError(f"kind {kind!r} is none of {', '.join(get_args(PrincipalKind))}")
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        raise jwt.InvalidTokenError("roles is not a list")
    return Principal(str(claims["sub"]), organisation, kind, frozenset(str(role) for role in roles))


def _refused(reason: str, detail: str) -> Problem:
    AUTHENTICATION_FAILURES.labels(reason).inc()
    return Problem(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": 'Bearer realm="mailroom"'})


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="A JWT of the configured issuer")


async def _caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    if credentials is None:
        raise _refused("missing", "Send Authorization: Bearer <token>.")
    authenticator: Authenticator = request.app.state.authenticator
    principal = await authenticator.authenticate(credentials.credentials)
    rule: Rule | None = getattr(request.state, "rule", None)
    if rule is Need.OPERATOR:
        require_role(principal, OPERATOR)
    return replace(principal, rule=rule)


Caller = Annotated[Principal, Depends(_caller)]
"""For an endpoint's signature: `caller: Caller`, with the token's role that the endpoint's rule asks.

Needs `api.state.authenticator`, which Service sets.
"""


def require_role(principal: Principal, role: str) -> None:
    """Raises `Problem` (forbidden) unless the token carries `role`."""
    if role not in principal.roles:
        raise Problem(FORBIDDEN, f"This needs the role {role!r}.", missing=[f"role:{role}"])
