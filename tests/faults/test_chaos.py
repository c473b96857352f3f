"""Everything at once, in small: `make chaos` is the same in large.

Guarantees 1, 2, 3, 4 and 6: every kind of fault while some hundred mails and answers arrive, and not one of
them is lost, has its effect twice, or stands in the wrong place.
"""

import pytest

from tests.faults.chaos.run import Options, run
from tests.faults.chaos.world import running_world

OPTIONS = Options(mails=300, seed=1, kills=2, full=False)


@pytest.mark.timeout(600)
async def test_every_mail_has_its_effect_once_and_in_order_whatever_breaks_meanwhile() -> None:
    """What the plan is follows from the seed; what is written is shown if it fails."""
    async with running_world() as world:
        outcome = await run(world, OPTIONS, print)
    assert outcome.verdict.findings == []
    assert outcome.mails >= OPTIONS.mails
    assert outcome.kills == 5 * OPTIONS.kills
    assert outcome.ended == []
