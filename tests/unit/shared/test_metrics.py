"""Every metric is named and explained in one place."""

import re

import pytest
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Summary
from prometheus_client.metrics import MetricWrapperBase

from shared import metrics

METRICS = {
    name: value
    for name, value in vars(metrics).items()
    if isinstance(value, MetricWrapperBase) and name.isupper()
}
UNITS = {Counter: ("_total",), Histogram: ("_seconds", "_bytes", "_records"), Summary: ("_seconds", "_bytes")}
PERSONAL = {"address", "mail", "organisation", "user", "id", "reference", "conversation", "path"}


def full_name(metric: MetricWrapperBase) -> str:
    # The library keeps a counter's name without its ending.
    (described,) = metric.describe()
    name: str = described.name
    return f"{name}_total" if isinstance(metric, Counter) else name


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_a_metric_has_a_sentence_and_a_name_by_the_rules(metric: MetricWrapperBase) -> None:
    (described,) = metric.describe()
    assert re.fullmatch(r"(1 |[A-Z]).{20,}\.", described.documentation), described.documentation
    assert re.fullmatch(r"mailroom(_[a-z0-9]+)+", full_name(metric))
    assert full_name(metric).endswith(UNITS.get(type(metric), ("",)))
    if isinstance(metric, Gauge):
        assert not full_name(metric).endswith("_total")


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_labels_have_few_values(metric: MetricWrapperBase) -> None:
    assert PERSONAL.isdisjoint(metric._labelnames)


@pytest.mark.parametrize(
    ("counter", "outcome"),
    [("outgoing_attempts", "failed"), ("mails_taken", "unhandled")],
)
def test_the_first_event_of_a_kind_shows_as_an_increase(counter: str, outcome: str) -> None:
    assert REGISTRY.get_sample_value(f"mailroom_{counter}_total", {"outcome": outcome}) is not None
