"""The steps that Cases know beside those of every activity (section 4 of the catalogue)."""

from dataclasses import dataclass

from services.activity.domain.approvals import Asking
from services.activity.domain.course import Launched
from services.activity.domain.links import Other
from services.activity.domain.steps import Step


@dataclass(frozen=True, slots=True)
class EnterStep(Step):
    """The next step is entered, and its Actions are launched (A1)."""

    name = "enter_step"
    participle = "led into its next step"
    number: int
    launched: tuple[Launched, ...]


@dataclass(frozen=True, slots=True)
class LaunchByHand(Step):
    """A person launches Actions of one type, beside those of the step (CA-6, C10)."""

    name = "launch"
    participle = "given an Action by hand"
    launched: tuple[Launched, ...]


@dataclass(frozen=True, slots=True)
class EndAction(Step):
    """An Action of it has ended, in the hands of `person`; `failed` where it could not be done (C6)."""

    name = "action_ended"
    participle = "told of the end of an Action"
    action: Other
    person: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class LoseWay(Step):
    """It cannot be said what comes next, and why: its owner has to see to it (C6)."""

    name = "way_lost"
    participle = "stopped on its way"
    why: str


@dataclass(frozen=True, slots=True)
class AnswerAction(Step):
    """An Action of it that waited for information has it (C14b)."""

    name = "action_answered"
    participle = "told of an answer to an Action"


@dataclass(frozen=True, slots=True)
class Finish(Step):
    """All its relevant Actions are completed (C18)."""

    name = "finish"
    participle = "completed with its Actions"


@dataclass(frozen=True, slots=True)
class Complete(Step):
    """A person resolves it (C18, C20)."""

    name = "resolve"
    participle = "resolved"


@dataclass(frozen=True, slots=True)
class Pause(Step):
    """Halt it until somebody lets it go on (C8, C13)."""

    name = "pause"
    participle = "paused"


@dataclass(frozen=True, slots=True)
class WaitForAnswer(Step):
    """Wait for more information, with no end of its own (C11, A4); a Case says for which reason (AMB-47).

    An approval waits for those whom it asks anew by that (A25).
    """

    name = "wait"
    participle = "set to wait for more information"
    reason: str | None = None
    asking: Asking | None = None


@dataclass(frozen=True, slots=True)
class Abandon(Step):
    """End it as it is, and everything under it (C23)."""

    name = "abandon"
    participle = "abandoned"


@dataclass(frozen=True, slots=True)
class Rework(Step):
    """Do it again from an earlier step, or from one Action of it (C17).

    What runs is ended; what people launched by hand only with `by_hand_too`, Sub-Cases only with
    `sub_cases_too`. Who reworks gets what is launched with `keep_with_me`, else those who did it before.
    """

    name = "rework"
    participle = "reworked"
    step: int
    action: str | None = None
    by_hand_too: bool = False
    keep_with_me: bool = False
    sub_cases_too: bool = False
