"""An office that asks for an approval: mails that ask, links that they bring, answers to them (A25)."""

from typing import Any

from shared.contracts import activity_requests as asked
from shared.contracts.notify_mails import OutgoingMail
from tests.support.hiring import WITH_CASES
from tests.support.office import Office, user

CASE, CONSENT = "100001-C", "100001-C-A1.3"
HOSTILE = "<script>alert(1)</script>"
PAGE = {"Accept": "text/html,application/xhtml+xml"}


async def let_ask(office: Office) -> None:
    """Somebody is asked for the costs of a Case with a laptop."""
    await office.configure(WITH_CASES, 2)
    await begin(office)


async def begin(office: Office, reference: str = CASE) -> None:
    """The next Case begins, which is to have this reference, and somebody is asked."""
    erp = asked.Actor(kind=asked.ActorKind.INTEGRATION, id="erp")
    await office.ask(
        asked.ActivityOpen(
            type="case.open",
            actor=erp,
            process="hiring",
            title=HOSTILE,
            description="She & a dog",
            fields={"device": "laptop"},
        )
    )
    await office.ask(asked.CaseLaunch(actor=user("amelie"), reference=reference, action="consent"))


async def mails(office: Office) -> list[dict[str, Any]]:
    """The mails that ask, in order."""
    return [each for each in await office.said("notify.requests.v1", "mail.compose") if _asks(each)]


def _asks(compose: dict[str, Any]) -> bool:
    return "link" in compose["variables"]


async def links(office: Office) -> dict[str, str]:
    """The path of the newest link of everybody who was asked."""
    return {
        each["to"][0]["address"].partition("@")[0]: each["variables"]["link"].removeprefix(
            "https://mailroom.test"
        )
        for each in await mails(office)
    }


async def answer(
    office: Office, kind: type[asked.OnActivity], by: str, reference: str = CONSENT, **fields: Any
) -> Any:
    """Somebody answers over Kafka."""
    return await office.step(kind, reference, by=by, **fields)


async def report(office: Office, kind: type[OutgoingMail], asked_for: dict[str, Any], **more: Any) -> None:
    """What became of a mail that asks, as notify tells it."""
    about = {name: asked_for[name] for name in ("mail", "activity", "reference", "conversation")}
    await office.report(kind(**about, at=office.clock.now(), message_id="a@b.test", **more))
