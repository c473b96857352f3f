"""An organisation whose people are asked for their approval, and the links that they get."""

from services.activity.domain.approvals import ApprovalLevel, Needed
from services.activity.domain.flow import ActionKind, ActionType
from shared.contracts.activity_organisation import Template, TemplateText, User
from shared.organisation import Organisation
from tests.support.office import LINKS as LINKS
from tests.support.office import mailbox, process

TEMPLATE = "please"
ORGANISATION = Organisation(
    "acme",
    1,
    processes=(process("it-requests", queue="it", default_mailbox="info"),),
    mailboxes=(mailbox("info", "it-requests"),),
    users=tuple(
        User(name=name, title=name.title(), address=f"{name}@acme.test") for name in ("alice", "bob", "carol")
    ),
    templates=(Template(name=TEMPLATE, texts={"en": TemplateText(subject="Please", text="{{ link }}")}),),
)
CONSENT = ActionType(
    name="consent",
    title="Agree",
    kind=ActionKind.APPROVAL,
    launched_by_hand=True,
    template=TEMPLATE,
    approval=(
        ApprovalLevel(("alice", "bob")),
        ApprovalLevel(("carol", "bob"), Needed.ONE, when="(salary ?? 0) > 50"),
        ApprovalLevel(("carol",), when="foreign ?? false"),
    ),
)
"""Two agree; above a salary one more; and of somebody from abroad Carol in any case."""
