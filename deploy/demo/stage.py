"""What the audience of the demonstration sees."""

from collections.abc import Sequence
from email.message import EmailMessage
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

    def ticket(self, ticket: dict[str, Any]) -> None:
        """How the Ticket stands."""
        line = Text.assemble(
            ("    ", ""),
            (ticket["reference"], "bold green"),
            f"  {ticket['title']}",
            ("   status ", "dim"),
            (ticket["status"], "yellow"),
        )
        for holder in ("assignee", "owner", "queue"):
            if ticket[holder]:
                line.append(f"   {holder} ", "dim").append(ticket[holder])
        if ticket["new_information"]:
            line.append("   new information", "bold magenta")
        self.console.print(line)

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
