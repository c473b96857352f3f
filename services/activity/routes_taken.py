"""Where mail of contacts that are for testing goes: to processes in test, and nowhere else (CT-18)."""

from services.activity.rules import process_of
from services.activity.store_contacts import Contact
from services.activity.workspace import Workspace
from shared.contracts.activity_organisation import BlockMode, Process, ProcessKind
from shared.contracts.ingest_mails import MailReceived, Routed, Target
from shared.organisation import Organisation

NO_TEST = "its sender is a contact for testing, and no route of its addresses leads to a process in test"
REJECTED = "mail of its sender is rejected"


def is_for_testing(workspace: Workspace, organisation: Organisation, message: MailReceived) -> bool:
    """Whether the sender is a contact that was made in test mode."""
    sender: Contact | None = None
    if message.sender:
        sender = workspace.people.by_address(organisation.name, message.sender.address.lower())
    return sender is not None and sender.test


def way_of(
    workspace: Workspace, organisation: Organisation, message: MailReceived, target: Target
) -> tuple[Routed, Process] | None:
    """The route that the mail takes to one address of ours, with the process it leads to; None without."""
    routed, testing = target.routed, is_for_testing(workspace, organisation, message)
    if testing and target.routed_for_test:
        routed = target.routed_for_test
    process = process_of(organisation, routed, target.mailbox)
    if process and process.kind is ProcessKind.CASE and message.blocked is BlockMode.REJECT:
        return None  # nothing is opened that could be closed as spam (BL-1)
    if routed is None or process is None or (testing and not organisation.is_in_test(process.name)):
        return None
    return routed, process
