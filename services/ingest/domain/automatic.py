"""Which mails a machine wrote (IN-15): a table of named rules; the hits are kept with the mail."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.ingest.domain.mail import ParsedMail


@dataclass(frozen=True, slots=True)
class AutomaticRule:
    """One sign of an automatic mail."""

    name: str
    holds: Callable[[ParsedMail], bool]


_COMMENT = re.compile(r"\([^()]*\)?")


def _values(mail: ParsedMail, header: str) -> list[str]:
    """The header's values without comments and parameters, in lower case."""
    return [
        _COMMENT.sub("", value).partition(";")[0].strip().lower() for value in mail.headers.get(header, ())
    ]


def _is_report(media_type: str) -> bool:
    return media_type == "multipart/report" or media_type.rpartition("/")[2] == "delivery-status"


AUTOMATIC_RULES = (
    AutomaticRule("x-autoreply", lambda mail: "x-autoreply" in mail.headers),
    AutomaticRule("x-autorespond", lambda mail: "x-autorespond" in mail.headers),
    AutomaticRule(
        "auto-submitted",
        lambda mail: any(
            value in ("auto-generated", "auto-replied") for value in _values(mail, "auto-submitted")
        ),
    ),
    AutomaticRule("report", lambda mail: any(_is_report(value) for value in _values(mail, "content-type"))),
    AutomaticRule(
        "empty return-path",
        lambda mail: any(value in ("<>", "<<>>") for value in _values(mail, "return-path")),
    ),
)


def automatic_rules_hit(mail: ParsedMail) -> tuple[str, ...]:
    """The names of the rules that recognise an automatic mail; empty for a person's."""
    return tuple(rule.name for rule in AUTOMATIC_RULES if rule.holds(mail))
