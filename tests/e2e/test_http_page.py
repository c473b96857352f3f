"""`docs/http.md`, as a newcomer follows it: what it has typed leads to what it says."""

import json
import os
import sys
from pathlib import Path

from tests.support.mailroom import Mailroom
from tests.support.pages import commands
from tests.support.running import run

BEGIN, PREPARE, FINISH = commands("docs/http.md", "### A Case from its beginning to its end")
DEFINITIONS = BEGIN[: BEGIN.index('post "$TOKEN"')]
ON_THE_PAGE = "100001-C"


async def typed(mailroom: Mailroom, script: str) -> list[str]:
    """What a shell prints for this, on our Mailroom in place of the one on the page; nothing is refused."""
    script = "TOKEN=$(mailroom token --user amelie)\n" + script.replace(
        "http://127.0.0.1:8080", mailroom.url("activity")
    ).replace("curl -s ", "curl --no-progress-meter --fail-with-body ")
    environment = os.environ | {
        "MAILROOM_SECRETS_DIR": str(mailroom.seen.home / "secrets"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    said, complaint = await run(["bash", "-ec", script], environment)
    assert complaint == "", said
    return said.splitlines()


async def test_the_case_of_the_page_comes_to_its_end(mailroom: Mailroom) -> None:
    """CA-3, CA-5, CA-6, C17, C18, A24."""
    (opened,) = await typed(mailroom, BEGIN)
    reference = json.loads(opened)["reference"]
    *_, failed = await typed(mailroom, DEFINITIONS + PREPARE.replace(ON_THE_PAGE, reference))
    course = json.loads(failed)["course"]
    assert (course["attention"], course["because"]) == (True, f"{reference}-A1.2")
    *_, ended = await typed(mailroom, DEFINITIONS + FINISH.replace(ON_THE_PAGE, reference))
    assert json.loads(ended)["status"] == "resolved"
