"""Programs of pages and commands, run as somebody would who follows them."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.mailroom import PATIENCE


async def run(
    command: Sequence[str], environment: Mapping[str, str], *, folder: Path | None = None
) -> tuple[str, str]:
    """What a program that ends well prints, and what it complains of. Else an `AssertionError` says both."""
    running = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(2 * PATIENCE):
            said, complaint = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0, f"{said.decode()}{complaint.decode()}"
    return said.decode(), complaint.decode()
