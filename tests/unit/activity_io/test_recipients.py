"""Where a mail that a person writes goes, and where it comes from, if nobody says so (NT-10)."""

from uuid import UUID

from msgspec import structs

from services.activity.domain.contacts import Tagged
from services.activity.domain.states import State
from services.activity.domain.vocabulary import Tag
from services.activity.outgoing_mail import primary_recipients
from services.activity.rules import sending_mailbox
from services.activity.store_contacts import Contact
from services.activity.workspace import Workspace
from shared.organisation import Organisation
from tests.support.office import ACME, mailbox, process
from tests.unit.activity.tickets import COLLEAGUE, CUSTOMER, NOW, life_in


def contact(id_: UUID, name: str) -> Contact:
    return Contact(organisation=ACME, id=id_, address=f"{name}@harbour.test", first_name=name, last_name="")


def test_a_mail_goes_to_the_primary_contact_with_copies_to_those_in_cc() -> None:
    """NT-10: nobody gets it twice."""
    workspace = Workspace(NOW, {}, {})
    workspace.people.add(contact(CUSTOMER, "carla"))
    workspace.people.add(contact(COLLEAGUE, "dora"))
    tags = (Tagged(Tag.PRIMARY_CONTACT, CUSTOMER), Tagged(Tag.CC, CUSTOMER), Tagged(Tag.CC, COLLEAGUE))
    activity = structs.replace(life_in(State.IN_PROGRESS).it, contacts=frozenset(tags))
    found = primary_recipients(workspace, activity)
    assert [each.address for each in found.to] == ["carla@harbour.test"]
    assert [each.address for each in found.cc] == ["dora@harbour.test"]
    nobody = primary_recipients(workspace, structs.replace(activity, contacts=frozenset()))
    assert (nobody.to, nobody.cc) == ((), ())


def test_a_mail_comes_from_the_mailbox_that_was_written_to_or_else_from_its_processs() -> None:
    """NT-10."""
    organisation = Organisation(
        ACME,
        1,
        mailboxes=(mailbox("help", "request"), mailbox("billing", "invoice")),
        processes=(process("request"), process("invoice", default_mailbox=None)),
    )

    def sent_from(process: str, written_to: str | None) -> str | None:
        found = sending_mailbox(organisation, process, written_to)
        return found.name if found else None

    assert sent_from("request", "billing") == "billing"
    assert sent_from("request", "gone") == sent_from("request", None) == "help"
    assert sent_from("invoice", "gone") is None
