"""What HTTP shows of linked Tickets (LK-7, AMB-34)."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.activity.domain.states import State
from services.activity.views import Shown
from shared.organisation import Organisation
from shared.pages import Page
from tests.support.office import ACME, process
from tests.unit.activity.tickets import NOW, life_in

ORGANISATION = Organisation(ACME, 1, processes=(process("request"), process("invoice")))


def row(reference: str, process: str) -> Mapping[str, Any]:
    """A row of `activities`, as far as views read it."""
    nothing = ("category", "owner", "created_at", "first_resolution", "resolution", "reopening", "due")
    return dict.fromkeys(nothing) | {
        "reference": reference,
        "kind": "ticket",
        "title": f"About {reference}",
        "status": "in_progress",
        "process": process,
        "assignee": "alice",
        "queue": "desk",
        "version": 3,
        "new_information": False,
        "created_at": life_in(State.TO_DO).it.created_at,
    }


@pytest.mark.parametrize(("seen", "permitted"), [({"request"}, False), ({"request", "invoice"}, True)])
def test_a_linked_ticket_is_shown_as_header_data_whoever_looks(seen: set[str], permitted: bool) -> None:
    """LK-7: nothing but header data, and whether the reader may open it."""
    linked = dict(row("101204-T", "invoice")) | {"link_reason": "new_mailbox"}
    shown = Shown(ORGANISATION, frozenset(seen), None, NOW)
    links = Page(items=[shown.link(linked)], next=None)
    view = shown.whole(life_in(State.IN_PROGRESS).it, row("101203-T", "request"), (), [], links, [], [])
    (link,) = view.links
    assert link.reason == "new_mailbox"
    assert link.activity.model_dump() == {
        "reference": "101204-T",
        "kind": "ticket",
        "title": "About 101204-T",
        "status": "in_progress",
        "status_label": "In Progress",
        "process": "Process invoice",
        "assignee": "alice",
        "queue": "desk",
        "due": {
            "at": None,
            "state": "not_set",
            "by_hand": False,
            "paused": None,
            "left_seconds": None,
            "sentence": None,
        },
        "permitted": permitted,
    }
