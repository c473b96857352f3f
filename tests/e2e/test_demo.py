"""`mailroom demo` is what people see first: it comes up, tells its story, says that it worked."""

import asyncio
import os
import re
import sys
from xml.etree import ElementTree

import pytest

from deploy.demo.story import ACTS


@pytest.mark.timeout(400)
async def test_the_demonstration_shows_every_step_and_ends_well() -> None:
    """A whole stack of its own. It waits for conditions itself, and fails when one does not come."""
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "demo"),
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
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
    for title, steps in ACTS:
        assert title in said
        assert all(f"  {step.__doc__}\n" in said for step in steps)
    drawing = re.search(r"The drawing lies in (.*\.svg)$", said, re.MULTILINE)
    assert drawing
    words = [each.text for each in ElementTree.parse(drawing[1]).iter() if each.tag.endswith("}text")]
    assert {"Unable to complete", "done again", "by Account maker (robot)", "Passed over"} <= set(words)
