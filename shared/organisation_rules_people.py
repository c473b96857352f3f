"""Rules about users and their teams."""

from collections.abc import Iterator

from shared.contracts.activity_organisation import Definition
from shared.organisation_finding import Finding, Path, Rule, repeated

_LISTS = ("teams", "reads", "processes", "leads")


def retired_users_hold_nothing(definition: Definition) -> Iterator[Finding]:
    """Who is retired is in no team and has no process left (ST-20): nothing may come to them any more."""
    for index, user in enumerate(definition.users):
        for field in _LISTS if user.retired else ():
            if getattr(user, field):
                yield Finding(
                    ("users", index, field), f"{user.name!r} is retired, and keeps no {_WORDS[field]}"
                )


_WORDS = {"teams": "team", "reads": "process", "processes": "process", "leads": "process"}


def robots_lead_nothing(definition: Definition) -> Iterator[Finding]:
    for index, user in enumerate(definition.users):
        if user.robot and user.leads:
            yield Finding(("users", index, "leads"), f"{user.name!r} is a robot, and leads no process")


def users_name_things_once(definition: Definition) -> Iterator[Finding]:
    for index, user in enumerate(definition.users):
        for field in _LISTS:
            where: Path = ("users", index, field)
            yield from repeated(where, getattr(user, field), f"{field} of {user.name!r}")


def addresses_belong_to_one_user(definition: Definition) -> Iterator[Finding]:
    """A sender is known by the address (CT-5), so that it is one person's, and none of our mailboxes'."""
    own = {
        address.casefold(): mailbox.name
        for mailbox in definition.mailboxes
        for address in (mailbox.address, *mailbox.aliases)
    }
    seen: dict[str, str] = {}
    for index, user in enumerate(definition.users):
        if user.address is None:
            continue
        address = user.address.casefold()
        known = seen.setdefault(address, user.name)
        if known != user.name:
            yield Finding(("users", index, "address"), f"{user.address} belongs to {known!r} already")
        if address in own:
            yield Finding(("users", index, "address"), f"{user.address} belongs to mailbox {own[address]!r}")


RULES: tuple[Rule, ...] = (
    retired_users_hold_nothing,
    robots_lead_nothing,
    users_name_things_once,
    addresses_belong_to_one_user,
)
