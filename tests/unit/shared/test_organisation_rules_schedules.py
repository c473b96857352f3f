"""What schedules have to say, so that their Cases can begin (CA-1), and what is found otherwise."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.config.differences import differences
from deploy.config.folder import ConfigurationError, read
from deploy.config.showing import lines
from shared.contracts.activity_organisation import Definition
from shared.organisation_rules import findings

FOLDER = Path("deploy/config/sample")
SAMPLE = read(FOLDER).model_dump(mode="json")
PLACE = next(index for index, each in enumerate(SAMPLE["processes"]) if each["kind"] == "case")
AT = f"processes.{PLACE}."


def schedule(**changes: Any) -> dict[str, Any]:
    said = {"name": "monthly", "title": "Close the month", "cron": "0 9 1 * *", "calendar": "office"}
    return {**said, **changes}


def scheduled(*schedules: dict[str, Any], place: int = PLACE, **changes: Any) -> Definition:
    """The sample with schedules of its process of Cases."""
    processes = list(SAMPLE["processes"])
    processes[place] = {**processes[place], "schedules": schedules, **changes}
    return Definition.model_validate({**SAMPLE, "processes": processes})


def found(definition: Definition) -> list[tuple[str, str]]:
    return [
        (".".join(map(str, finding.path)).removeprefix(AT), finding.sentence)
        for finding in findings(definition)
    ]


def test_what_can_begin_is_accepted() -> None:
    whole = schedule(
        name="nightly", cron="30 2 * * MON-FRI", fields={"device": "own", "works-from-home": True}
    )
    assert found(scheduled(schedule(), whole)) == []
    mandatory = [{"field": "device", "mandatory": True}, {"field": "first-day"}, {"field": "works-from-home"}]
    assert found(scheduled(whole, fields=mandatory)) == []


@pytest.mark.parametrize(
    ("changes", "path", "sentence"),
    [
        ({"cron": "60 9 * * *"}, "cron", "'60 9 * * *' says no times: bad minute"),
        ({"cron": "monthly"}, "cron", "it has to have 5 fields"),
        ({"cron": "0 9 31 4 *"}, "cron", "says no times"),
        ({"calendar": "moon"}, "calendar", "there is no 'moon' in calendars"),
        ({"title": " "}, "title", "its Cases have no title"),
        ({"fields": {"colour": "red"}}, "fields.colour", "colour: the process has no such field"),
        (
            {"fields": {"first-day": "soon"}},
            "fields.first-day",
            "first-day (date): it has to be a date such as",
        ),
        ({"fields": {"works-from-home": "yes"}}, "fields.works-from-home", "it has to be true or false"),
    ],
)
def test_what_could_not_begin_is_found(changes: dict[str, Any], path: str, sentence: str) -> None:
    ((place, said),) = found(scheduled(schedule(**changes)))
    assert place == f"schedules.0.{path}"
    assert sentence in said


def test_one_name_is_one_schedule() -> None:
    ((place, said),) = found(scheduled(schedule(), schedule(cron="0 0 * * *")))
    assert (place, said) == ("schedules.1.name", "'monthly' is defined twice in schedules of 'new-employee'")


def test_cases_that_lack_what_is_mandatory_could_never_begin() -> None:
    """CA-1, C3: nobody is there to add it."""
    ((place, said),) = found(scheduled(schedule(), contacts_mandatory=True))
    assert place == "schedules.0.name"
    assert "contacts_mandatory" in said
    mandatory = [{"field": "device", "mandatory": True}, {"field": "first-day"}, {"field": "works-from-home"}]
    ((place, said),) = found(scheduled(schedule(fields={"device": None}), fields=mandatory))
    assert place == "schedules.0.fields"
    assert said == "'device' is mandatory, and its Cases would begin without it"


def test_tickets_begin_by_no_schedule() -> None:
    ((_, said),) = found(scheduled(schedule(), place=0))
    assert said.endswith("is of Tickets, and schedules is for Cases only")


def test_a_mistake_is_found_in_its_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "organisation"
    shutil.copytree(FOLDER, folder)
    file = folder / "processes.yaml"
    marked = "    actions:\n      - name: prepare-laptop\n"
    bad = "    schedules:\n      - {name: daily, title: Daily, cron: '0 25 * * *', calendar: office}\n"
    file.write_text(file.read_text().replace(marked, bad + marked))
    with pytest.raises(ConfigurationError) as error:
        read(folder)
    (mistake,) = error.value.mistakes
    assert mistake.file.name == "processes.yaml"
    assert file.read_text().splitlines()[mistake.line - 1].strip().startswith("- {name: daily")
    assert mistake.sentence.endswith("'0 25 * * *' says no times: bad hour")


def test_a_plan_shows_what_changes_in_schedules() -> None:
    before = scheduled(schedule(), schedule(name="daily", cron="0 8 * * *"))
    after = scheduled(schedule(cron="0 10 1 * *", fields={"device": "own"}), schedule(name="weekly"))
    assert [line.text for line in lines(differences(before, after))][2:] == [
        "    ~ schedules",
        "      ~ monthly",
        "        ~ cron: 0 9 1 * * -> 0 10 1 * *",
        "        ~ fields",
        "          + device: own",
        "      - daily",
        "      + weekly",
        "        + title: Close the month",
        "        + cron: 0 9 1 * *",
        "        + calendar: office",
    ]
