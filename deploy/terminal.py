"""What a person sees of an instance."""

from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from deploy.local.endpoints import Endpoints
from deploy.local.progress import Phase, Progress

_MARKS = {Phase.READY: Text("✓", "green"), Phase.ENDED: Text("■", "yellow")}
_BAR_WIDTH = 30


class Board:
    """One line per step that changes as it goes on; line after line where the output is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps: dict[str, tuple[Progress, RenderableType]] = {}
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=10)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rest()

    def rest(self) -> None:
        """Leaves the lines as they are; later news starts new ones."""
        self._live.stop()
        self._steps.clear()

    def report(self, progress: Progress) -> None:
        """Shows the news."""
        known = self._steps.get(progress.step)
        mark = _MARKS.get(progress.phase) or (known and known[1]) or Spinner("dots")
        if known and known[0].phase is not progress.phase and progress.phase is Phase.WORKING:
            mark = Spinner("dots")
        self._steps[progress.step] = (progress, mark)
        if not self._live.is_started and progress.phase is not Phase.WORKING:
            self._console.print(
                f"{progress.step}: {progress.phase.value} {progress.detail}".rstrip(), style=None
            )

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for step, (progress, mark) in list(self._steps.items()):
            bar = ProgressBar(1.0, progress.share, _BAR_WIDTH) if progress.share is not None else ""
            table.add_row(mark, step, Text(progress.detail, "dim"), bar)
        return table


def addresses(endpoints: Endpoints, services: tuple[str, ...]) -> Table:
    """Where everything answers."""
    table = Table.grid(padding=(0, 2))
    rows = {
        "Kafka": endpoints.kafka_bootstrap,
        "PostgreSQL": endpoints.postgres_dsn,
        "SMTP": f"{endpoints.smtp.host}:{endpoints.smtp.port}",
        "IMAP": f"{endpoints.imap.host}:{endpoints.imap.port}",
        "GreenMail API": endpoints.greenmail_api,
        **{service: endpoints.services[service].http for service in services},
        "home": str(endpoints.home),
    }
    for name, address in rows.items():
        table.add_row(Text(name, "bold"), address)
    return table
