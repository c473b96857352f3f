"""What a Case has to come to, in sentences: each has to be true of it exactly once."""

from collections.abc import Iterator, Mapping, Sequence

from tests.faults.chaos.matters import AGREE, APPROVERS, AWAIT, CALL, ERRAND, ORDER, START, STEPS

BY_HAND = "A10"
BY_ITSELF: Mapping[str, str] = {START: "CA-1", AWAIT: "A22", ORDER: "A23", AGREE: "A25"}
"""The row of the transition table that closes an Action: whoever else closes one hides what went wrong."""


def facts() -> Iterator[str]:
    """What the tables, and the events of activities, have to say of each Case and of what is under it."""
    for process, steps in STEPS.items():
        for number, step in enumerate(steps, start=1):
            yield entered(process, number)
            for action in step:
                yield launched(process, number, action)
                yield completed(process, number, action, BY_ITSELF.get(action, BY_HAND))
        yield ended(process)
    yield started(ERRAND, START)
    yield opened(ERRAND)
    yield told_of_the_end(ERRAND)
    yield called(CALL)
    yield answered(ORDER, "succeeded")
    yield WRITTEN
    for level, approver in enumerate(APPROVERS, start=1):
        yield asked(AGREE, level, [approver])
        yield given(AGREE, level, approver, approved=True)


def facts_of_calls() -> Iterator[str]:
    """What connectors have to be told of each Case."""
    yield called(CALL)


def facts_of_mails() -> Iterator[str]:
    """What approvers have to be asked by mail about each Case."""
    for level, approver in enumerate(APPROVERS, start=1):
        yield asked(AGREE, level, [approver])


def entered(process: str, step: int) -> str:
    return f"step {step} of its {process} entered"


def launched(process: str, step: int, action: str) -> str:
    return f"{action} of step {step} of its {process} launched"


def completed(process: str, step: int, action: str, rule: str) -> str:
    return f"{action} of step {step} of its {process} completed by {rule}"


def ended(process: str) -> str:
    return f"its {process} ended"


def started(process: str, action: str) -> str:
    return f"its {process} started by {action}"


def opened(process: str) -> str:
    return f"its {process} opened under it"


def told_of_the_end(process: str) -> str:
    return f"told that its {process} has ended"


def called(call: str) -> str:
    return f"the call {call} made"


def answered(action: str, outcome: str) -> str:
    return f"the call of {action} {outcome}"


WRITTEN = "what the answer to its call has brought written on it"


def asked(action: str, level: int, approvers: Sequence[str]) -> str:
    return f"{' and '.join(approvers)} asked in level {level} of {action}"


def given(action: str, level: int, approver: str, *, approved: bool) -> str:
    return f"{action} {'approved' if approved else 'declined'} in level {level} by {approver}"
