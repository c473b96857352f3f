"""Which route a mail to one of our addresses takes (RT-1 to RT-4, AMB-45)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from services.ingest.domain.addresses import canonical_domain, folded
from services.ingest.domain.mail import Address, ParsedMail
from services.ingest.domain.mailboxes import Criteria, Mailbox

FALLBACK = "fallback"
"""The name of every mailbox's last route (RT-4)."""


@dataclass(frozen=True, slots=True)
class Routed:
    """The route that was found and what it asks for (RT-2)."""

    route: str
    process: str
    category: str | None = None
    send_automated_emails: bool = False
    test_mode: bool = False


@dataclass(frozen=True, slots=True)
class CriterionRule:
    """One criterion of RT-3: whether a route asks for it, and whether the mail meets it."""

    name: str
    asked: Callable[[Criteria], bool]
    met: Callable[[Criteria, ParsedMail], bool]


def _has_attachment(extensions: Iterable[str], mail: ParsedMail) -> bool:
    """Pictures inside the HTML do not count: a logo in a signature is no document."""
    stems = (extension.strip().lstrip("*.").lower() for extension in extensions)
    endings = tuple(f".{stem}" for stem in stems if stem)
    return any(part.name.lower().endswith(endings) for part in mail.attachments if not part.inline)


@lru_cache(maxsize=4096)
def _whole_word(keyword: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in keyword.split())
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)


def _has_keyword(keywords: Iterable[str], subject: str) -> bool:
    return any(_whole_word(keyword).search(subject) for keyword in keywords if keyword.strip())


def _among(patterns: Iterable[str], addresses: Iterable[Address]) -> bool:
    addresses = tuple(addresses)
    return any(_is(pattern.strip(), address) for pattern in patterns for address in addresses)


def _is(pattern: str, address: Address) -> bool:
    """`jane@example.org`, `*@example.org` or `*example.org`; `*.example.org` is its subdomains only."""
    if not pattern.startswith("*"):
        return folded(pattern) == address.folded
    if pattern.startswith("*."):
        return address.domain.endswith(f".{canonical_domain(pattern[2:])}")
    return address.domain == canonical_domain(pattern.lstrip("*").removeprefix("@"))


CRITERION_RULES = (
    CriterionRule(
        "important",
        lambda criteria: criteria.important is not None,
        lambda criteria, mail: mail.important is criteria.important,
    ),
    CriterionRule(
        "attachment extensions",
        lambda criteria: bool(criteria.attachment_extensions),
        lambda criteria, mail: _has_attachment(criteria.attachment_extensions, mail),
    ),
    CriterionRule(
        "subject keywords",
        lambda criteria: bool(criteria.subject_keywords),
        lambda criteria, mail: _has_keyword(criteria.subject_keywords, mail.subject),
    ),
    CriterionRule(
        "recipients",
        lambda criteria: bool(criteria.recipients),
        lambda criteria, mail: _among(criteria.recipients, (*mail.to, *mail.cc)),
    ),
    CriterionRule(
        "senders",
        lambda criteria: bool(criteria.senders),
        lambda criteria, mail: _among(criteria.senders, (mail.sender,) if mail.sender else ()),
    ),
)


def meets(criteria: Criteria, mail: ParsedMail) -> bool:
    """Whether the mail meets all that is asked; without criteria every mail does."""
    return all(rule.met(criteria, mail) for rule in CRITERION_RULES if rule.asked(criteria))


def find_route(mailbox: Mailbox, address: str, mail: ParsedMail, *, for_test: bool = False) -> Routed | None:
    """The first route of `mailbox` for `address` (its own or an alias) whose criteria all hold (RT-1).

    The fallback catches the primary address only; an alias without a route stays unrouted (RT-4). `for_test`
    asks for the first that leads to a process in test (CT-18).
    """
    wanted = folded(address)
    for route in mailbox.routes:
        if for_test and not route.in_test:
            continue
        if route.enabled and folded(route.address) == wanted and meets(route.criteria, mail):
            return Routed(
                route=route.name,
                process=route.process,
                category=route.category,
                send_automated_emails=route.send_automated_emails,
                test_mode=route.test_mode,
            )
    fallback = mailbox.fallback
    if fallback is None or (for_test and not fallback.in_test) or wanted != folded(mailbox.address):
        return None
    return Routed(FALLBACK, fallback.process, fallback.category, fallback.send_automated_emails)
