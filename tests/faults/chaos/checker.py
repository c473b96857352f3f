"""Judges what a run has left behind: what was lost, what was done twice, what is out of order.

Trusts no service: what should be follows from what was written and where the mail server put it; what is
was read from the disk, the tables, the topics and the SMTP server's own journal (`evidence`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple, TypeVar

from tests.faults.chaos.known import Effect, Evidence, Fact

Key = TypeVar("Key", bound=Hashable)


class Damage(StrEnum):
    """What can become of something that must come out exactly once and in order."""

    LOST = "lost"
    DOUBLED = "doubled"
    DISORDERED = "disordered"


class Finding(NamedTuple):
    """Something that is not as it should be. `about` is what is counted: a mail, an activity."""

    damage: Damage
    about: Hashable
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """All findings, and how many mails the SMTP server was given more than once."""

    findings: Sequence[Finding]
    smtp_repeats: int

    def count(self, damage: Damage) -> int:
        """How many mails or activities it happened to."""
        return len({finding.about for finding in self.findings if finding.damage is damage})

    @property
    def clean(self) -> bool:
        return not self.findings


def judge(evidence: Evidence) -> Verdict:
    """Hold what is against what should be."""
    findings = [finding for check in CHECKS for finding in check(evidence)]
    return Verdict(findings, smtp_repeats(evidence))


def smtp_repeats(evidence: Evidence) -> int:
    """How often the SMTP server was given what it had already, by Message-ID."""
    return sum(number - 1 for number in Counter(each.message_id for each in evidence.accepted).values())


def _kept(evidence: Evidence) -> Iterator[Finding]:
    """Every delivered mail lies in its mailbox, in one folder or the other."""
    delivered = Counter(
        (place.mailbox, message_id) for message_id, places in evidence.places.items() for place in places
    )
    return _compared("in the mailbox", evidence.kept, delivered, about=lambda each: each[1])


def _effects_in_tables(evidence: Evidence) -> Iterator[Finding]:
    return _compared("effects in the tables", _seats(evidence.in_tables), _owed(evidence), about=_message_id)


def _effects_on_kafka(evidence: Evidence) -> Iterator[Finding]:
    """Counted by their ids, so that a repeat is none."""
    return _compared("events on Kafka", _seats(evidence.on_kafka), _owed(evidence), about=_message_id)


def _received(evidence: Evidence) -> Iterator[Finding]:
    """Every mail was told to activity under one id."""
    found = Counter({message_id: len(ids) for message_id, ids in evidence.received.items()})
    return _compared("records of its receipt", found, Counter(dict.fromkeys(evidence.written, 1)), about=str)


def _acknowledged(evidence: Evidence) -> Iterator[Finding]:
    """Every activity was acknowledged under one Message-ID."""
    found = Counter((each.answers, each.mailbox) for each in set(evidence.accepted) if not each.link)
    owed = Counter(
        (letter.message_id, home)
        for letter in evidence.written.values()
        if letter.message_id == letter.opening
        for home in letter.homes
    )
    return _compared("acknowledgements", found, owed, about=lambda each: each)


def _repeats(evidence: Evidence) -> Iterator[Finding]:
    """No more mails were given twice to the SMTP server than were under way at a fault."""
    for number in range(evidence.repeats_allowed, smtp_repeats(evidence)):
        yield Finding(Damage.DOUBLED, ("repeat", number), "a mail was sent again although none was under way")


def _same_again(evidence: Evidence) -> Iterator[Finding]:
    """What is said twice under one id says the same, at the same place."""
    said: dict[str, set[Hashable]] = defaultdict(set)
    for spoken in evidence.spoken:
        said[spoken.id].add((spoken.partition, spoken.content))
    for id_, contents in said.items():
        if len(contents) > 1:
            yield Finding(Damage.DOUBLED, id_, f"record {id_} stands there with {len(contents)} contents")


def _versions(evidence: Evidence) -> Iterator[Finding]:
    """Each activity's records come in the order of its versions, from the first to the last."""
    versions: dict[str, dict[str, int]] = defaultdict(dict)
    partitions: dict[str, set[int]] = defaultdict(set)
    for spoken in evidence.spoken:
        if spoken.activity:
            versions[spoken.activity].setdefault(spoken.id, spoken.version)
            partitions[spoken.activity].add(spoken.partition)
    for activity in {**versions, **evidence.activities}:
        found = list(versions.get(activity, {}).values())
        owed = range(1, evidence.activities.get(activity, 0) + 1)
        for version, number in Counter(found).items():
            if number > 1 or version not in owed:
                yield Finding(
                    Damage.DOUBLED, activity, f"{activity} says version {version} under {number} ids"
                )
        if missing := set(owed) - set(found):
            yield Finding(Damage.LOST, activity, f"{activity} never said versions {sorted(missing)}")
        if found != sorted(found):
            yield Finding(Damage.DISORDERED, activity, f"{activity} says its versions in the order {found}")
    for activity, places in partitions.items():
        if len(places) > 1:
            yield Finding(Damage.DISORDERED, activity, f"{activity} speaks in partitions {sorted(places)}")


def _timelines(evidence: Evidence) -> Iterator[Finding]:
    """The mails of each timeline stand in the order in which their mailbox had them.

    A mail that came to several mailboxes has a place in each, and is held to none of them.
    """
    firsts = {
        message_id: min(places)
        for message_id, places in evidence.places.items()
        if len({place.mailbox for place in places}) == 1
    }
    timelines: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for effect in evidence.in_tables:
        if (place := firsts.get(effect.message_id)) is not None:
            timelines[effect.activity, effect.opening, place.mailbox].append((effect.version, place.uid))
    for (activity, opening, mailbox), mails in timelines.items():
        uids = [uid for _, uid in sorted(mails)]
        if any(later < earlier for earlier, later in pairwise(uids)):
            yield Finding(
                Damage.DISORDERED, (opening, mailbox), f"{activity} has the mails of {mailbox} as {uids}"
            )


def _dead(evidence: Evidence) -> Iterator[Finding]:
    """Nothing that was written is anybody's bad input."""
    for sentence in evidence.dead:
        yield Finding(Damage.LOST, sentence, sentence)


def _cases_in_tables(evidence: Evidence) -> Iterator[Finding]:
    """Each Case entered each step once, had each Action once, and has ended."""
    return _facts("in the tables", evidence.facts_in_tables, evidence.case_facts, evidence)


def _cases_on_kafka(evidence: Evidence) -> Iterator[Finding]:
    """And so it was said."""
    return _facts("on Kafka", evidence.facts_on_kafka, evidence.case_facts, evidence)


def _calls(evidence: Evidence) -> Iterator[Finding]:
    """Connectors were told of each call under one id."""
    return _facts("for connectors", evidence.facts_in_calls, evidence.call_facts, evidence)


def _asked_by_mail(evidence: Evidence) -> Iterator[Finding]:
    """Approvers were asked under one Message-ID."""
    return _facts("by mail", evidence.facts_in_mails, evidence.mail_facts, evidence)


def _decided(evidence: Evidence) -> Iterator[Finding]:
    """No approver was told twice that it was this click which decided."""
    for link, number in evidence.decisions.items():
        if number > 1:
            yield Finding(Damage.DOUBLED, link, f"{link} has decided {number} times")


def _ends(evidence: Evidence) -> Iterator[Finding]:
    """No Case ends before what is under it."""
    for case, ends in evidence.ends.items():
        if list(ends) != sorted(ends):
            yield Finding(Damage.DISORDERED, case, f"{case} ended before what is under it")


def _answered(evidence: Evidence) -> Iterator[Finding]:
    """Whatever a robot or a connector has asked was answered under one id, however often it was asked."""
    found = Counter({id_: len(evidence.answers.get(id_, ())) for id_ in evidence.asked})
    return _compared("answers", found, Counter(dict.fromkeys(evidence.asked, 1)), about=str)


CHECKS: Sequence[Callable[[Evidence], Iterable[Finding]]] = (
    _kept,
    _effects_in_tables,
    _effects_on_kafka,
    _received,
    _acknowledged,
    _repeats,
    _same_again,
    _versions,
    _timelines,
    _dead,
    _cases_in_tables,
    _cases_on_kafka,
    _calls,
    _asked_by_mail,
    _decided,
    _ends,
    _answered,
)

_Seat = tuple[str, str, str, bool]
"""Which mail, on which activity (its opening mail and mailbox), and whether it opened it."""


def _seats(effects: Iterable[Effect]) -> Counter[_Seat]:
    return Counter((each.message_id, each.opening, each.mailbox, each.opened) for each in effects)


def _owed(evidence: Evidence) -> Counter[_Seat]:
    return Counter(
        (letter.message_id, letter.opening, home, letter.message_id == letter.opening)
        for letter in evidence.written.values()
        for home in letter.homes
    )


def _facts(
    where: str, found: Iterable[Fact], owed_of_each: Iterable[str], evidence: Evidence
) -> Iterator[Finding]:
    owed = Counter(Fact(*case, what) for what in owed_of_each for case in evidence.cases)
    return _compared(where, Counter(found), owed, about=_case)


def _case(fact: Fact) -> tuple[str, str]:
    return fact.opening, fact.mailbox


def _message_id(seat: _Seat) -> str:
    return seat[0]


def _compared(
    what: str, found: Counter[Key], owed: Counter[Key], *, about: Callable[[Key], Hashable]
) -> Iterator[Finding]:
    """Too few is lost, too many is doubled; what nobody owes is too many."""
    for key in {**owed, **found}:
        if found[key] != owed[key]:
            damage = Damage.LOST if found[key] < owed[key] else Damage.DOUBLED
            yield Finding(damage, about(key), f"{key}: {found[key]} {what} instead of {owed[key]}")
