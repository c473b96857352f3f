"""What an approver is shown behind his link: how it stands, and what it is about (A25)."""

from dataclasses import dataclass

from services.activity.approval_links import ApprovalLink
from services.activity.domain.activity import Activity
from services.activity.domain.approvals import Round, Verdict
from services.activity.domain.evolving import task_of
from services.activity.domain.states import State
from services.activity.permissions import can_answer
from services.activity.rules import field_rules
from shared.field_values import Value
from shared.organisation import Organisation, Unknown


@dataclass(frozen=True, slots=True)
class Unusable:
    """A link that leads to no decision, and why: a sentence.

    `verdict` is what was decided by it. `suspended` says that it is no matter of the approval, but of whom it
    was sent to.
    """

    why: str
    verdict: Verdict | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class OtherApprover:
    """Somebody else who is asked with him; `approved` is None as long as he has not answered."""

    title: str
    approved: bool | None


@dataclass(frozen=True, slots=True)
class Question:
    """What an approver is asked: of the Action, of its Case, and who else is asked. Nothing of mails."""

    reference: str
    action: str
    instructions: str
    process: str
    title: str
    description: str
    fields: tuple[tuple[str, str], ...]
    others: tuple[OtherApprover, ...]
    level: int
    levels: int


def unusable(organisation: Organisation, action: Activity, link: ApprovalLink) -> Unusable | None:
    """Why a link of an approval leads to no decision; None while the approver can answer.

    Who is suspended is told nothing of what became of it.
    """
    if not can_answer(organisation, link.approver):
        return Unusable(f"{link.approver} cannot approve or decline anything at present.", suspended=True)
    asked = action.task.round if action.task else None
    if asked is None or asked.number != link.round:
        return Unusable("You were asked anew since then, or others see to it: this link counts no more.")
    verdict = asked.verdict(link.approver, link.level)
    if verdict is not None:
        said = "approved" if verdict.approved else "declined"
        return Unusable(f"You have {said} it already, on {verdict.at:%Y-%m-%d at %H:%M} UTC.", verdict)
    if action.state is State.CLOSED:
        return Unusable(f"{action.reference} is closed: nothing is left to be decided.")
    if action.state is not State.WAIT_MORE_INFO or not _is_asked(asked, link):
        return Unusable("You are not asked any more: others have decided, or see to it.")
    return None


def question(
    organisation: Organisation, action: Activity, case: Activity, bearer: Activity, link: ApprovalLink
) -> Question:
    """What is asked by a link that can be used; `bearer` has the custom fields of the Case (CA-7)."""
    task = task_of(action)
    assert task.round is not None, "a link that can be used is of an approval that asks"
    asked = task.round
    return Question(
        reference=str(action.reference),
        action=action.title,
        instructions=action.description,
        process=organisation.process(action.process).title,
        title=case.title,
        description=case.description,
        fields=tuple(_fields(organisation, case, bearer)),
        others=tuple(_other(organisation, asked, each) for each in asked.approvers if each != link.approver),
        level=asked.level,
        levels=len(task.approval),
    )


def _is_asked(asked: Round, link: ApprovalLink) -> bool:
    return asked.level == link.level and link.approver in asked.approvers


def _other(organisation: Organisation, asked: Round, name: str) -> OtherApprover:
    verdict = asked.verdict(name, asked.level)
    try:
        title = organisation.user(name).title
    except Unknown:
        title = name
    return OtherApprover(title, verdict.approved if verdict else None)


def _fields(organisation: Organisation, case: Activity, bearer: Activity) -> list[tuple[str, str]]:
    """The custom fields of the Case in which something stands, in the order of its process.

    Behind them come those that its process has no longer; of a Sub-Case they may be others' (CA-7).
    """
    values = {each.name: each.value for each in bearer.fields}
    titles = {each.name: each.title for each in field_rules(organisation, case.process)}
    others = [name for name in values if name not in titles] if bearer is case else []
    names = [*(name for name in titles if name in values), *others]
    return [(titles.get(name, name), _shown(value)) for name in names if (value := values[name]) is not None]


def _shown(value: Value) -> str:
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"
