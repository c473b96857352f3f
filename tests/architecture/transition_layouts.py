"""Where the states of Tickets, Cases and Actions stand in their drawings."""

from services.activity.domain.states import CASE_WAITING, RUNNING, WAITING, State
from tests.architecture.transition_diagram import Box, Layout, Way

_WORKED_ON = frozenset({State.TO_DO, State.IN_PROGRESS})

TICKET = Layout(
    title="The Ticket's transitions",
    width=1190,
    height=1000,
    states={
        State.NEW: Box(24, 420, 28, 28),
        State.DRAFT: Box(110, 140, 120, 44),
        State.TO_DO: Box(350, 155, 120, 170),
        State.IN_PROGRESS: Box(720, 155, 120, 170),
        State.WAIT_MORE_INFO: Box(345, 580, 200, 90),
        State.WAIT_UNTIL: Box(660, 580, 190, 90),
        State.WAIT_SPLIT: Box(320, 745, 300, 44),
        State.WAIT_CASE_LAUNCHED: Box(650, 812, 325, 44),
        State.RESOLVED: Box(1040, 200, 120, 44),
        State.CLOSED: Box(1040, 650, 120, 44),
    },
    groups={
        _WORKED_ON: Box(325, 125, 540, 225, "worked on"),
        frozenset(WAITING): Box(325, 545, 550, 145, "waiting"),
        frozenset(RUNNING): Box(300, 90, 600, 630, "open"),
    },
    ways={
        ("DRAFT", "TO_DO"): Way("rl", 60),
        ("NEW", "TO_DO"): Way("rl", 150),
        ("NEW", "CLOSED"): Way("bb", 400),
        ("DRAFT", "RESOLVED"): Way("tt", 170),
        ("DRAFT", "CLOSED"): Way("bb", 640),
        ("RESOLVED", "TO_DO"): Way("tt", 170),
        ("WAIT_MORE_INFO", "CLOSED"): Way("bl", 100),
        ("worked on", "WAIT_CASE_LAUNCHED"): Way("bt", called_at=0.9),
        ("WAIT_SPLIT", "CLOSED"): Way("rl", called_at=0.3),
        ("RESOLVED", "CLOSED"): Way("bt", 150),
    },
)

CASE = Layout(
    title="The Case's transitions",
    width=1440,
    height=1250,
    states={
        State.NEW: Box(24, 280, 28, 28),
        State.DRAFT: Box(60, 390, 120, 44),
        State.TO_DO: Box(480, 215, 140, 260),
        State.IN_PROGRESS: Box(960, 215, 140, 260),
        State.WAIT_MORE_INFO: Box(420, 790, 200, 90),
        State.WAIT_UNTIL: Box(740, 790, 170, 90),
        State.WAIT_PAUSE: Box(1040, 790, 120, 90),
        State.RESOLVED: Box(1290, 260, 120, 44),
        State.CLOSED: Box(1290, 810, 120, 44),
    },
    groups={
        _WORKED_ON: Box(455, 185, 670, 315, "worked on"),
        frozenset(CASE_WAITING): Box(395, 750, 790, 220, "waiting"),
        frozenset({*_WORKED_ON, *CASE_WAITING}): Box(370, 150, 840, 840, "under way"),
    },
    ways={
        ("NEW", "TO_DO"): Way("rl", 200),
        ("NEW", "DRAFT"): Way("bl", 40),
        ("DRAFT", "TO_DO"): Way("rl", 150),
        ("DRAFT", "RESOLVED"): Way("tt", 350),
        ("DRAFT", "CLOSED"): Way("bb", 725),
        ("RESOLVED", "TO_DO"): Way("tt", 170),
        ("RESOLVED", "CLOSED"): Way("bt", 150),
        ("WAIT_MORE_INFO", "WAIT_PAUSE"): Way("bb", 70),
        ("TO_DO", "WAIT_PAUSE"): Way("bt", called_at=0.85),
        ("WAIT_MORE_INFO", "IN_PROGRESS"): Way("tb", called_at=0.3),
        ("worked on", "WAIT_UNTIL"): Way("bt", called_at=0.25),
        ("worked on", "WAIT_PAUSE"): Way("bt", called_at=0.25),
        ("worked on", "CLOSED"): Way("bt", called_at=0.6),
        ("under way", "CLOSED"): Way("rl", 60),
        ("WAIT_PAUSE", "WAIT_MORE_INFO"): Way("bb", 110),
    },
)

ACTION = Layout(
    title="The Action's transitions",
    width=1190,
    height=760,
    states={
        State.NEW: Box(24, 241, 28, 28),
        State.TO_DO: Box(280, 155, 190, 220),
        State.IN_PROGRESS: Box(640, 155, 120, 220),
        State.WAIT_MORE_INFO: Box(240, 600, 260, 90),
        State.WAIT_UNTIL: Box(640, 600, 160, 90),
        State.CLOSED: Box(1040, 380, 120, 44),
    },
    groups={
        _WORKED_ON: Box(255, 125, 530, 275, "worked on"),
        frozenset(WAITING): Box(215, 565, 605, 145, "waiting"),
        frozenset(RUNNING): Box(190, 90, 655, 640, "open"),
    },
    ways={
        ("TO_DO", "WAIT_MORE_INFO"): Way("bt", called_at=0.72),
        ("WAIT_MORE_INFO", "TO_DO"): Way("tb", called_at=0.62),
        ("waiting", "TO_DO"): Way("tb", called_at=0.25),
        ("worked on", "WAIT_MORE_INFO"): Way("bt", called_at=0.2),
        ("WAIT_UNTIL", "TO_DO"): Way("tb", called_at=0.62),
        ("WAIT_MORE_INFO", "CLOSED"): Way("rl", called_at=0.7),
    },
)
