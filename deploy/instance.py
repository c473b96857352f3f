"""Which instance on this machine a command is about."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_HOME = Path(".mailroom")

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="MAILROOM_HOME",
        help="The folder of the instance: its data, logs and addresses.",
        file_okay=False,
        resolve_path=True,
    ),
]
