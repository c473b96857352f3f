"""What a run says, as `build/bench.json` has it."""

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.bench.passing import Measured

MAIL_RATE, EVENT_RATE, STEP_RATE, TIMER_RATE = "mails/s", "events/s", "steps/s", "timers/s"
SECONDS, MILLISECONDS = "s", "ms"
NOISY = 0.1
"""From this part of the machine on, what others do makes rates worthless."""


@dataclass(frozen=True)
class Growth:
    """Megabytes of a process: on average in the second and the last quarter of a run, and at most.

    The first quarter fills caches and pools.
    """

    early: float
    late: float
    most: float


@dataclass
class Figure:
    """One figure. `ratio` is value to floor, where there is a floor.

    `processor_ms` is milliseconds of processor time per mail by process; `others` is the part of the machine
    (0 to 1) that programs had meanwhile which do not belong to the measurement.
    """

    value: float
    unit: str
    mails: int
    seconds: float
    floor: float | None = None
    processor_ms: dict[str, float] = field(default_factory=dict)
    floor_processor_ms: dict[str, float] = field(default_factory=dict)
    memory_mb: dict[str, Growth] = field(default_factory=dict)
    others: float = 0.0
    more: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Of the floor's rate: 1 would be as fast as without any rules."""
        return None if self.floor is None else self.value / self.floor

    @property
    def processor_ratio(self) -> float | None:
        """The floor's processor time to ours: a ratio for machines that others use at the same time."""
        ours, floors = whole(self.processor_ms), whole(self.floor_processor_ms)
        return floors / ours if floors and ours else None

    def as_json(self) -> dict[str, Any]:
        """The figure for machines."""
        found = asdict(self) | {"ratio": self.ratio, "processor_ratio": self.processor_ratio}
        more = found.pop("more")
        return {name: _rounded(value) for name, value in {**found, **more}.items()}


def figure(measured: Measured, floor: Measured | None = None, **changes: Any) -> Figure:
    """The rate of a run, beside that of the floor with the same mails."""
    fields: dict[str, Any] = {
        "value": measured.rate,
        "unit": MAIL_RATE,
        "mails": measured.mails,
        "seconds": measured.seconds,
        "floor": floor.rate if floor else None,
        "processor_ms": _milliseconds(measured),
        "floor_processor_ms": _milliseconds(floor) if floor else {},
        "memory_mb": growth(measured.memory),
        "others": max(measured.others, floor.others if floor else 0.0),
    }
    return Figure(**(fields | changes))


def growth(memory: Sequence[Mapping[str, int]]) -> dict[str, Growth]:
    """What each process had over a run; only of those that were there all the time."""
    quarter = len(memory) // 4
    if not quarter:
        return {}
    found = {}
    for name in memory[0]:
        sizes = [sample[name] / 1e6 for sample in memory if name in sample]
        if len(sizes) == len(memory) and ":" not in name:
            early, late = sizes[quarter : 2 * quarter], sizes[-quarter:]
            found[name] = Growth(sum(early) / quarter, sum(late) / quarter, max(sizes))
    return found


def write(path: Path, figures: Mapping[str, Figure]) -> None:
    """Write all figures and the machine that they were measured on."""
    path.parent.mkdir(exist_ok=True)
    found = {name: each.as_json() for name, each in figures.items()}
    path.write_text(json.dumps({**found, "machine": machine()}, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """Where and when."""
    return {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def at_percent(values: Sequence[float], percent: int) -> float:
    """What so many in a hundred did not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def whole(by_process: Mapping[str, float]) -> float:
    """The sum over processes, without what is told of parts of them."""
    return sum(value for name, value in by_process.items() if ":" not in name)


def _milliseconds(measured: Measured) -> dict[str, float]:
    return {name: 1000 * use.seconds / measured.mails for name, use in measured.used.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return value
