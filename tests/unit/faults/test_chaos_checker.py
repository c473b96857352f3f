"""The checker of long runs: hand it a world in which something is wrong, and it says so."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.faults.chaos.checker import CHECKS, Damage, judge
from tests.faults.chaos.known import Accepted, Effect, Evidence, Fact, Letter, Place, Spoken

LOST, DOUBLED, DISORDERED = Damage.LOST, Damage.DOUBLED, Damage.DISORDERED


def effect(message_id: str, activity: str, version: int, mailbox: str = "help") -> Effect:
    """What a mail led to on the activity that "a" opened."""
    return Effect(message_id, "a", mailbox, message_id == "a", activity, version)


def said(activity: str, version: int, partition: int = 0) -> Spoken:
    return Spoken(f"{activity}{version}", f"{activity} {version}", partition, activity, version)


# "a" was written to both mailboxes and came to each of them twice; "b" and "c" were added to it at one. It
# opened a Case in each, which a robot was asked to go on with once. Each Case made a call and asked an
# approver, who clicked until it counted; and it ended behind what was under it, once again after a mail.
HOMES = ("help", "billing")
FACTS = tuple(Fact("a", home, what) for home in HOMES for what in ("step 1 entered", "ended"))
CALLS = tuple(Fact("a", home, "called") for home in HOMES)
ASKED = tuple(Fact("a", home, "lena asked") for home in HOMES)
EFFECTS = (effect("a", "1", 1), effect("b", "1", 2), effect("c", "1", 3), effect("a", "2", 1, "billing"))
SOUND = Evidence(
    written={
        "a": Letter("a", "a", ("help", "billing"), case=True),
        "b": Letter("b", "a", ("help",)),
        "c": Letter("c", "a", ("help",)),
    },
    places={
        "a": [Place("help", 1), Place("help", 2), Place("billing", 1), Place("billing", 2)],
        "b": [Place("help", 3), Place("help", 9)],
        "c": [Place("help", 4)],
    },
    kept=Counter({("help", "a"): 2, ("billing", "a"): 2, ("help", "b"): 2, ("help", "c"): 1}),
    in_tables=EFFECTS,
    on_kafka=EFFECTS,
    received={"a": {"ra"}, "b": {"rb"}, "c": {"rc"}},
    activities={"1": 3, "2": 1},
    # A repeat of what was said before is allowed, wherever it stands.
    spoken=[said("1", 1), said("1", 2), said("2", 1, 1), said("1", 1), said("1", 3), Spoken("rb", "told")],
    accepted=[
        Accepted("ack1", "a", "help"),
        Accepted("ack2", "a", "billing"),
        Accepted("ack1", "a", "help"),
        Accepted("please1", "", "help", "a link"),
        Accepted("please2", "", "billing", "another link"),
    ],
    repeats_allowed=1,
    case_facts=("step 1 entered", "ended"),
    facts_in_tables=FACTS,
    facts_on_kafka=FACTS,
    call_facts=("called",),
    facts_in_calls=CALLS,
    mail_facts=("lena asked",),
    facts_in_mails=ASKED,
    ends={("a", "help"): (False, True, True), ("a", "billing"): (False, True)},
    decisions={"a link": 1, "another link": 0},
    asked={"next"},
    answers={"next": {"yes"}, "somebody else's": {"yes", "no"}},
)


def with_effects(*effects: Effect) -> Evidence:
    return replace(SOUND, in_tables=effects)


def with_events(*effects: Effect) -> Evidence:
    return replace(SOUND, on_kafka=effects)


def saying(*spoken: Spoken) -> Evidence:
    return replace(SOUND, spoken=spoken)


def accepting(*accepted: Accepted) -> Evidence:
    return replace(SOUND, accepted=accepted)


def keeping(**kept: int) -> Evidence:
    """So many copies of mails in the mailbox help."""
    return replace(
        SOUND, kept=SOUND.kept | Counter({("help", name): number for name, number in kept.items()})
    )


WRONG: dict[str, tuple[Evidence, dict[Damage, int]]] = {
    "a mail vanished from its mailbox": (
        replace(SOUND, kept=SOUND.kept - Counter([("help", "c")])),
        {LOST: 1},
    ),
    "a mail was copied": (keeping(c=2), {DOUBLED: 1}),
    "a strange mail lies in a mailbox": (keeping(z=1), {DOUBLED: 1}),
    "a mail has no effect": (with_effects(*EFFECTS[:2], EFFECTS[3]), {LOST: 1}),
    "a mail opened nothing in its second mailbox": (with_effects(*EFFECTS[:3]), {LOST: 1}),
    "a mail opened two activities": (with_effects(*EFFECTS, effect("a", "9", 1)), {DOUBLED: 1}),
    "a mail was appended twice": (with_effects(*EFFECTS, effect("c", "1", 4)), {DOUBLED: 1}),
    "an afterthought opened an activity": (
        with_effects(*EFFECTS[:2], EFFECTS[3], Effect("c", "c", "help", True, "9", 1)),
        {LOST: 1, DOUBLED: 1},
    ),
    "a mail that nobody wrote has an effect": (with_effects(*EFFECTS, effect("z", "1", 4)), {DOUBLED: 1}),
    "an effect has no event": (with_events(*EFFECTS[:2], EFFECTS[3]), {LOST: 1}),
    "an effect has two events": (with_events(*EFFECTS, EFFECTS[2]), {DOUBLED: 1}),
    "a mail was never told to activity": (
        replace(SOUND, received={"a": {"ra"}, "b": {"rb"}}),
        {LOST: 1},
    ),
    "a mail was told to activity under two ids": (
        replace(SOUND, received={**SOUND.received, "b": {"rb", "rb2"}}),
        {DOUBLED: 1},
    ),
    "an activity was not acknowledged": (accepting(Accepted("ack1", "a", "help")), {LOST: 1}),
    "an activity was acknowledged twice": (
        accepting(*SOUND.accepted, Accepted("ack3", "a", "help")),
        {DOUBLED: 1},
    ),
    "a mail was acknowledged that opened nothing": (
        accepting(*SOUND.accepted, Accepted("ack3", "b", "help")),
        {DOUBLED: 1},
    ),
    "more mails were sent again than were under way": (
        accepting(*SOUND.accepted, *SOUND.accepted[:2]),
        {DOUBLED: 2},
    ),
    "one id stands for two contents": (saying(*SOUND.spoken, Spoken("rb", "another")), {DOUBLED: 1}),
    "one id stands in two partitions": (saying(*SOUND.spoken, Spoken("rb", "told", 1)), {DOUBLED: 1}),
    "a version was never said": (saying(said("1", 1), said("1", 3), said("2", 1)), {LOST: 1}),
    "an activity said nothing": (saying(said("1", 1), said("1", 2), said("1", 3)), {LOST: 1}),
    "an activity says more than it knows": (saying(*SOUND.spoken, said("2", 2, 1)), {DOUBLED: 1}),
    "a version was said under two ids": (
        saying(*SOUND.spoken, Spoken("other", "1 2", 0, "1", 2)),
        {DOUBLED: 1, DISORDERED: 1},
    ),
    "versions stand in the wrong order": (
        saying(said("1", 1), said("1", 3), said("1", 2), said("2", 1)),
        {DISORDERED: 1},
    ),
    "an activity speaks in two partitions": (
        saying(said("1", 1), said("1", 2), said("1", 3, 1), said("2", 1)),
        {DISORDERED: 1},
    ),
    "a timeline has the mails in another order than the mailbox": (
        with_effects(effect("a", "1", 1), effect("c", "1", 2), effect("b", "1", 3), EFFECTS[3]),
        {DISORDERED: 1},
    ),
    "a Case has not ended": (replace(SOUND, facts_in_tables=FACTS[:3]), {LOST: 1}),
    "a Case entered a step twice": (replace(SOUND, facts_in_tables=(*FACTS, FACTS[0])), {DOUBLED: 1}),
    "a mail opened a Case that is to open none": (
        replace(SOUND, facts_in_tables=(*FACTS, Fact("b", "help", "ended"))),
        {DOUBLED: 1},
    ),
    "a Case never said that it entered a step": (replace(SOUND, facts_on_kafka=FACTS[1:]), {LOST: 1}),
    "a Case said it twice": (replace(SOUND, facts_on_kafka=(*FACTS, FACTS[0])), {DOUBLED: 1}),
    "a connector was never told of a call": (replace(SOUND, facts_in_calls=CALLS[:1]), {LOST: 1}),
    "a call was made under two ids": (replace(SOUND, facts_in_calls=(*CALLS, CALLS[0])), {DOUBLED: 1}),
    "a call was made for nobody": (
        replace(SOUND, facts_in_calls=(*CALLS, Fact("", "", "called"))),
        {DOUBLED: 1},
    ),
    "an approver was never asked": (replace(SOUND, facts_in_mails=ASKED[1:]), {LOST: 1}),
    "an approver was asked under two Message-IDs": (
        replace(SOUND, facts_in_mails=(*ASKED, ASKED[1])),
        {DOUBLED: 1},
    ),
    "two clicks decided": (replace(SOUND, decisions={"a link": 2, "another link": 1}), {DOUBLED: 1}),
    "a Case ended before what is under it": (
        replace(SOUND, ends={**SOUND.ends, ("a", "help"): (True, False)}),
        {DISORDERED: 1},
    ),
    "a robot was never answered": (replace(SOUND, answers={}), {LOST: 1}),
    "a robot was answered in two ways": (replace(SOUND, answers={"next": {"yes", "no"}}), {DOUBLED: 1}),
    "something went to the dead letters": (
        replace(SOUND, dead=["activity.dlq.v1 holds something"]),
        {LOST: 1},
    ),
}


def test_a_sound_world_is_found_sound() -> None:
    verdict = judge(SOUND)
    assert verdict.findings == []
    assert verdict.clean
    assert verdict.smtp_repeats == 1


@pytest.mark.parametrize(("evidence", "damage"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_counted_as_what_it_is(evidence: Evidence, damage: dict[Damage, int]) -> None:
    verdict = judge(evidence)
    assert {each: verdict.count(each) for each in Damage if verdict.count(each)} == damage
    assert not verdict.clean


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_finds_something_that_no_other_finds(
    check: Callable[[Evidence], Sequence[object]],
) -> None:
    """Without it, one of the worlds above would pass."""
    others = [each for each in CHECKS if each is not check]
    assert any(
        list(check(evidence)) and not any(list(other(evidence)) for other in others)
        for evidence, _ in WRONG.values()
    )


def test_a_mail_is_counted_once_however_much_is_wrong_with_it() -> None:
    nothing = replace(
        SOUND, in_tables=(), on_kafka=(), received={}, kept=Counter(), case_facts=(), facts_in_tables=()
    )
    nothing = replace(nothing, facts_on_kafka=(), call_facts=(), facts_in_calls=(), mail_facts=())
    nothing = replace(nothing, facts_in_mails=())
    assert judge(nothing).count(LOST) == 3
