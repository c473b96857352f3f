"""`mailroom config draw` makes a picture of a process of Cases from the folder alone."""

from pathlib import Path
from xml.etree import ElementTree

from typer.testing import CliRunner, Result

from deploy.commands.config import app

SAMPLE = "deploy/config/sample"


def draw(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["draw", SAMPLE, *arguments])


def test_a_process_is_drawn_to_stdout() -> None:
    result = draw("new-employee")
    assert result.exit_code == 0, result.output
    said = [each.text for each in ElementTree.fromstring(result.stdout).iter() if each.tag.endswith("}text")]
    assert {"New employee", "Prepare", "Welcome", "People may launch as well"} <= set(said)


def test_a_process_is_drawn_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "process.svg"
    result = draw("new-employee", "--output", str(file))
    assert (result.exit_code, result.stdout) == (0, f"{file} is written.\n")
    assert ElementTree.fromstring(file.read_text()).tag.endswith("}svg")


def test_what_cannot_be_drawn_is_said_in_a_sentence(tmp_path: Path) -> None:
    for arguments, sentence in (
        (["it-request"], "it-request is a process of Tickets, which has no steps to draw.\n"),
        (["nowhere"], "the configuration has no process named 'nowhere'\n"),
        (
            ["new-employee", "-o", f"{tmp_path}/no/p.svg"],
            "p.svg cannot be written: No such file or directory.\n",
        ),
    ):
        result = draw(*arguments)
        assert result.exit_code == 1
        assert result.stderr.endswith(sentence)
