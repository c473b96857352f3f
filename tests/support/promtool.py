"""Prometheus' own tool, which reads rules and queries as Prometheus does.

It comes from the system, or from Debian's package `prometheus` unpacked into Mailroom's cache folder, which
needs no root and installs no daemon: `.ci/run` does that.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.jars import cache_folder

UNPACKED = "prometheus/usr/bin"
_MISSING = (
    "promtool is not here: `apt-get download prometheus`, and `dpkg-deb -x` it into prometheus in the cache."
)


def promtool(*arguments: str | Path) -> None:
    """Run it; an `AssertionError` says what it has found.

    Where it is missing the test is skipped, or fails if the run has to be complete.
    """
    path = f"{os.environ.get('PATH', '')}:{cache_folder() / UNPACKED}"
    program = shutil.which("promtool", path=path)
    if program is None:
        if "MAILROOM_ALL_SERVERS" in os.environ:
            pytest.fail(_MISSING)
        pytest.skip(_MISSING)
    ran = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
