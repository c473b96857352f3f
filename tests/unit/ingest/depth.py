"""How many examples hypothesis tries: few in the suite, more with `MAILROOM_FUZZ=<factor>` (`make fuzz`)."""

import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("MAILROOM_FUZZ", "1"))

Test = TypeVar("Test", bound=Callable[..., None])


def examples(number: int) -> Callable[[Test], Test]:
    """So many examples, times the factor; without a deadline, because a machine may be busy."""
    return settings(max_examples=number * FACTOR, suppress_health_check=[HealthCheck.too_slow])
