"""Who may do what in activity: one table for the endpoints, one for the requests (design §7).

A request needs the same over Kafka and over HTTP. Over Kafka an integration and the system need nothing:
Kafka's ACLs let them in (design §1).
"""

from collections.abc import Mapping

from services.activity.uploads import ActivityAddFile
from shared.contracts import activity_requests as asked
from shared.contracts.activity_organisation import User
from shared.contracts.activity_requests import Actor, ActorKind
from shared.contracts.activity_requests_approvals import ActionApprove, ActionDecline
from shared.contracts.activity_requests_contacts import (
    ContactCreate,
    ContactEdit,
    ContactErase,
    ContactMerge,
)
from shared.contracts.record import type_for
from shared.organisation import Organisation, Unknown
from shared.permissions import Need, NoRule, Role, Rule, Rules, rights_of
from shared.references import OF_NUMBER, ReferenceKind

REQUESTS: Mapping[type[asked.Request], Rule] = {
    asked.ActivityOpen: Role.WORKER,
    asked.ActivityEdit: Role.WORKER,
    asked.ActivitySubmit: Role.WORKER,
    asked.ActivityPickUp: Role.WORKER,
    asked.ActivityAssign: Role.WORKER,
    asked.ActivitySetToDo: Role.WORKER,
    asked.TicketWait: Role.WORKER,
    asked.ActivityWaitUntil: Role.WORKER,
    asked.ActivityResume: Role.WORKER,
    asked.TicketResolve: Role.WORKER,
    asked.ActivityReopen: Role.WORKER,
    asked.ActivitySetDueDate: Role.WORKER,
    asked.ActivityNote: Role.WORKER,
    asked.ActivityReply: Role.WORKER,
    asked.ActivityMarkInformation: Role.WORKER,
    # About the others that it is linked with nothing is asked: their header data are everybody's (LK-7).
    asked.ActivityLink: Role.WORKER,
    asked.ActivityUnlink: Role.WORKER,
    asked.ActivityShareMail: Role.WORKER,
    asked.TicketSplit: Role.WORKER,
    asked.TicketConvert: Role.WORKER,
    asked.TicketMergeInto: Role.WORKER,
    asked.ActivityMerge: Role.WORKER,
    ContactCreate: Role.WORKER,
    ContactEdit: Role.WORKER,
    ContactMerge: Role.LEADER,
    # Of every process in which the person is known (`work_people.py`).
    ContactErase: Role.LEADER,
    asked.ActivityKeepWithMe: Role.WORKER,
    asked.ActivityRejectWork: Role.WORKER,
    asked.ActivityNext: Role.WORKER,
    asked.TicketSendAndResolve: Role.WORKER,
    asked.ActivityFeedback: Role.WORKER,
    asked.ActivityNewFromMail: Role.WORKER,
    ActivityAddFile: Role.WORKER,
    asked.ActivityEditFile: Role.WORKER,
    asked.ActivityRemoveFile: Role.WORKER,
    asked.CaseWait: Role.WORKER,
    asked.CasePause: Role.WORKER,
    asked.CaseResolve: Role.WORKER,
    asked.CaseLaunch: Role.WORKER,
    asked.CaseStartSubCase: Role.WORKER,
    asked.CaseRework: Role.WORKER,
    asked.CaseAbandon: Role.WORKER,
    asked.ActionAnswerChecklist: Role.WORKER,
    asked.ActionComplete: Role.WORKER,
    asked.ActionGiveUp: Role.WORKER,
    # Of users it is refused by the rules: they complete it, or give it up.
    asked.ActionAnswerCall: Role.WORKER,
    # Whoever is asked may answer, whatever he is in the process.
    ActionApprove: Need.APPROVER,
    ActionDecline: Need.APPROVER,
    # In some process: only such are looked through.
    asked.WorkTakeNext: Role.WORKER,
}
"""What a user or robot has to be, in the process of every activity that the request names.

For a contact it is any process whose activities the contact may stand on (`contact_scope.py`).
"""


def _below(kind: ReferenceKind) -> Rules:
    """What the endpoints of one kind of activity ask."""
    steps = sorted(
        name.partition(".")[2]
        for model in REQUESTS
        if issubclass(model, asked.OnActivity) and model is not ActivityAddFile
        if (name := type_for(model, kind))
    )
    one = f"/v1/{kind}s/{{reference}}"
    return {
        f"GET /v1/{kind}s": Need.HEADER,
        f"GET {one}": Need.HEADER,
        f"GET {one}/timeline": Role.READER,
        f"GET {one}/links": Role.READER,
        f"GET {one}/steps": Role.READER,
        **{f"POST {one}/steps/{step}": Need.REQUEST for step in steps},
        f"GET {one}/mails/{{mail}}/html": Role.READER,
        f"GET {one}/mails/{{mail}}/text": Role.READER,
        f"GET {one}/mails/{{mail}}/attachments/{{number}}": Role.READER,
        f"GET {one}/recipients": Role.READER,
    }


ENDPOINTS: Rules = {
    **{endpoint: rule for kind in ReferenceKind for endpoint, rule in _below(kind).items()},
    **{
        f"{method} /v1/{kind}s{rest}": rule
        for kind in OF_NUMBER
        for method, rest, rule in (
            ("POST", "", Need.REQUEST),
            ("POST", "/{reference}/files", Need.REQUEST),
            ("GET", "/{reference}/files/{file}", Role.READER),
            ("DELETE", "/{reference}/files/{file}", Need.REQUEST),
        )
    },
    "GET /v1/cases/{reference}/course": Role.READER,
    "GET /v1/cases/{reference}/drawing": Role.READER,
    "GET /v1/approvals/{token}": Need.LINK,
    "POST /v1/approvals/{token}": Need.LINK,
    "GET /v1/contacts": Need.ANY_PROCESS,
    "POST /v1/contacts": Need.REQUEST,
    "GET /v1/contacts/{contact}": Need.ANY_PROCESS,
    "PATCH /v1/contacts/{contact}": Need.REQUEST,
    "POST /v1/contacts/{contact}/merge": Need.REQUEST,
    "POST /v1/contacts/{contact}/erase": Need.REQUEST,
    "GET /v1/inbox": Need.ANY_PROCESS,
    "GET /v1/inbox/next": Need.ANY_PROCESS,
    "POST /v1/inbox/next": Need.REQUEST,
    "GET /v1/owned-work": Need.ANY_PROCESS,
    "GET /v1/queues": Need.ANY_PROCESS,
    "GET /v1/search": Need.ANY_PROCESS,
    "GET /v1/configuration": Need.OPERATOR,
    "PUT /v1/configuration": Need.OPERATOR,
}
"""What each endpoint asks of its caller."""


class NotPermitted(Exception):
    """Somebody lacks a role; the message says which, for people. `missing` names the process.

    Without a role, somebody is no user who is at work.
    """

    def __init__(self, user: str, role: Role | None, process: str) -> None:
        may_not = f"{role.verb} the process {process!r}" if role else "approve or decline anything"
        super().__init__(f"{user} may not {may_not}.")
        self.role = role
        self.missing = (f"process:{process}",) if role else ()


def role_for(request: type[asked.Request]) -> Role:
    """The role that a request asks of a user or robot. Raises `NoRule` where it asks for none."""
    rule = rule_for(request)
    if not isinstance(rule, Role):
        raise NoRule(f"{request.__name__} asks for no role in a process.")
    return rule


def rule_for(request: type[asked.Request]) -> Rule:
    """What a request asks of a user or robot. Raises `NoRule`."""
    try:
        return REQUESTS[request]
    except KeyError:
        raise NoRule(f"Write a line for {request.__name__} into services/activity/permissions.py.") from None


def require(organisation: Organisation, user: str, rule: Rule | None, process: str) -> None:
    """Raises `NotPermitted` unless the user is at least this in the process, or a user who is at work."""
    if rule is Need.APPROVER:
        if not can_answer(organisation, user):
            raise NotPermitted(user, None, process)
    elif not isinstance(rule, Role):
        raise NoRule(f"The rule is {rule}, which says nothing about a process.")
    elif not rights_of(organisation, user).has(rule, process):
        raise NotPermitted(user, rule, process)


def can_answer(organisation: Organisation, name: str) -> bool:
    """Whether somebody who is asked for an approval can give it: a person, and one who is at work (A25)."""
    try:
        user = organisation.user(name)
    except Unknown:
        return False
    return not (user.retired or user.suspended or user.robot)


def require_for(organisation: Organisation, actor: Actor, request: type[asked.Request], process: str) -> None:
    """Raises `NotPermitted` unless the actor may ask for this on an activity of the process."""
    rule = rule_for(request)
    if actor.kind in (ActorKind.USER, ActorKind.ROBOT):
        require(organisation, actor.id, rule, process)


def found_user(organisation: Organisation, name: str) -> User:
    """A user who may act. Raises `Unknown` for who is none, or is one no more."""
    found = organisation.user(name)
    if found.retired:
        raise Unknown(f"{name} is no user of {organisation.name} any more")
    return found
