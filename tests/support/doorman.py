"""Who lets callers in where an application runs in this process, in place of an issuer."""

from pydantic import TypeAdapter

from shared.auth import Principal, PrincipalKind

ACME = "acme"


class Doorman:
    """Takes `name`, `name@organisation` or `name/role` for a token; a kind stands in front: `system:name`."""

    async def authenticate(self, token: str) -> Principal:
        kind, colon, person = token.partition(":")
        person, _, role = (person if colon else token).partition("/")
        name, _, organisation = person.partition("@")
        said = TypeAdapter(PrincipalKind).validate_python(kind if colon else "user")
        return Principal(name, organisation or ACME, said, frozenset({role} if role else ()))
