"""An organisation is a folder of YAML, and what is wrong in it is said with file and line (design §10)."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.commands.config import app
from deploy.config.folder import ConfigurationError, read

SAMPLE = Path("deploy/config/sample")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "organisation"))


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))


def line_of(file: Path, text: str) -> int:
    return next(n for n, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_sample_is_valid() -> None:
    definition = read(SAMPLE)
    assert definition.organisation == "acme"
    assert {mailbox.name for mailbox in definition.mailboxes} == {"help", "billing"}


@pytest.mark.parametrize(
    ("file", "before", "after", "sentence"),
    [
        ("processes.yaml", "queue: service-desk", "queue: nowhere", "there is no 'nowhere' in queues"),
        ("processes.yaml", "live: true", "liev: true", "Extra inputs are not permitted"),
        ("processes.yaml", "hours: 72", "hours: many", "Input should be a valid number"),
        ("mailboxes.yaml", "address: billing@", "address: Help@", "belongs to mailbox 'help' already"),
        ("mailboxes.yaml", "aliases: [support@", "aliases: [sup+port@", "kept for plus addresses"),
        ("mailboxes.yaml", "process: it-request", "process: gone", "there is no process 'gone'"),
        ("mailboxes.yaml", "category: Access / Password", "category: Nothing", "has no category 'Nothing'"),
        ("organisation.yaml", "company: harbour", "company: desert", "there is no 'desert' in companies"),
        ("templates.yaml", "request [{{ reference }}]", "[{{ title }}]", "there is no variable 'title'"),
        ("templates.yaml", "request [{{ reference }}]", "[{{ reference ]", "it is no template"),
        ("times.yaml", "friday: [09:00-12:30, 13:30", "friday: [09:00-12:30, 12:00", "begins before 12:30"),
        ("times.yaml", "monday: [09:00-12:30", "monday: [9-12:30", "String should match pattern"),
        (
            "times.yaml",
            "time_zone: Europe/Brussels",
            "time_zone: Europe/Bruges",
            "no time zone 'Europe/Bruges'",
        ),
        ("times.yaml", "adjust: 2", "adjust: 2.5", "working_days are counted whole"),
        ("processes.yaml", "due_date: four-hours", "due_date: soon", "there is no 'soon' in due_dates"),
        ("processes.yaml", "field: device", "field: gadget", "there is no 'gadget' in fields"),
        ("processes.yaml", "type: multi_level_list", "type: tree", "Input should be 'check_box'"),
        ("processes.yaml", "path: Hardware", "path: A / B / C / D", "more than 3 levels"),
        ("organisation.yaml", "teams: [desk]", "teams: [roof]", "there is no 'roof' in teams"),
        ("mailboxes.yaml", 'address: "*@spam.test"', 'address: "spam.test"', "nor *@spam.test"),
        (
            "organisation.yaml",
            "[invoice-question, new",
            "[no-such, new",
            "there is no 'no-such' in processes",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(
    folder: Path, file: str, before: str, after: str, sentence: str
) -> None:
    """PA-7: no address of ours has a plus; RT-2: routes lead to a process and a category of it."""
    if before == "live: true":
        change(folder / file, "    language: en\n", "    language: en\n    live: true\n")
    change(folder / file, before, after)
    (found, *_) = [text for text in mistakes(folder) if sentence in text]
    assert found.startswith(f"{folder / file}:{line_of(folder / file, after)}: ")


@pytest.mark.parametrize(
    ("before", "after", "stands", "sentence"),
    [
        ("when: works_from_home", "when: at_home", "when: at_home", "has no custom field 'at_home'"),
        (
            'when: device != "own"',
            "when: device > 5",
            "when: device > 5",
            "device is a text, and 5 is a number",
        ),
        ("action: welcome-call", "action: call", "action: call", "'new-employee' has no action 'call'"),
        ("launched_by_hand: true", "", "name: extra-equipment", "nothing launches 'extra-equipment'"),
        ("    kind: case\n", "", "    steps:", "'new-employee' is of Tickets, and steps is for Cases only"),
        ("peer_review", "robot", "type: robot", "Input should be 'manual', 'peer_review',"),
        ("Is the disk encrypted?", '""', '- ""', "'' is empty"),
    ],
)
def test_a_mistake_in_a_case_is_named_with_its_file_and_line(
    folder: Path, before: str, after: str, stands: str, sentence: str
) -> None:
    file = folder / "processes.yaml"
    change(file, before, after)
    (found, *_) = [text for text in mistakes(folder) if sentence in text]
    assert found.startswith(f"{file}:{line_of(file, stands)}: processes.3.")


def test_a_process_stands_under_a_service_of_a_contract_of_its_company(folder: Path) -> None:
    """GL-3."""
    (folder / "more.yaml").write_text(
        "companies:\n  - {name: airport, title: Airport}\n"
        "contracts:\n  - {name: airport-support, title: Support, company: airport}\n"
    )
    change(folder / "processes.yaml", "contract: harbour-support", "contract: airport-support")
    company, service = mistakes(folder)
    assert "contract 'airport-support' is with 'airport'" in company
    assert "service 'it' is under 'harbour-support'" in service


def test_every_mistake_is_listed_not_only_the_first(folder: Path) -> None:
    change(folder / "processes.yaml", "queue: service-desk", "queue: nowhere")
    change(folder / "mailboxes.yaml", "process: it-request", "process: gone")
    assert len(mistakes(folder)) == 2


def test_broken_yaml_is_said_with_its_line(folder: Path) -> None:
    (folder / "broken.yaml").write_text("queues:\n  - name: [a\n")
    (only,) = mistakes(folder)
    assert only.startswith(f"{folder / 'broken.yaml'}:3: ")


def test_a_key_that_stands_in_two_files_is_refused_unless_it_is_a_list(folder: Path) -> None:
    (folder / "zz.yaml").write_text(
        "queues:\n  - {name: third-line, title: Third line}\norganisation: other\n"
    )
    (only,) = mistakes(folder)
    assert "'organisation' stands in organisation.yaml:" in only
    (folder / "zz.yaml").write_text("queues:\n  - {name: third-line, title: Third line}\n")
    assert len(read(folder).queues) == 3


def test_a_file_that_is_not_a_mapping_is_refused(folder: Path) -> None:
    (folder / "list.yaml").write_text("- a\n- b\n")
    assert "has to be a mapping" in mistakes(folder)[0]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "no file *.yaml" in mistakes(tmp_path)[0]


def test_a_template_without_english_is_refused(folder: Path) -> None:
    (folder / "more.yaml").write_text(
        "templates:\n  - name: bye\n    texts:\n      fr: {subject: Au revoir, text: Au revoir}\n"
    )
    assert "no text in 'en'" in mistakes(folder)[0]


def test_check_prints_mistakes_and_fails(folder: Path) -> None:
    change(folder / "processes.yaml", "queue: service-desk", "queue: nowhere")
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 1
    assert "processes.yaml:" in result.output


def test_plan_without_a_service_says_so_in_a_sentence(folder: Path) -> None:
    result = CliRunner().invoke(app, ["plan", str(folder), "--url", "http://127.0.0.1:9", "--token", "x"])
    assert result.exit_code == 1
    assert "activity does not answer at http://127.0.0.1:9" in result.output
