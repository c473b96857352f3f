"""Rights of users, and endpoints under their rules (design §7)."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from shared.auth import OPERATOR, Caller, Principal
from shared.contracts.activity_organisation import PeopleSection, User
from shared.http import create_api
from shared.organisation import Organisation
from shared.permissions import NO_RIGHTS, Need, NoRule, Role, guarded, rights_of


def organisation(**fields: Any) -> Organisation:
    people = PeopleSection(version=1, queues=(), users=(User(name="jane", title="Jane", **fields),))
    return Organisation.of("acme", 1, [people])


@pytest.mark.parametrize(
    ("field", "role"), [("reads", Role.READER), ("processes", Role.WORKER), ("leads", Role.LEADER)]
)
def test_each_role_includes_the_one_before(field: str, role: Role) -> None:
    rights = rights_of(organisation(**{field: ("it",)}), "jane")
    assert [each for each in Role if rights.has(each, "it")] == [each for each in Role if each <= role]
    assert not rights.has(Role.READER, "accounts")


def test_the_highest_of_several_roles_counts() -> None:
    rights = rights_of(organisation(reads=("it", "accounts"), leads=("it",)), "jane")
    assert rights.processes(Role.READER) == {"it", "accounts"}
    assert rights.processes(Role.LEADER) == {"it"}


def test_who_is_suspended_reads_and_who_has_retired_or_is_unknown_does_nothing() -> None:
    """ST-20."""
    suspended = rights_of(organisation(leads=("it",), suspended=True), "jane")
    assert (suspended.has(Role.READER, "it"), suspended.has(Role.WORKER, "it")) == (True, False)
    assert rights_of(organisation(leads=("it",), retired=True), "jane") == NO_RIGHTS
    assert rights_of(organisation(leads=("it",)), "joe") == NO_RIGHTS


def router() -> APIRouter:
    made = APIRouter(prefix="/v1/things")

    @made.get("/{thing}")
    async def look(thing: str, caller: Caller) -> str:
        return str(caller.rule)

    @made.put("/{thing}")
    async def change(thing: str, caller: Caller) -> str:
        return str(caller.rule)

    return made


RULES = {"GET /v1/things/{thing}": Role.READER, "PUT /v1/things/{thing}": Need.OPERATOR}


def test_an_endpoint_without_a_rule_does_not_start() -> None:
    with pytest.raises(NoRule, match=r"PUT /v1/things/{thing}\.$"):
        guarded(router(), {"GET /v1/things/{thing}": Role.READER})


def test_a_router_inside_of_another_cannot_hide_its_endpoints() -> None:
    outer = APIRouter()
    outer.include_router(router())
    with pytest.raises(TypeError, match="by itself"):
        guarded(outer, RULES)


async def test_an_endpoint_knows_its_rule_and_the_tokens_role_is_asked_before_anything_else() -> None:
    class Doorman:
        async def authenticate(self, token: str) -> Principal:
            return Principal("jane", "acme", roles=frozenset({token}))

    api = create_api("things", [guarded(router(), RULES)])
    api.state.authenticator = Doorman()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://things") as http:

        async def ask(method: str, role: str) -> httpx.Response:
            return await http.request(method, "/v1/things/1", headers={"Authorization": f"Bearer {role}"})

        assert (await ask("GET", "none")).json() == str(Role.READER)
        assert (await ask("PUT", OPERATOR)).json() == str(Need.OPERATOR)
        refused = await ask("PUT", "none")
        assert (refused.status_code, refused.json()["missing"]) == (403, [f"role:{OPERATOR}"])
