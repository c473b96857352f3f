"""Settings of activity, beside those of every service."""

from pydantic import Field

from shared.readers import LONGEST_KEPT, LONGEST_REPEATED
from shared.settings import ServiceSettings
from shared.strands import BATCH_RECORDS


class ActivitySettings(ServiceSettings):
    """What activity reads from `MAILROOM_*`."""

    timer_poll_seconds: float = Field(
        default=1.0, gt=0, description="seconds between two looks at the timers and schedules that are due"
    )
    timer_page: int = Field(
        default=BATCH_RECORDS, ge=1, le=5000, description="timers that are worked on in one transaction"
    )
    schedules_missed: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="times of one schedule, the newest, for which Cases still begin after an outage",
    )
    instance: str | None = Field(
        default=None,
        description="a name of this process that outlives its restarts; empty means a new member each time",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="URL under which people reach activity's HTTP: what links in mails begin with; without "
        "it nobody can be asked for an approval",
    )
    mails_days: int | None = Field(
        default=None,
        ge=LONGEST_KEPT.days,
        description="days that a mail's text and files are kept after its activities are closed, at least "
        f"the {LONGEST_KEPT.days} for which topics keep them anyway; empty is for ever",
    )
    timeline_days: int | None = Field(
        default=None,
        ge=1,
        description="days that descriptions, custom fields, notes and files are kept once an activity is "
        "closed; empty is for ever",
    )
    answers_days: int | None = Field(
        default=None,
        gt=LONGEST_REPEATED.days,
        description="days that a repeated request gets its first answer again, more than the "
        f"{LONGEST_REPEATED.days} for which it can come again; an older one is refused; empty is for ever",
    )
