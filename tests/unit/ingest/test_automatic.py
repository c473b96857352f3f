"""IN-15: which mails a machine wrote."""

import pytest

from services.ingest.domain.automatic import AUTOMATIC_RULES, automatic_rules_hit
from services.ingest.parsing.parser import parse
from tests.unit.ingest.desk import mail, raw

AUTOMATIC = [
    ("x-autoreply", "yes", "x-autoreply"),
    ("x-autoreply", "", "x-autoreply"),
    ("x-autorespond", "out", "x-autorespond"),
    ("auto-submitted", "auto-generated", "auto-submitted"),
    ("auto-submitted", "Auto-Replied (vacation)", "auto-submitted"),
    ("auto-submitted", "auto-replied; owner-email=x", "auto-submitted"),
    ("auto-submitted", "(robot) auto-replied ; owner=x", "auto-submitted"),
    ("content-type", 'multipart/report; report-type="delivery-status"', "report"),
    ("content-type", "message/delivery-status", "report"),
    ("return-path", "<>", "empty return-path"),
    ("return-path", "<<>>", "empty return-path"),
]
PERSONAL = [
    ("auto-submitted", "no"),
    ("content-type", "multipart/mixed; boundary=report"),
    ("return-path", "<jane@customer.example>"),
    ("precedence", "bulk"),
]


@pytest.mark.parametrize(("header", "value", "rule"), AUTOMATIC)
def test_each_sign_of_a_machine_is_recognised_by_its_rule(header: str, value: str, rule: str) -> None:
    assert automatic_rules_hit(mail(headers={header: value})) == (rule,)


@pytest.mark.parametrize(("header", "value"), PERSONAL)
def test_what_people_write_is_not_automatic(header: str, value: str) -> None:
    assert automatic_rules_hit(mail(headers={header: value})) == ()


def test_every_rule_is_proved_by_an_example() -> None:
    assert {rule.name for rule in AUTOMATIC_RULES} == {rule for _, _, rule in AUTOMATIC}


def test_all_hits_are_kept_for_the_explanation() -> None:
    assert automatic_rules_hit(parse(raw("delivery-report"))) == (
        "auto-submitted",
        "report",
        "empty return-path",
    )
    assert automatic_rules_hit(parse(raw("out-of-office"))) == ("auto-submitted",)
    assert automatic_rules_hit(parse(raw("plain"))) == ()
