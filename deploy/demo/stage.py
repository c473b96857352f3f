"""What the audience of the demonstration sees."""

from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


class Stage:
    """Prints the story. `console` decides about colours and width."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._step = 0

    def act(self, text: str) -> None:
        """A new act begins."""
        self.console.print()
        self.console.rule(Text(text, "bold cyan"), align="left", style="cyan")

    def title(self, text: str) -> None:
        """What happens now."""
        self._step += 1
        self.console.print()
        self.console.print(Text.assemble((f"{self._step:>2}  ", "bold cyan"), (text, "bold")))

    def mail(self, mail: EmailMessage, headers: Sequence[str]) -> None:
        """A mail: some of its headers, and its text."""
        table = Table.grid(padding=(0, 1))
        for name in headers:
            if mail[name] is not None:
                table.add_row(Text(name, "dim"), Text(str(mail[name]), overflow="fold"))
        body = mail.get_body(("plain",))
        text = body.get_content().strip() if body else ""
        table.add_row("", "")
        table.add_row("", Text(text))
        self.console.print(Padding(Panel(table, border_style="dim"), (0, 4)))

    def activity(self, activity: dict[str, Any]) -> None:
        """How a Ticket, Case or Action stands."""
        line = Text.assemble(
            ("    ", ""),
            (activity["reference"], "bold green"),
            f"  {activity['title']}",
            ("   status ", "dim"),
            (activity["status"], "yellow"),
        )
        for holder in ("assignee", "owner", "queue"):
            if activity[holder]:
                line.append(f"   {holder} ", "dim").append(activity[holder])
        if activity["new_information"]:
            line.append("   new information", "bold magenta")
        if activity["resolution"]:
            line.append(f"   {activity['resolution']['method'].replace('_', ' ')}", "yellow")
        self.console.print(line)
        if activity["course"] and activity["course"]["attention"]:
            because = activity["course"]["because"]
            self.console.print(Text(f"    needs attention because of {because}", "bold red"))

    def quote(self, text: str) -> None:
        """What somebody said."""
        self.console.print(Text(f"    “{text}”", "italic"))

    def file(self, text: str, path: Path) -> None:
        """Where something was written, in one piece, to be copied from there."""
        self.console.print(Text.assemble("    ", text, " ", (str(path), "bold green")), soft_wrap=True)

    def course(self, course: dict[str, Any]) -> None:
        """The steps of a Case, and what became of the Actions in them."""
        table = Table(box=None, padding=(0, 2), header_style="dim")
        for heading in ("step", "Action", "", "by", "outcome"):
            table.add_column(heading)
        for step in course["steps"]:
            for action in step["actions"]:
                by = action["ended_by"]["id"] if action["ended_by"] else ""
                outcome = (action["method"] or action["status"]).replace("_", " ")
                table.add_row(step["title"], action["reference"], Text(action["title"]), by, outcome)
        self.console.print(Padding(table, (0, 2)))

    def contacts(self, ticket: dict[str, Any]) -> None:
        """Who is who on it."""
        tags: dict[str, list[str]] = {}
        for contact in ticket["contacts"]:
            name = f"{contact['first_name']} {contact['last_name']} <{contact['address']}>"
            tags.setdefault(name, []).append(contact["tag"].replace("_", " "))
        for name, held in tags.items():
            self.console.print(Text.assemble("    ", name, ("   " + ", ".join(held), "dim")))

    def timeline(self, entries: list[dict[str, Any]]) -> None:
        """All that happened to it."""
        table = Table(box=None, padding=(0, 2), header_style="dim")
        for heading in ("when", "who", "rule", "what"):
            table.add_column(heading)
        for entry in entries:
            table.add_row(entry["at"][11:19], entry["actor"]["id"], entry["rule"], Text(said(entry)))
        self.console.print(Padding(table, (0, 2)))


def said(entry: dict[str, Any]) -> str:
    """An entry of the timeline in a line: its type, and those of its fields that say more."""
    what = str(entry["type"]).removeprefix("ticket.").replace("_", " ")
    if entry["was"]:
        what = f"{entry['was']} → {entry['status']}"
    details = entry["details"]
    more = [entry[name] for name in ("wait", "method", "reason") if entry[name]]
    more += [
        details[name]
        for name in ("tag", "purpose", "outcome", "matched_by", "from_reference")
        if details.get(name)
    ]
    if entry["mail"]:
        more.append(f"“{entry['mail']['subject']}”")
    return f"{what}   {', '.join(map(str, more)).replace('_', ' ')}"
