"""What processes of Cases have to agree about, and what is found otherwise."""

from pathlib import Path
from typing import Any

import pytest

from deploy.config.folder import read
from shared.contracts.activity_organisation import Definition
from shared.organisation_rules import findings

SAMPLE = read(Path("deploy/config/sample")).model_dump(mode="json")
TICKETS = {**SAMPLE["processes"][0], "name": "more"}
CASES = {
    **next(each for each in SAMPLE["processes"] if each["kind"] == "case"),
    "name": "more",
    "actions": [{"name": "call", "title": "Call"}, {"name": "laptop", "title": "Laptop"}],
    "steps": [{"name": "one", "title": "One", "actions": [{"action": "call"}, {"action": "laptop"}]}],
}
ORDER = {"type": "external_call", "call": "order-laptop", "answer_within_minutes": 60}
AT = f"processes.{len(SAMPLE['processes'])}"


def found(process: dict[str, Any], **parts: Any) -> list[tuple[str, str]]:
    """What is wrong with the sample and this process behind its own: (path below the process, sentence)."""
    whole = {**SAMPLE, **parts, "processes": [*SAMPLE["processes"], process]}
    return [
        (".".join(map(str, finding.path)).removeprefix(f"{AT}."), finding.sentence)
        for finding in findings(Definition.model_validate(whole))
    ]


def action(name: str = "call", **changes: Any) -> dict[str, Any]:
    return {"name": name, "title": name.title(), **changes}


def step(*uses: dict[str, Any], name: str = "one", **changes: Any) -> dict[str, Any]:
    return {"name": name, "title": name.title(), "actions": uses, **changes}


def use(name: str = "call", when: str | None = None) -> dict[str, Any]:
    return {"action": name, "when": when}


def cases(
    *steps: dict[str, Any], actions: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    return {**CASES, "actions": actions or [action()], "steps": steps, **changes}


def test_what_agrees_is_accepted() -> None:
    assert found(CASES) == []
    whole = cases(
        step(use(), use("check", "works_from_home and device != null"), when='first_day != d"2027-01-01"'),
        step(use(), name="two"),
        actions=[
            action(
                queue="accounts", due_date="two-days", checklist=["Done?", "Really?"], instructions="Ask."
            ),
            action("check", type="peer_review"),
            action("by-hand", launched_by_hand=True),
            action("ask", type="send_email_and_wait", template="no-response", launched_by_hand=True),
            action("start", type="start_case", process="new-employee", launched_by_hand=True),
            action("wait", type="wait_for_sub_cases", launched_by_hand=True),
            action("order", **ORDER, retry_after_minutes=[1, 5, 30], launched_by_hand=True),
            action("order-once", **ORDER, launched_by_hand=True),
        ],
        contacts_mandatory=True,
    )
    assert found(whole) == []


@pytest.mark.parametrize(
    ("process", "path", "sentence"),
    [
        (cases(), "steps", "'more' is of Cases, and has no steps to take"),
        (
            cases(step(use()), categories=[{"path": "A"}]),
            "categories",
            "'more' is of Cases, and categories is for Tickets only",
        ),
        (cases(step(use()), split="no-response"), "split", "split is for Tickets only"),
        (cases(step(use()), no_response="no-response"), "no_response", "no_response is for Tickets only"),
        (
            cases(step(use()), note_required_to_resolve=True),
            "note_required_to_resolve",
            "note_required_to_resolve is for Tickets only",
        ),
        (
            {**TICKETS, "contacts_mandatory": True},
            "contacts_mandatory",
            "'more' is of Tickets, and contacts_mandatory is for Cases",
        ),
        ({**TICKETS, "actions": [action(launched_by_hand=True)]}, "actions", "actions is for Cases only"),
        ({**TICKETS, "actions": [action()], "steps": [step(use())]}, "steps", "steps is for Cases only"),
        (
            cases(step(use()), actions=[action(), action()]),
            "actions.1.name",
            "'call' is defined twice in actions of 'more'",
        ),
        (cases(step(use()), step(use())), "steps.1.name", "'one' is defined twice in steps of 'more'"),
        (cases(step(use("cal"))), "steps.0.actions.0.action", "process 'more' has no action 'cal'"),
        (cases(step(use(), use())), "steps.0.actions.1.action", "'call' stands twice in step 'one'"),
        (
            cases(step(use()), actions=[action(), action("lost")]),
            "actions.1.name",
            "nothing launches 'lost': no step has it, and it is not launched_by_hand",
        ),
        (
            cases(step(use()), actions=[action(checklist=["A", "a"])]),
            "actions.0.checklist.1",
            "'a' stands twice in the checklist of 'call'",
        ),
        (cases(step(use()), actions=[action(checklist=["A", ""])]), "actions.0.checklist.1", "'' is empty"),
        (
            cases(step(use()), actions=[action(checklist=[" A"])]),
            "actions.0.checklist.0",
            "white space at an end",
        ),
        (cases(step(use()), actions=[action(queue="z")]), "actions.0.queue", "there is no 'z' in queues"),
        (
            cases(step(use()), actions=[action(due_date="z")]),
            "actions.0.due_date",
            "there is no 'z' in due_dates",
        ),
        (
            cases(step(use()), actions=[action(type="send_email")]),
            "actions.0",
            "'call' sends a mail: say by which template",
        ),
        (
            cases(step(use()), actions=[action(template="no-response")]),
            "actions.0.template",
            "'call' is of type manual, which sends no mail",
        ),
        (
            cases(step(use()), actions=[action(type="send_email_and_wait", template="z")]),
            "actions.0.template",
            "there is no 'z' in templates",
        ),
        (
            cases(step(use()), actions=[action(type="start_case")]),
            "actions.0",
            "'call' starts a Case: say of which process",
        ),
        (
            cases(step(use()), actions=[action(process="new-employee")]),
            "actions.0.process",
            "'call' is of type manual, which is about no Sub-Case",
        ),
        (
            cases(step(use()), actions=[action(type="start_case", process="it-request")]),
            "actions.0.process",
            "there is no process of Cases 'it-request'",
        ),
        (
            cases(step(use()), actions=[action(type="wait_for_sub_cases", process="z")]),
            "actions.0.process",
            "there is no process of Cases 'z'",
        ),
        (
            cases(step(use()), actions=[action(type="start_case", process="more")]),
            "actions.0.process",
            "Cases would begin for ever: more starts more",
        ),
        (
            cases(step(use()), actions=[action(**{**ORDER, "call": None})]),
            "actions.0",
            "'call' calls an external system: say call, what it is asked to do",
        ),
        (
            cases(step(use()), actions=[action(**{**ORDER, "answer_within_minutes": None})]),
            "actions.0",
            "'call' calls an external system: say answer_within_minutes, how long its answer is waited for",
        ),
        *(
            (
                cases(step(use()), actions=[action(**said)]),
                f"actions.0.{next(iter(said))}",
                "'call' is of type manual, which calls no external system",
            )
            for said in ({"call": "order"}, {"answer_within_minutes": 5}, {"retry_after_minutes": [1]})
        ),
        (
            cases(step(use(), when="remote")),
            "steps.0.when",
            "the process has no custom field 'remote'; there are device,",
        ),
        (
            cases(step(use(when="site == null"))),
            "steps.0.actions.0.when",
            "the process has no custom field 'site'",
        ),
        (cases(step(use(when="device == 1"))), "steps.0.actions.0.when", "they are never the same"),
        (cases(step(use(when=""))), "steps.0.actions.0.when", "it ends where something should follow"),
        (
            cases(*(step(use(), name=f"s{n}") for n in range(201))),
            "steps.200",
            "a Case has at most 200 steps",
        ),
        (
            cases(step(*(use(f"a{n}") for n in range(101))), actions=[action(f"a{n}") for n in range(101)]),
            "steps.0.actions.100",
            "a step has at most 100 actions",
        ),
    ],
)
def test_what_does_not_agree_is_found_where_it_stands(
    process: dict[str, Any], path: str, sentence: str
) -> None:
    """RT-2: categories are the Tickets'."""
    at, said = next(each for each in found(process) if each[0] == path)
    assert sentence in said, at


def test_a_step_without_actions_is_no_step() -> None:
    with pytest.raises(ValueError, match="at least 1 item"):
        found(cases(step()))


def test_a_queue_and_a_due_date_rule_stay_while_an_action_names_them() -> None:
    process = cases(step(use()), actions=[action(queue="spare", due_date="later")])
    more = {
        "queues": [*SAMPLE["queues"], {"name": "spare", "title": "Spare"}],
        "due_dates": [*SAMPLE["due_dates"], {"name": "later"}],
    }
    assert found(process, **more) == []
    assert found(process) == [
        ("actions.0.queue", "there is no 'spare' in queues"),
        ("actions.0.due_date", "there is no 'later' in due_dates"),
    ]


def test_a_route_to_cases_names_no_category() -> None:
    """RT-2."""

    def routed(category: str | None) -> list[tuple[str, str]]:
        mailbox = {**SAMPLE["mailboxes"][0], "fallback": {"process": "more", "category": category}}
        return found(CASES, mailboxes=[mailbox, *SAMPLE["mailboxes"][1:]])

    assert routed(None) == []
    assert routed("Other") == [
        ("mailboxes.0.fallback.category", "process 'more' is of Cases, and these have no category")
    ]


def test_cases_that_would_begin_for_ever_are_found_however_long_the_way() -> None:
    """A cycle of Sub-Cases, named from where it begins."""
    chain = [
        cases(step(use()), actions=[action(type="start_case", process=following)], name=name)
        for name, following in (("more", "second"), ("second", "third"), ("third", "more"))
    ]
    whole = {**SAMPLE, "processes": [*SAMPLE["processes"], *chain]}
    sentences = [each.sentence for each in findings(Definition.model_validate(whole))]
    assert sentences == [
        "Cases would begin for ever: more starts second starts third starts more",
        "Cases would begin for ever: second starts third starts more starts second",
        "Cases would begin for ever: third starts more starts second starts third",
    ]


def test_a_case_of_another_company_is_not_started() -> None:
    """CA-7."""
    other = {**SAMPLE["companies"][0], "name": "other", "domains": []}
    contract = {**SAMPLE["contracts"][0], "name": "others", "company": "other"}
    service = {**SAMPLE["services"][0], "name": "theirs", "contract": "others"}
    process = cases(
        step(use()),
        actions=[action(type="start_case", process="new-employee")],
        company="other",
        contract="others",
        service="theirs",
        group=None,
    )
    wrong = found(
        process,
        companies=[*SAMPLE["companies"], other],
        contracts=[*SAMPLE["contracts"], contract],
        services=[*SAMPLE["services"], service],
    )
    assert ("actions.0.process", "'new-employee' is another company's than 'more'") in wrong
