"""The keys that sign our plus addresses and Message-IDs (AMB-38).

The secret is JSON: `{"signs": 1, "keys": {"1": "<base64 of at least 32 random bytes>"}}`. Key ids are 0 to
31. Rotation takes three roll-outs: add the new key (every service accepts it now), let `signs` name it,
and much later remove the old one, which makes its addresses unsigned again.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError, model_validator

KEY_BYTES = 32


class _KeyringFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    signs: int
    keys: dict[Annotated[int, Field(ge=0, le=31)], Annotated[Base64Bytes, Field(min_length=KEY_BYTES)]]

    @model_validator(mode="after")
    def _the_signing_key_exists(self) -> Self:
        if self.signs not in self.keys:
            raise ValueError(f"signs names key {self.signs}, which is not among the keys")
        return self


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by id; `signs` is the id of the one that signs, all of them are accepted."""

    signs: int
    keys: dict[int, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the secret's text. Raises `ValueError` with a sentence that holds no part of a key."""
        try:
            read = _KeyringFile.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            raise ValueError(f"The token keys are wrong at {where or 'the top'}: {first['msg']}.") from None
        return cls(read.signs, dict(read.keys))


def generate_keyring(key_id: int = 1) -> str:
    """A new secret with one random key, as text."""
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return json.dumps({"signs": key_id, "keys": {str(key_id): key}}, indent=2) + "\n"
