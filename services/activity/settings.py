"""Settings of activity, beside those of every service."""

from pydantic import Field

from shared.settings import ServiceSettings


class ActivitySettings(ServiceSettings):
    """What activity reads from `MAILROOM_*`."""

    timer_poll_seconds: float = Field(
        default=1.0, gt=0, description="seconds between two looks at the timers that are due"
    )
    timer_page: int = Field(
        default=200, ge=1, le=5000, description="timers that are worked on in one transaction"
    )
    instance: str | None = Field(
        default=None,
        description="a name of this process that outlives its restarts; empty means a new member each time",
    )
