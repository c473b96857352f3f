"""Alerts fire when they should, say what to do, and ask for what there is; so does the dashboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase
from ruamel.yaml import YAML

from shared import metrics
from tests.support.promtool import promtool

FOLDER = Path("deploy/observability")
ALERTS, CASES, DASHBOARD = FOLDER / "alerts.yaml", FOLDER / "alerts_test.yaml", FOLDER / "dashboard.json"
RUNBOOKS = Path("docs/runbooks.md")

SCRAPED = {"instance", "job", "le"}
"""Labels that Prometheus adds, or that every histogram has."""


def loaded(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


RULES: dict[str, Any] = {rule["alert"]: rule for group in loaded(ALERTS)["groups"] for rule in group["rules"]}
PANELS: list[Any] = json.loads(DASHBOARD.read_text())["panels"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]


def series() -> Iterator[tuple[str, set[str]]]:
    """Every series that there is, with the labels that it can have."""
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (described,) = metric.describe()
            endings = {Counter: ("_total",), Histogram: ("_bucket", "_sum", "_count")}.get(
                type(metric), ("",)
            )
            for ending in endings:
                yield described.name + ending, set(metric._labelnames)


SERIES = dict(series())


def asked(query: str) -> set[str]:
    """The series of ours that a query asks for."""
    return set(re.findall(r"\bmailroom_\w+", query))


def labels(query: str) -> set[str]:
    """The labels that a query selects or groups by."""
    selected = re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", query)
    grouped = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", query)
    return {*selected, *(name.strip() for names in grouped for name in names.split(","))}


def test_the_rules_hold_and_their_cases_come_true() -> None:
    promtool("check", "rules", ALERTS)
    promtool("test", "rules", CASES)


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_says_how_bad_it_is_what_is_wrong_and_where_it_says_what_to_do(alert: str) -> None:
    rule = RULES[alert]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert re.fullmatch(r".{20,}\.", rule["annotations"]["summary"])
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}#{alert.lower()}"


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    sections = re.split(r"^## ", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]
    found = {section.partition("\n")[0]: section for section in sections}
    assert list(found) == list(RULES)
    for section in found.values():
        assert re.findall(r"^- \*\*(.+?)\*\*", section, re.MULTILINE) == ["Means", "Look at", "Do"], section


def test_the_runbooks_name_metrics_that_there_are() -> None:
    assert asked(RUNBOOKS.read_text()) <= {*SERIES, *(name.removesuffix("_bucket") for name in SERIES)}


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_asks_for_series_and_labels_that_there_are(alert: str) -> None:
    query = RULES[alert]["expr"]
    assert asked(query)
    assert asked(query) <= SERIES.keys()
    assert labels(query) <= {*SCRAPED, *(label for name in asked(query) for label in SERIES[name])}


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(alert: str) -> None:
    """The series that a case makes up have the names and labels of real ones."""
    cases = [case for case in loaded(CASES)["tests"] if case["alert_rule_test"][0]["alertname"] == alert]
    assert {bool(case["alert_rule_test"][0]["exp_alerts"]) for case in cases} == {True, False}
    for case in cases:
        for made_up in case["input_series"]:
            (name,) = asked(made_up["series"])
            assert labels(made_up["series"]) <= SERIES[name] | SCRAPED


@pytest.mark.parametrize(("panel", "query"), QUERIES)
def test_the_dashboard_asks_for_series_and_labels_that_there_are(panel: str, query: str) -> None:
    assert asked(query)
    assert asked(query) <= SERIES.keys()
    assert labels(query) <= {*SCRAPED, *(label for name in asked(query) for label in SERIES[name])}


def test_prometheus_understands_the_dashboards_queries(tmp_path: Path) -> None:
    rules = [
        {"record": f"dashboard:query{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, (_, query) in enumerate(QUERIES)
    ]
    path = tmp_path / "queries.yaml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", path)


def test_the_dashboards_panels_lie_side_by_side_and_say_what_they_show() -> None:
    places = [panel["gridPos"] for panel in PANELS]
    taken = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert all(panel["title"] and panel["description"].endswith(".") for panel in PANELS)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
