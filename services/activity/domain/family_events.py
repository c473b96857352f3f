"""The events of splits and merges, and what every event bears."""

from dataclasses import dataclass
from datetime import datetime

from services.activity.domain.links import Other
from services.activity.domain.vocabulary import Actor


@dataclass(frozen=True, slots=True)
class Stamp:
    """When it happened, by whom, and the row of the transition table that led here."""

    at: datetime
    by: Actor
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WasSplit:
    """It was split into these (T27); each says the same in its `Opened`."""

    stamp: Stamp
    into: tuple[Other, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """It was merged into another activity (T33): their families are one from now on (design §3)."""

    stamp: Stamp
    into: Other


@dataclass(frozen=True, slots=True, kw_only=True)
class TookOver:
    """Another activity was merged into it (T33, T34)."""

    stamp: Stamp
    source: Other
