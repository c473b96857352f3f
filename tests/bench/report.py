"""Figures for people: tables on the terminal, and those of `docs/performance.md`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import profiling
from tests.bench.figures import NOISY, Figure, machine, whole
from tests.bench.passing import Spy

PAGE = Path("docs/performance.md")
LEAST_SHARE = 0.02
"""Who uses less of a mail's processor time is not worth a line."""
LINES_OF_PROFILE = 20

Rows = Sequence[Sequence[str]]
"""A table: its head, then its lines."""


def figures_table(figures: Mapping[str, Figure]) -> Rows:
    """What was measured, beside the floor."""
    lines = [
        (
            _words(name),
            f"{_short(each.value)} {each.unit}",
            _short(each.floor) if each.floor else "",
            _ratio(each.ratio),
            f"{whole(each.processor_ms):.2f}",
            f"{whole(each.floor_processor_ms):.2f}" if each.floor_processor_ms else "",
            _ratio(each.processor_ratio),
            f"{each.mails}",
            f"{100 * each.others:.0f} %",
        )
        for name, each in figures.items()
    ]
    head = ("figure", "value", "floor", "ratio", "CPU ms", "floor's", "ratio", "mails", "others' CPU")
    return [head, *lines]


def processor_table(figures: Mapping[str, Figure]) -> Rows:
    """Milliseconds of processor time per mail by process; a line for each, a column for each figure."""
    return _by_process({_words(name): each.processor_ms for name, each in _runs(figures)})


def floor_table(figures: Mapping[str, Figure]) -> Rows:
    """The same of the floor."""
    return _by_process(
        {_words(name): each.floor_processor_ms for name, each in _runs(figures) if each.floor_processor_ms}
    )


def memory_table(figures: Mapping[str, Figure]) -> Rows:
    """Megabytes: second quarter of a run → last quarter."""
    columns = {_words(name): each.memory_mb for name, each in _runs(figures) if each.memory_mb}
    names = list(dict.fromkeys(process for each in columns.values() for process in each))
    lines = [
        (
            process,
            *(
                f"{each[process].early:.0f} → {each[process].late:.0f}" if process in each else ""
                for each in columns.values()
            ),
        )
        for process in names
    ]
    return [("MB", *columns), *lines]


def profile_table(path: Path) -> Rows:
    """Where a service's Python spends its time."""
    packages, functions = profiling.by_package(path), profiling.by_own_function(path)
    lines = [
        (_percent(package.share), package.name, _percent(function.share), f"`{function.name}`")
        for package, function in zip(packages[:LINES_OF_PROFILE], functions[:LINES_OF_PROFILE], strict=False)
    ]
    return [("share", "package at work", "share", "function of ours that asked for it"), *lines]


def show(console: Console, figures: Mapping[str, Figure], spy: Spy) -> None:
    """All tables, and what makes them worthless."""
    _print(console, "What was measured", figures_table(figures))
    _print(console, "Processor time, ms per mail", processor_table(figures))
    _print(console, "Processor time of the floor, ms per mail", floor_table(figures))
    _print(console, "Memory, MB, early → late", memory_table(figures))
    for (run, service), path in spy.profiles.items():
        _print(console, f"{service} during {_words(run)}: {path}", profile_table(path))
    if noisy := [name for name, each in figures.items() if each.others > NOISY]:
        console.print(
            f"[yellow]Others used more than {100 * NOISY:.0f} % of the machine meanwhile: of "
            f"{', '.join(noisy)} only processor time means anything."
        )


def documented(page: str, tables: Mapping[str, Rows]) -> str:
    """The page with the tables that follow `<!-- table: name -->` replaced; others stay as they are."""
    lines: list[str] = []
    skipping = False
    for line in page.splitlines():
        skipping = skipping and line.startswith("|")
        if not skipping:
            lines.append(line)
        name = line.removeprefix("<!-- table: ").removesuffix(" -->")
        if line.startswith("<!-- table: ") and name in tables:
            lines += _markdown(tables[name])
            skipping = True
    return "\n".join(lines) + "\n"


def write_page(figures: Mapping[str, Figure], spy: Spy) -> None:
    """Put today's tables into `docs/performance.md`; the profiles of one run."""
    tables = {
        "machine": [("", ""), *((name, str(value)) for name, value in machine().items())],
        "figures": figures_table(figures),
        "processor time": processor_table(figures),
        "processor time of the floor": floor_table(figures),
        "memory": memory_table(figures),
    }
    tables |= {f"profile of {service}": profile_table(path) for (_, service), path in spy.profiles.items()}
    PAGE.write_text(documented(PAGE.read_text(), tables))


def _runs(figures: Mapping[str, Figure]) -> Iterator[tuple[str, Figure]]:
    """The figures without those that are of the same run as the one before."""
    last: Mapping[str, float] = {}
    for name, each in figures.items():
        if each.processor_ms != last:
            yield name, each
        last = each.processor_ms


def _by_process(columns: Mapping[str, Mapping[str, float]]) -> Rows:
    most: dict[str, float] = {}  # of the processor time of a mail
    for each in columns.values():
        for process, milliseconds in each.items():
            most[process] = max(milliseconds / whole(each), most.get(process, 0.0))
    names = [process for process in _in_order(most) if most[process] >= LEAST_SHARE]
    lines = [
        (process, *(f"{each[process]:.3f}" if process in each else "" for each in columns.values()))
        for process in names
    ]
    return [("process", *columns), *lines]


def _in_order(most: Mapping[str, float]) -> Iterator[str]:
    """Those with most of it first, each followed by its parts."""
    for process in sorted((name for name in most if ":" not in name), key=lambda name: -most[name]):
        yield process
        parts = [name for name in most if name.startswith(f"{process}:")]
        yield from sorted(parts, key=lambda name: -most[name])


def _print(console: Console, title: str, rows: Rows) -> None:
    head, *lines = rows
    if not lines:
        return
    table = Table(title=title)
    for index, column in enumerate(head):
        table.add_column(column, justify="left" if index == 0 else "right")
    for line in lines:
        table.add_row(*line)
    console.print(table)


def _markdown(rows: Rows) -> Iterator[str]:
    head, *lines = rows
    yield _line(head)
    yield _line(["---"] + ["---:"] * (len(head) - 1))
    for line in lines:
        yield _line(line)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
