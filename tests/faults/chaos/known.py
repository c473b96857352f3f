"""What a run is judged by: what was written, and what was found of it."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Letter:
    """A mail that was written. `opening` is the Message-ID of its thread's first mail, perhaps its own.

    `homes` are the mailboxes that it is for: in each it opens an activity, or is appended to the one that its
    thread opened there. One that opens a `case` opens one in each.
    """

    message_id: str
    opening: str
    homes: tuple[str, ...]
    case: bool = False


class Place(NamedTuple):
    """Where the mail server put a mail."""

    mailbox: str
    uid: int


@dataclass(frozen=True)
class Effect:
    """What a mail led to: it opened an activity, or was appended to one.

    The activity is known by its opening mail's Message-ID and its mailbox; `activity` and `version` are its
    own id and number.
    """

    message_id: str
    opening: str
    mailbox: str
    opened: bool
    activity: str = ""
    version: int = 0


@dataclass(frozen=True)
class Spoken:
    """A record in a topic. `content` is all of it that a repeat has to have in common.

    Those about activities have a `version`, and say of which `activity`.
    """

    id: str
    content: Hashable
    partition: int = 0
    activity: str = ""
    version: int = 0


@dataclass(frozen=True)
class Accepted:
    """A mail that the SMTP server took: which opening mail it answers, from which mailbox.

    One that asks for an approval answers none, and has a `link`.
    """

    message_id: str
    answers: str
    mailbox: str
    link: str = ""


class Fact(NamedTuple):
    """Something that is true of the Case that a mail opened in a mailbox, as `facts` says it."""

    opening: str
    mailbox: str
    what: str


@dataclass(frozen=True)
class Evidence:
    """What was written, and what was found.

    written: by Message-ID. places: of each mail, as often as it was delivered, in that order. kept: how often
    a mail lies in a mailbox, whatever the folder. in_tables, on_kafka: effects, on Kafka one for each id.
    received: the ids under which each Message-ID was told to activity. activities: the version that each has
    in the tables. spoken: all records, as each partition has them. dead: dead letters.
    repeats_allowed: how many mails can have been under way to the SMTP server when something was broken.
    case_facts: what each Case has to have come to; facts_in_tables, facts_on_kafka: what each has come to, on
    Kafka once for each id. call_facts, facts_in_calls: the same of what connectors were told, once for each
    id; mail_facts, facts_in_mails: of what approvers were asked, once for each Message-ID. ends: of each Case
    the ends that it told of, in that order, True for its own. decisions: how often each link of an approver
    was said to have decided. asked: the requests of robots and connectors; answers: the ids under which each
    was answered.
    """

    written: Mapping[str, Letter]
    places: Mapping[str, Sequence[Place]]
    kept: Counter[tuple[str, str]]
    in_tables: Sequence[Effect]
    on_kafka: Sequence[Effect]
    received: Mapping[str, set[str]]
    activities: Mapping[str, int]
    spoken: Sequence[Spoken]
    accepted: Sequence[Accepted]
    dead: Sequence[str] = ()
    repeats_allowed: int = 0
    case_facts: Sequence[str] = ()
    facts_in_tables: Sequence[Fact] = ()
    facts_on_kafka: Sequence[Fact] = ()
    call_facts: Sequence[str] = ()
    facts_in_calls: Sequence[Fact] = ()
    mail_facts: Sequence[str] = ()
    facts_in_mails: Sequence[Fact] = ()
    ends: Mapping[tuple[str, str], Sequence[bool]] = field(default_factory=dict)
    decisions: Mapping[str, int] = field(default_factory=dict)
    asked: AbstractSet[str] = frozenset()
    answers: Mapping[str, AbstractSet[str]] = field(default_factory=dict)

    @property
    def cases(self) -> list[tuple[str, str]]:
        """The Cases that there have to be: which mail opened each, and in which mailbox."""
        openings = (each for each in self.written.values() if each.case and each.message_id == each.opening)
        return [(letter.message_id, home) for letter in openings for home in letter.homes]
