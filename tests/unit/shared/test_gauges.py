"""Gauges with a label tell what is, and never nothing in between."""

from prometheus_client import CollectorRegistry, Gauge

from shared.gauges import tell


class Watched(Gauge):
    """A gauge that knows what was told whenever something of it was taken away."""

    def remove(self, *labelvalues: str) -> None:
        """Look first."""
        self.seen = told(self)
        super().remove(*labelvalues)

    def clear(self) -> None:
        """All of it."""
        self.seen = {}
        super().clear()


def told(gauge: Gauge) -> dict[str, float]:
    return {sample.labels["what"]: sample.value for each in gauge.collect() for sample in each.samples}


def test_what_is_gone_is_told_until_what_is_new_is_told_too() -> None:
    gauge = Watched("things", "How many.", ["what"], registry=CollectorRegistry())
    tell(gauge, {"old": 1, "stays": 2})
    tell(gauge, {"stays": 3, "new": 4})
    assert told(gauge) == {"stays": 3, "new": 4}
    assert gauge.seen == {"old": 1, "stays": 3, "new": 4}
    tell(gauge, {})
    assert told(gauge) == {}
