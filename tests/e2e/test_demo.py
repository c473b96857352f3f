"""`mailroom demo` is what people see first: it comes up, tells its story, says that it worked."""

import asyncio
import os
import sys

import pytest


@pytest.mark.timeout(400)
async def test_the_demonstration_shows_every_step_and_ends_well() -> None:
    """A whole stack of its own. It waits for conditions itself, and fails when one does not come."""
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "demo"),
        env={**os.environ, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said = (await demo.communicate())[0].decode()
    finally:
        if demo.returncode is None:
            demo.terminate()  # it ends what it has started
            await demo.wait()
    assert demo.returncode == 0, said
    assert "Every step was seen." in said
