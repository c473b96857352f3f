"""What a batch has to know before it is worked on: asked by its records, read by the workspace."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from services.activity.store_requests import RequestKey
from services.activity.store_rows import Key

Named = tuple[str, str]
"""An organisation and what something is called there."""


class Taker(NamedTuple):
    """Somebody who asks for the next best; a `robot` gets nothing that is marked for a person (ST-8).

    `kind` is of what; empty for whatever there is.
    """

    organisation: str
    user: str
    robot: bool
    kind: str = ""


@dataclass(slots=True)
class Needs:
    """What the records of a batch ask for: gathered first, then read at once.

    `arrived` are mails that come in, `mails` those that must be known. `threads` are the activities (by
    reference or id) that mail may be sent from, `copied` those whose links and mails another one may begin
    with, or take over. `opening` counts the activities that may be opened in an organisation.
    `contacts` are those that are to be changed, `merged` and `erased` those to which that is to happen,
    `filed` the activities whose files the request names. `takers` has one entry for each time that somebody
    asks for the next best. `ending` says that a Case may end what runs under it: then all of that is read.
    """

    references: set[Named] = field(default_factory=set)
    conversations: set[Named] = field(default_factory=set)
    activities: set[Key] = field(default_factory=set)
    message_ids: set[Named] = field(default_factory=set)
    arrived: set[Key] = field(default_factory=set)
    mails: set[Key] = field(default_factory=set)
    addresses: set[Named] = field(default_factory=set)
    contacts: set[Key] = field(default_factory=set)
    merged: set[Key] = field(default_factory=set)
    erased: set[Key] = field(default_factory=set)
    requests: set[RequestKey] = field(default_factory=set)
    threads: set[Named | Key] = field(default_factory=set)
    copied: set[Named] = field(default_factory=set)
    filed: set[Named] = field(default_factory=set)
    opening: Counter[str] = field(default_factory=Counter)
    takers: list[Taker] = field(default_factory=list)
    ending: bool = False

    @property
    def closing(self) -> bool:
        """Whether a record may close an activity: a step that is asked for, or a timer. A mail never does."""
        return bool(self.requests or self.activities)
