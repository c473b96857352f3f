"""What a connector is told of a call to an external system: all that it needs, without asking back (A23)."""

from services.activity import announce
from services.activity.announce_links import other_record
from services.activity.domain.activity import Activity
from services.activity.domain.call_events import Called
from services.activity.domain.links import Other
from services.activity.running_sub_cases import parent_of
from services.activity.workspace import Workspace
from shared.contracts.activity_calls import CallMade
from shared.contracts.envelope import Envelope


def tell(workspace: Workspace, cause: Envelope, action: Activity, called: Called) -> None:
    """Say on the topic of calls what `called` is about, with the fields of its Case as they are now."""
    case = parent_of(workspace, action)
    made = CallMade(
        call=called.call,
        activity=action.id,
        reference=str(action.reference),
        case=other_record(Other(case.id, case.reference)),
        process=action.process,
        title=case.title,
        fields={each.name: each.value for each in workspace.bearer(action).fields if each.value is not None},
        attempt=called.attempt,
        at=called.stamp.at,
        answer_by=called.answer_by,
    )
    workspace.said.append(announce.call_made(cause, made))
