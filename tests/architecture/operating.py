"""Writes the tables of `docs/operating.md`: every setting and every metric, from the code that has them."""

from pathlib import Path

from prometheus_client import Counter
from prometheus_client import metrics as kinds

from services.activity.settings import ActivitySettings
from services.ingest.settings import IngestSettings
from services.notify.settings import NotifySettings
from shared import metrics
from shared.settings import PREFIX, ServiceSettings

PAGE = Path("docs/operating.md")
OWN = {"ingest": IngestSettings, "activity": ActivitySettings, "notify": NotifySettings}


def tables() -> dict[str, list[str]]:
    """The rows of each table, by the mark that stands before it on the page."""
    every = [_setting(ServiceSettings, name) for name in ServiceSettings.model_fields]
    own = [
        f"| {service} {_setting(settings, name)}"
        for service, settings in OWN.items()
        for name in settings.model_fields
        if name not in ServiceSettings.model_fields
    ]
    return {
        "settings": ["| Variable | Expected | Default |", "|---|---|---|", *every],
        "own settings": ["| Service | Variable | Expected | Default |", "|---|---|---|---|", *own],
        "metrics": ["| Metric | Labels | Tells |", "|---|---|---|", *_metrics()],
    }


def rewritten() -> str:
    """The page with its tables as they have to be."""
    lines: list[str] = []
    inside = False
    for line in PAGE.read_text().splitlines():
        if line.startswith("<!-- table: "):
            name = line.removeprefix("<!-- table: ").removesuffix(" -->")
            lines += [line, *tables()[name]]
            inside = True
        elif not inside or not line.startswith("|"):
            inside = False
            lines.append(line)
    return "\n".join(lines) + "\n"


def _setting(settings: type[ServiceSettings], name: str) -> str:
    field = settings.model_fields[name]
    default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)}`"
    expected = (field.description or "").replace("|", "\\|")
    return f"| `{PREFIX}{name.upper()}` | {expected} | {default.replace('``', 'empty')} |"


def _metrics() -> list[str]:
    found = {each for each in vars(metrics).values() if isinstance(each, kinds.MetricWrapperBase)}
    rows = []
    for metric in found:
        (described,) = list(metric.describe())
        labels = ", ".join(metric._labelnames)
        # The library keeps a counter's name without its ending.
        name = f"{described.name}_total" if isinstance(metric, Counter) else described.name
        rows.append(f"| `{name}` | {labels} | {described.documentation} |")
    return sorted(rows)


if __name__ == "__main__":
    PAGE.write_text(rewritten())
