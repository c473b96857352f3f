"""What approvals have to agree about with the rest of a configuration, and what is found otherwise (A25)."""

from typing import Any

import pytest

from tests.unit.shared.test_organisation_rules_cases import SAMPLE, action, cases, found, step, use

PEOPLE = [
    *SAMPLE["users"],
    {"name": "lena", "title": "Lena", "address": "lena@acme.test"},
    {"name": "cfo", "title": "The CFO", "address": "cfo@acme.test"},
    {"name": "customer", "title": "Carla", "address": "carla@harbour.test", "company": "harbour"},
    {"name": "mute", "title": "Mute"},
    {"name": "gone", "title": "Gone", "address": "gone@acme.test", "retired": True},
    {"name": "r9", "title": "R9", "address": "r9@acme.test", "robot": True},
]
GOOD = {"subject": "Please decide", "text": "{{ reference }}: {{ link }}"}
ASKED: dict[str, Any] = {"name": "please", "texts": {"en": GOOD}}


def approval(*levels: dict[str, Any], **changes: Any) -> dict[str, Any]:
    given = {"type": "approval", "template": "please", "approval": levels}
    return cases(step(use()), actions=[action(**given | changes)])


def level(*approvers: str, **more: Any) -> dict[str, Any]:
    return {"approvers": approvers or ("lena",), **more}


def wrong(process: dict[str, Any], template: dict[str, Any] = ASKED) -> list[tuple[str, str]]:
    companies = [*SAMPLE["companies"], {"name": "harbour", "title": "Harbour"}]
    known = SAMPLE if any(each["name"] == "harbour" for each in SAMPLE["companies"]) else None
    more = {} if known else {"companies": companies}
    return found(process, users=PEOPLE, templates=[*SAMPLE["templates"], template], **more)


def test_what_agrees_is_accepted() -> None:
    """People of the customer are asked like others."""
    assert wrong(approval(level())) == []
    whole = approval(
        level("lena", "cfo"),
        level("cfo", "customer", needed="one"),
        level("lena", when="works_from_home"),
    )
    assert wrong(whole) == []


@pytest.mark.parametrize(
    ("process", "path", "sentence"),
    [
        (approval(), "actions.0", "'call' asks for an approval: say in which levels whom"),
        (approval(*[level()] * 4), "actions.0.approval.3", "an approval has at most 3 levels"),
        (
            cases(step(use()), actions=[action(approval=[level()])]),
            "actions.0.approval",
            "'call' is of type manual, which asks nobody",
        ),
        (approval(level(), template=None), "actions.0", "'call' sends a mail: say by which template"),
        (approval(level("nobody")), "actions.0.approval.0.approvers.0", "there is no 'nobody' in users"),
        (
            approval(level("lena", "cfo", "lena")),
            "actions.0.approval.0.approvers.2",
            "'lena' stands twice in the level",
        ),
        (approval(level("lena", "mute")), "actions.0.approval.0.approvers.1", "no address to write to"),
        (approval(level(), level("gone")), "actions.0.approval.1.approvers.0", "who is retired"),
        (approval(level("r9")), "actions.0.approval.0.approvers.0", "it is a robot"),
        (
            approval(level(when="remote")),
            "actions.0.approval.0.when",
            "the process has no custom field 'remote'",
        ),
    ],
)
def test_what_does_not_agree_is_found_where_it_stands(
    process: dict[str, Any], path: str, sentence: str
) -> None:
    at, said = next(each for each in wrong(process) if each[0] == path)
    assert sentence in said, at


def test_a_level_without_approvers_is_none() -> None:
    with pytest.raises(ValueError, match="at least 1 item"):
        wrong(approval({"approvers": []}))


AT = f"templates.{len(SAMPLE['templates'])}.texts"


@pytest.mark.parametrize(
    ("texts", "path", "sentence"),
    [
        ({"en": {"subject": "S", "text": "T"}}, "en.text", "it asks for an approval: say {{ link }} in it"),
        (
            {"en": GOOD, "fr": {"subject": "S", "text": "T"}},
            "fr.text",
            "say {{ link }} in it",
        ),
        (
            {"en": {"subject": "S", "text": "{{ link }}", "html": "<p>T</p>"}},
            "en.html",
            "say {{ link }} in it",
        ),
        (
            {"en": {"subject": "{{ link }}", "text": "{{ link }}"}},
            "en.subject",
            "only the text of an approval's mail has a link",
        ),
    ],
)
def test_the_mail_of_an_approval_says_where_to_answer(texts: Any, path: str, sentence: str) -> None:
    (at, said), *_ = wrong(approval(level()), {"name": "please", "texts": texts})
    assert (at, sentence in said) == (f"{AT}.{path}", True), said


def test_no_other_mail_has_a_link() -> None:
    """There would be nothing to put there, and the mail would be refused."""
    other = cases(step(use()), actions=[action(type="send_email", template="please")])
    assert wrong(other) == [(f"{AT}.en.text", "only the text of an approval's mail has a link")]
    both = approval(level())
    both["acknowledgement"] = "please"
    assert wrong(both) == [
        (
            f"templates.{len(SAMPLE['templates'])}.name",
            "'please' asks for an approval, and is a template of other mails, too",
        )
    ]
