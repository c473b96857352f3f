"""What all parts of an organisation's configuration have in common."""

from pydantic import ConfigDict

from shared.contracts.meanings import explain
from shared.contracts.record import Name, Part


class Strict(Part):
    """A part that people write by hand: a field nobody knows is a mistake.

    Readers of `activity.organisation.v1` pass unknown fields over, as in every record (`shared/decoding.py`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=explain)


class Titled(Strict):
    """A thing with a name, by which configuration calls it, and a title, which people read."""

    name: Name
    title: str
