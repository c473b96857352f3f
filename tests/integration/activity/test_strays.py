"""Records of organisations that do not exist, or that a restored backup has lost (design §10)."""

from dataclasses import replace
from typing import Any

import pytest

from shared.organisation import ConfigurationBehind
from shared.organisation_copy import NeverAnnounced
from shared.unit_of_work import Batch, Incoming
from tests.support.office import DEFINITION, Office, received


def from_nowhere(message_id: str) -> Incoming[Any]:
    mail = received(message_id=message_id)
    return replace(mail, envelope=mail.envelope.model_copy(update={"organisation": "nowhere"}))


async def test_a_mail_of_an_organisation_that_never_was_costs_only_itself(office: Office) -> None:
    """Guarantee 5."""
    office.announcements.everything = True
    stray = from_nowhere("two@harbour.test")
    (culprit,) = await office.attempt(
        received(message_id="one@harbour.test"), stray, received(message_id="three@harbour.test")
    )
    assert isinstance(culprit.error, NeverAnnounced)
    assert culprit.incoming == stray
    assert len(await office.tickets()) == 2


async def test_a_mail_of_an_organisation_that_a_restored_backup_has_lost_waits_for_it(office: Office) -> None:
    """Guarantee 1."""
    stray = from_nowhere("one@harbour.test")

    async def work(batch: Batch[Any]) -> None:
        await office.work.perform(batch, batch.records)

    with pytest.raises(ConfigurationBehind, match="'nowhere' has not arrived here yet"):
        await office.unit.run_each(work, [stray], patience=0.05)
    await office.configure(DEFINITION.model_copy(update={"organisation": "nowhere"}))
    await office.take_in(stray)
    assert [ticket["organisation"] for ticket in await office.tickets()] == ["nowhere"]
