"""A token issuer for development: a key pair in the secrets folder, no server (design §7).

A service accepts its tokens only if its settings name it: `MAILROOM_OIDC_ISSUER=urn:mailroom:local` and
`MAILROOM_OIDC_JWKS=<secrets folder>/local_issuer_jwks`. Nothing else sets it apart from a real issuer, so
development walks the same path of code as production.
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from shared.auth import Principal

ISSUER = "urn:mailroom:local"
PRIVATE_KEY = "local_issuer_key"
PUBLIC_KEYS = "local_issuer_jwks"
ALGORITHM = "EdDSA"


def ensure_issuer(secrets_dir: Path) -> Path:
    """Make the key pair unless it is there; returns the file with the public keys (JWKS).

    Raises `FileNotFoundError` if there is no such folder.
    """
    private, public = secrets_dir / PRIVATE_KEY, secrets_dir / PUBLIC_KEYS
    if not private.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    key = _private_key(secrets_dir)
    row = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    row |= {"kid": _key_id(key), "alg": ALGORITHM, "use": "sig"}
    text = json.dumps({"keys": [row]}, indent=2) + "\n"
    if not public.exists() or public.read_text() != text:  # who only issues tokens may not be let write there
        public.write_text(text)
    return public


def issue(
    secrets_dir: Path, principal: Principal, *, now: datetime, lifetime: timedelta, audience: str = "mailroom"
) -> str:
    """A signed JWT for `principal`. Raises `FileNotFoundError` before `ensure_issuer`."""
    key = _private_key(secrets_dir)
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": principal.user,
        "organisation": principal.organisation,
        "kind": principal.kind,
        "roles": sorted(principal.roles),
        "iat": now,
        "exp": now + lifetime,
        "jti": str(uuid4()),
    }
    return jwt.encode(claims, key, ALGORITHM, headers={"kid": _key_id(key)})


def _private_key(secrets_dir: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key((secrets_dir / PRIVATE_KEY).read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{secrets_dir / PRIVATE_KEY} is not an Ed25519 key")
    return key


def _key_id(key: Ed25519PrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return public.hex()[:16]
