"""Statuses, wait types, and the states that rows of the transition table speak of (ST-1, ST-9)."""

from enum import StrEnum


class Status(StrEnum):
    """What a person sees of an activity's progress; there are exactly six (ST-1)."""

    DRAFT = "draft"
    TO_DO = "to_do"
    IN_PROGRESS = "in_progress"
    WAIT = "wait"
    RESOLVED = "resolved"
    CLOSED = "closed"


ENDED = (Status.RESOLVED, Status.CLOSED)
"""Nothing more is to be done, unless it comes back."""


class WaitType(StrEnum):
    """Why an activity waits; mandatory for status Wait (ST-9)."""

    MORE_INFO = "more_information"
    UNTIL = "until"
    SPLIT = "split"
    CASE_LAUNCHED = "case_launched"
    PAUSE = "pause"


class State(StrEnum):
    """A status together with its wait type: what a transition starts from and leads to.

    NEW is the state of an activity that does not exist yet (∅ in the catalogue).
    """

    NEW = "new"
    DRAFT = "draft"
    TO_DO = "to_do"
    IN_PROGRESS = "in_progress"
    WAIT_MORE_INFO = "wait_more_information"
    WAIT_UNTIL = "wait_until"
    WAIT_SPLIT = "wait_split"
    WAIT_CASE_LAUNCHED = "wait_case_launched"
    WAIT_PAUSE = "wait_pause"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def status(self) -> Status:
        """The status that people see; NEW has none and raises `KeyError`."""
        return _PARTS[self][0]

    @property
    def wait_type(self) -> WaitType | None:
        """The wait type, for the states that wait."""
        return _PARTS[self][1]

    @property
    def label(self) -> str:
        """How an English sentence names the state (glossary, section 1 of the catalogue)."""
        return _LABELS[self]


def state_of(status: Status, wait: WaitType | None) -> State:
    """The state that a status and a wait type make; `KeyError` when they do not go together."""
    return _STATES[status, wait]


WAITING = (State.WAIT_MORE_INFO, State.WAIT_UNTIL)
"""The waits that a user chooses for any activity; they can be ended by hand (ST-9)."""
CASE_WAITING = (*WAITING, State.WAIT_PAUSE)
"""The waits that a user chooses for a Case."""
WAITING_FOR_OTHERS = (State.WAIT_SPLIT, State.WAIT_CASE_LAUNCHED)
"""The waits that end when other activities do (T28)."""
RUNNING = (State.TO_DO, State.IN_PROGRESS, *WAITING)
"""What can be merged, and merged into (ST-12, AMB-48): work goes on in it, and not in others instead."""
TAKES_OVER = (*RUNNING, State.WAIT_PAUSE)
"""What a Ticket can be merged into, of whatever kind."""

_PARTS: dict[State, tuple[Status, WaitType | None]] = {
    State.DRAFT: (Status.DRAFT, None),
    State.TO_DO: (Status.TO_DO, None),
    State.IN_PROGRESS: (Status.IN_PROGRESS, None),
    State.WAIT_MORE_INFO: (Status.WAIT, WaitType.MORE_INFO),
    State.WAIT_UNTIL: (Status.WAIT, WaitType.UNTIL),
    State.WAIT_SPLIT: (Status.WAIT, WaitType.SPLIT),
    State.WAIT_CASE_LAUNCHED: (Status.WAIT, WaitType.CASE_LAUNCHED),
    State.WAIT_PAUSE: (Status.WAIT, WaitType.PAUSE),
    State.RESOLVED: (Status.RESOLVED, None),
    State.CLOSED: (Status.CLOSED, None),
}
_STATES = {parts: state for state, parts in _PARTS.items()}
_LABELS = {
    State.NEW: "new",
    State.DRAFT: "Draft",
    State.TO_DO: "To Do",
    State.IN_PROGRESS: "In Progress",
    State.WAIT_MORE_INFO: "waiting for more information",
    State.WAIT_UNTIL: "waiting until a date",
    State.WAIT_SPLIT: "waiting for the Tickets that it was split into",
    State.WAIT_CASE_LAUNCHED: "waiting for the Case that it was converted into",
    State.WAIT_PAUSE: "paused",
    State.RESOLVED: "Resolved",
    State.CLOSED: "Closed",
}
