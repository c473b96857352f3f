"""Who may do what: the table of permissions against what endpoints and requests really do (design §7).

A new endpoint or request comes here by itself, and fails until `services/activity/permissions.py` has its
rule and it keeps to it.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from services.activity import permissions
from services.activity.api_contacts import CHANGES
from services.activity.resources import RESOURCES
from services.activity.uploads import ActivityAddFile
from services.activity.views import ActivityHeader
from shared.auth import OPERATOR
from shared.blobs import BlobStore
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import User
from shared.permissions import Need, Role
from shared.topics import ACTIVITY_REQUESTS
from tests.support.front_desk import Caller, connected, front_desk
from tests.support.hiring import WITH_CASES
from tests.support.office import DEFINITION, Office, received
from tests.support.samples import sample

PEOPLE: dict[str, Role | None] = {
    "noel": None,
    "rita": Role.READER,
    "wilma": Role.WORKER,
    "lea": Role.LEADER,
    "otto": None,
    "sara": Role.READER,
    "stranger": None,
}
"""Who they are to the processes `request` and `hiring`. Otto, who led them, has retired; Sara is suspended;
Noel leads another; the stranger is no user at all."""
BOTH = ("request", "hiring")
USERS = (
    User(name="noel", title="Noel", leads=("invoice",)),
    User(name="rita", title="Rita", reads=BOTH),
    User(name="wilma", title="Wilma", processes=BOTH),
    User(name="lea", title="Lea", leads=BOTH),
    User(name="otto", title="Otto", leads=BOTH, retired=True),
    User(name="sara", title="Sara", leads=BOTH, suspended=True),
)
CASE, ACTION = "100002-C", "100002-C-A1.1"
PROCESSES = {"/v1/tickets": "request", "/v1/cases": "hiring"}
HELP = (
    "Write its rule into services/activity/permissions.py (ENDPOINTS for an endpoint, REQUESTS for a"
    " request), and let the endpoint keep to it: opened_activity(), Access.require(), or Access.processes for"
    " what it shows."
)
UNKNOWN = "Say in Place.filled of this test what stands for {{{}}} in a path, for the process `request`."


@dataclass
class Place:
    """A Ticket of `request` with a mail and a file, a Case of `hiring` with an Action, and their HTTP."""

    office: Office
    ticket: str
    mail: str
    carla: str
    file: str
    client: httpx.AsyncClient
    api: FastAPI

    def needed(self, path: str, rule: Role | Need) -> Role | Need:
        """The rule of an endpoint; of one that carries out a request, the request's."""
        if rule is not Need.REQUEST:
            return rule
        step = path.rpartition("/steps/")[2]
        if "/files" in path:
            return permissions.rule_for(
                ActivityAddFile if path.endswith("/files") else asked.ActivityRemoveFile
            )
        of_contacts = {path: model for _, path, model, _ in CHANGES}
        below = path.removeprefix("/v1/contacts/{contact}")
        steps = next((each.steps for each in RESOURCES if path.startswith(each.prefix)), {})
        model = of_contacts.get(below) or steps.get(step, asked.ActivityOpen)
        return permissions.rule_for(model)

    def body(self, method: str, path: str) -> Any:
        """The endpoint's own example, about a process that is here."""
        operation = self.api.openapi()["paths"][path][method.lower()]
        if "requestBody" not in operation:
            return None
        content = operation["requestBody"]["content"].get("application/json")
        if content is None:  # a file, whatever is in it
            return {}
        examples = content.get("examples", {"one": {"value": content.get("example")}})
        body = {**next(iter(examples.values()))["value"]}
        body.pop("expected_version", None)
        return {**body, "process": PROCESSES[path]} if path in PROCESSES else body

    def filled(self, path: str) -> str:
        """A path of an endpoint with what lies here."""
        about = next((name for prefix, name in self.named.items() if path.startswith(prefix)), self.ticket)
        values = {"reference": about, "mail": self.mail, "number": "0", "contact": self.carla}
        values["file"] = self.file
        values["token"] = "forged"
        for name in re.findall(r"{(\w+)}", path):
            assert name in values, UNKNOWN.format(name)
            path = path.replace(f"{{{name}}}", values[name])
        query = {"/v1/search": "?q=printer"}
        return path + ("?name=plan.pdf" if path.endswith("/files") else query.get(path, ""))

    @property
    def named(self) -> dict[str, str]:
        """What lies where."""
        return {"/v1/tickets": self.ticket, "/v1/cases": CASE, "/v1/actions": ACTION}


@pytest.fixture
async def place(office: Office, tmp_path: Path) -> AsyncIterator[Place]:
    users = (*DEFINITION.users, *USERS)
    await office.configure(WITH_CASES.model_copy(update={"users": users}), version=2)
    await office.take_in(received(message_id="one@harbour.test"))
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    await office.ask(asked.ActivityOpen(type="case.open", actor=erp, process="hiring", title="Nora"))
    (mail,) = await office.mails("100001-T")
    blob = await BlobStore(tmp_path.as_uri(), "activity").put("acme", b"a plan", name="plan.pdf")
    file = (await office.step(ActivityAddFile, "100001-T", blob=blob))["file"]
    api = front_desk(office, tmp_path)
    async with connected(api) as client:
        carla = await office.pool.fetchval("SELECT id FROM contacts WHERE address ^@ 'carla'")
        yield Place(office, "100001-T", str(mail), str(carla), file, client, api)


def is_allowed(person: str, rule: Role | Need) -> bool:
    """What the table says of somebody at a thing of the process `request`."""
    role = PEOPLE[person]
    match rule:
        case Role():
            return role is not None and role >= rule
        case Need.OPERATOR:
            return False
        case Need.USER | Need.HEADER:
            return person not in ("stranger", "otto")
        case Need.APPROVER:
            return person not in ("stranger", "otto", "sara")
        case Need.LINK:
            return True
        case Need.ANY_PROCESS:
            return role is not None or person == "noel"
    raise AssertionError(f"Say in this test what {rule} means.")


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects inside a value."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(each)


async def test_an_endpoint_lets_in_whom_its_rule_lets_in(place: Place) -> None:
    """AMB-34, IT-5, LK-7: without permission the header data and nothing else; nothing for who is no user."""
    # Whoever is erased is not there for others.
    for endpoint, rule in sorted(permissions.ENDPOINTS.items(), key=lambda row: ("/erase" in row[0], row[0])):
        method, _, path = endpoint.partition(" ")
        needed, body = place.needed(path, rule), place.body(method, path)
        path = place.filled(path)
        for person in PEOPLE:
            answer = await Caller(place.client, person).call(method, path, body)
            # A contact is for all processes of its company, the one that Noel leads among them, and there he
            # could be given work.
            of_contacts = " /v1/contacts" in endpoint
            # But whoever erases a person leads every process in which they are known (CT-21).
            of_any = (of_contacts and not endpoint.endswith("/erase")) or endpoint == "POST /v1/inbox/next"
            allowed = is_allowed(person, needed) or (person == "noel" and of_any)
            assert (answer.status_code not in (401, 403)) == allowed, (endpoint, person, answer.text, HELP)
            if answer.status_code == 403:
                assert answer.json()["code"] == "forbidden"
                assert "My printer" not in answer.text
            if needed is Need.HEADER and allowed and not is_allowed(person, Role.READER):
                shown = [each for each in objects(answer.json()) if "reference" in each]
                assert shown, "even so the header data is shown"
                for each in shown:
                    assert each.keys() == ActivityHeader.model_fields.keys(), (endpoint, person, HELP)
        operator = await Caller(place.client, f"noel/{OPERATOR}").call(method, path, body)
        if needed is Need.OPERATOR:
            assert operator.status_code not in (401, 403), operator.text
        elif isinstance(needed, Role) and not (of_contacts or of_any):
            assert operator.status_code == 403, f"an operator sees no more of {endpoint} for being one"


async def test_a_request_of_a_person_needs_the_same_over_kafka_as_over_http(place: Place) -> None:
    """Design §7: whoever writes the topic names the actor, and what the actor may not do is not done."""
    for type_, model in ACTIVITY_REQUESTS.models.items():
        assert issubclass(model, asked.Request)
        value = {**sample(ACTIVITY_REQUESTS, type_).value}
        kind = type_.partition(".")[0]
        process = "request" if kind == "ticket" else "hiring"
        value |= {"process": process} if "process" in model.model_fields else {}
        value |= {"reference": place.named[f"/v1/{kind}s"]} if "reference" in model.model_fields else {}
        value.pop("mailbox", None)
        of_any = type_.startswith("contact.") or model is asked.WorkTakeNext
        if "contact" in model.model_fields:
            value |= {"contact": place.carla, "expected_version": None}
        for person, role in PEOPLE.items():
            # A contact is for all processes of its company, the one that Noel leads among them.
            of_all = of_any and type_ != "contact.erase"
            held = Role.LEADER if of_all and person == "noel" else role
            rule = permissions.rule_for(model)
            of_role = isinstance(rule, Role)
            allowed = held is not None and held >= rule if of_role else is_allowed(person, rule)
            before = await place.office.written()
            for acting in ("user", "robot"):
                actor = {"kind": acting, "id": person}
                answer = await place.office.ask(model.model_validate({**value, "actor": actor}))
                assert (answer.get("code") != "forbidden") == allowed, (type_, person, answer, HELP)
                if not allowed:
                    missing = [] if of_any or not of_role else [f"process:{process}"]
                    assert (answer["type"], answer["missing"]) == ("request.refused", missing)
                    assert await place.office.written() == before, f"{type_} was refused and did something"


async def test_integrations_and_the_system_are_let_in_by_kafkas_border(place: Place) -> None:
    """Design §1."""
    for kind in ("integration", "system"):
        actor = asked.Actor(kind=asked.ActorKind(kind), id="erp")
        note = asked.ActivityNote(actor=actor, reference=place.ticket, text="From afar")
        assert (await place.office.ask(note))["type"] == "request.accepted"


async def test_over_http_nobody_calls_himself_an_integration(place: Place) -> None:
    """A body has no actor: the token says who it is."""
    body: dict[str, Any] = {"text": "Hello"}
    path = f"/v1/tickets/{place.ticket}/steps/note"
    claimed = {**body, "actor": {"kind": "integration", "id": "erp"}}
    assert (await Caller(place.client, "wilma").call("POST", path, claimed)).status_code == 422
    assert (await Caller(place.client, "rita").call("POST", path, body)).status_code == 403
    assert (await Caller(place.client, "wilma").call("POST", path, body)).status_code == 200
    for kind in ("integration", "system"):
        assert (await Caller(place.client, f"{kind}:rita").call("POST", path, body)).status_code == 403
        assert (await Caller(place.client, f"{kind}:wilma").call("POST", path, body)).status_code == 200
        noted = (await place.office.history(place.ticket))[-1]
        assert (noted["actor_kind"], noted["actor"]) == ("user", "wilma")


async def test_what_may_not_be_seen_cannot_be_told_from_what_is_not_there(place: Place) -> None:
    """AMB-34: no search, filter or error says more than the header data does."""
    noel = Caller(place.client, "noel")
    mails = f"/v1/tickets/{place.ticket}/mails"
    there, nowhere = [await noel.get(f"{mails}/{id_}/html") for id_ in (place.mail, uuid4())]
    told = [{**answer.json(), "request_id": None} for answer in (there, nowhere)]
    assert told[0] == told[1]
    for query in ("contact=carla.customer@harbour.test", "new_information=true", "new_information=false"):
        assert (await noel.get(f"/v1/tickets?{query}")).json()["items"] == []


async def test_titles_are_hidden_where_the_organisation_wants_it(place: Place) -> None:
    """AMB-34."""
    rules = DEFINITION.rules.model_copy(update={"hide_titles": True})
    changes = {"users": (*DEFINITION.users, *USERS), "rules": rules}
    await place.office.configure(DEFINITION.model_copy(update=changes), version=3)
    noel, rita = (Caller(place.client, name) for name in ("noel", "rita"))
    for path in ("/v1/tickets", f"/v1/tickets/{place.ticket}"):
        hidden, seen = await noel.get(path), await rita.get(path)
        assert "My printer" not in hidden.text, path
        assert '"title":null' in hidden.text, path
        assert "My printer" in seen.text, path
