"""Under which URLs activities of each kind stand, and which steps they offer there."""

from collections.abc import Mapping
from typing import NamedTuple

from services.activity.asked_steps import OF_SEVERAL, STEPS
from shared import references
from shared.contracts import activity_requests as asked
from shared.contracts.record import type_for
from shared.references import ReferenceKind


class Resource(NamedTuple):
    """Activities of one kind: `/v1/tickets/{reference}` and what stands below it."""

    kind: ReferenceKind
    prefix: str
    tag: str

    @property
    def steps(self) -> Mapping[str, type[asked.OnActivity]]:
        """The steps by their names in the URL: those of the contract, without the kind."""
        return MODELS[self.kind]

    @property
    def operations(self) -> str:
        """What the names of operations that several kinds have end with, to be told apart."""
        return "" if self.kind is ReferenceKind.TICKET else f"_of_{self.kind}"

    def type_of(self, model: type[asked.Request]) -> str:
        """The name that a request goes by for this kind."""
        name = type_for(model, self.kind)
        assert name is not None, f"{model.__name__} is not about {self.tag}"
        return name

    def has(self, model: type[asked.Request]) -> bool:
        """Whether a request is about this kind."""
        return type_for(model, self.kind) is not None


RESOURCES = tuple(Resource(kind, f"/v1/{kind}s", f"{kind}s") for kind in ReferenceKind)
PREFIX_OF = {each.kind: each.prefix for each in RESOURCES}


def place_of(reference: str) -> str:
    """Where the activity of this reference stands."""
    parsed = references.parse(reference)
    return f"{PREFIX_OF[parsed.kind if parsed else ReferenceKind.TICKET]}/{reference}"


MODELS: Mapping[ReferenceKind, Mapping[str, type[asked.OnActivity]]] = {
    each.kind: {
        each.type_of(model).partition(".")[2]: model for model in (*STEPS, *OF_SEVERAL) if each.has(model)
    }
    for each in RESOURCES
}
"""For each kind, what can be asked of one that exists."""
