"""An organisation's mailboxes in the words of the domain: from contract types to rules."""

from services.ingest.domain.blocking import BlockMode, blocked
from services.ingest.domain.mailboxes import Criteria, Fallback, Mailbox, Mailboxes, PlusMode, Route
from shared.contracts.activity_organisation import MailboxDefinition
from shared.organisation import Organisation


class Routing:
    """Keeps each organisation's mailboxes as they are in the version that was asked for last."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Mailboxes]] = {}

    def of(self, organisation: Organisation) -> Mailboxes:
        """The mailboxes and routes of one version."""
        version, mailboxes = self._kept.get(organisation.name, (None, None))
        if mailboxes is None or version != organisation.version:
            mailboxes = mailboxes_of(organisation)
            self._kept[organisation.name] = (organisation.version, mailboxes)
        return mailboxes


def mailboxes_of(organisation: Organisation) -> Mailboxes:
    """All mailboxes of one version of the configuration."""
    return Mailboxes.of(
        organisation.name,
        (_mailbox(organisation, definition) for definition in organisation.mailboxes),
        blocked((each.address, BlockMode(each.mode.value)) for each in organisation.blocked),
    )


def _mailbox(organisation: Organisation, definition: MailboxDefinition) -> Mailbox:
    """A route to a process that takes no work now is passed over as if it were switched off (GL-5, RT-2)."""
    return Mailbox(
        name=definition.name,
        address=definition.address,
        aliases=definition.aliases,
        plus_mode=PlusMode(definition.plus_addressing.value),
        routes=tuple(
            Route(
                **{
                    **dict(route),
                    "criteria": Criteria(**dict(route.criteria)),
                    "enabled": route.enabled
                    and organisation.takes_work(route.process, in_test=route.test_mode),
                    "in_test": organisation.is_in_test(route.process),
                }
            )
            for route in definition.routes
        ),
        fallback=Fallback(
            **dict(definition.fallback), in_test=organisation.is_in_test(definition.fallback.process)
        ),
    )
