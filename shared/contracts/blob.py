"""Claim checks: large content lies in the blob store, records carry where and what it is."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.record import Part


class Blob(Part):
    """One object in the blob store. `object` is its path below the store's root, `size` is in bytes."""

    object: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    media_type: str = "application/octet-stream"
    name: str | None = None
