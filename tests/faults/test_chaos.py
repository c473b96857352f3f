"""Everything at once, in small: `make chaos` is the same in large.

Guarantees 1, 2, 3, 4 and 6: every kind of fault while some hundred mails and answers arrive, and not one of
them is lost, has its effect twice, or stands in the wrong place. Guarantee 7: every Case that a mail opens
runs through its steps once, and so do the Sub-Case that it starts and waits for, the call that it makes, and
the approval that it asks for (CA-1, CA-4, A22, A23, A25).
"""

import os
from collections.abc import AsyncIterator

import pytest

from tests.faults.chaos.run import Options, run
from tests.faults.chaos.world import World, running_world
from tests.support.dovecot import DovecotMissing

OPTIONS = Options(mails=200, seed=1, kills=2, full=False)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Servers and services of this test alone. Where all servers are to be there (`.ci/run`), they are."""
    try:
        async with running_world() as running:
            yield running
    except DovecotMissing as missing:
        if "MAILROOM_ALL_SERVERS" in os.environ:
            raise
        pytest.skip(str(missing))


@pytest.mark.timeout(600)
async def test_every_mail_has_its_effect_once_and_in_order_whatever_breaks_meanwhile(world: World) -> None:
    outcome = await run(world, OPTIONS, print)  # what it tells is shown if it fails
    assert outcome.verdict.findings == []
    assert outcome.mails >= OPTIONS.mails
    assert outcome.cases > 0
    assert outcome.kills == 5 * OPTIONS.kills
    assert outcome.ended == []
