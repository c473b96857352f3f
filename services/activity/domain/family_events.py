"""The events of splits and merges, and what every event bears."""

from datetime import datetime

from msgspec import Struct

from services.activity.domain.links import Other
from services.activity.domain.vocabulary import Actor


class Stamp(Struct, frozen=True):
    """When it happened, by whom, and the row of the transition table that led here."""

    at: datetime
    by: Actor
    rule: str


class WasSplit(Struct, frozen=True, kw_only=True):
    """It was split into these (T27); each says the same in its `Opened`."""

    stamp: Stamp
    into: tuple[Other, ...]


class Merged(Struct, frozen=True, kw_only=True):
    """It was merged into another activity (T33): their families are one from now on (design §3)."""

    stamp: Stamp
    into: Other


class Converted(Struct, frozen=True, kw_only=True):
    """It goes on as a Case of this process (T30), which says the same in its `Opened`."""

    stamp: Stamp
    into: Other
    process: str


class TookOver(Struct, frozen=True, kw_only=True):
    """Another activity was merged into it (T33, T34)."""

    stamp: Stamp
    source: Other
