"""`make plans`: how PostgreSQL answers what is asked all the time, kept in docs/query-plans.md.

    python -m tests.bench.plans [--small 100000] [--large 1000000]

A database is seeded up to the small number of Tickets, and all questions are explained; then up to the large
one, with as many open as before, and again. Rows and pages depend on no machine.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.stack import Stack, StackOptions
from shared.postgres import make_pool, opened
from tests.bench.questions import asked, buffers, complaints, explain, rows
from tests.bench.report import documented
from tests.bench.seed import seed
from tests.support.databases import Database, build_template
from tests.support.office import ACME, Office
from tests.support.plans import Plan

PAGE = Path("docs/query-plans.md")
OPEN = 50_000
Plans = Mapping[str, list[Plan]]


async def compare(dsn: str, small: int, large: int) -> tuple[Plans, Plans]:
    """The plans of all questions among few Tickets and among many, in an empty database."""
    await build_template(dsn)
    own = Database(dsn).dsn_of("activity")
    async with opened(make_pool(own, schema="activity", application="plans")) as pool:
        await Office(pool).configure()
        first = await seed(own, ACME, small, min(OPEN, small // 2), say=typer.echo)
        about = await asked(pool, ACME, first.long[0])
        before = await explain(pool, about)
        await seed(own, ACME, large - small, 0, say=typer.echo)
        return before, await explain(pool, about, texts=True)


def written(page: str, small: Plans, large: Plans, numbers: tuple[int, int]) -> str:
    """The page with its table and plans of today."""
    few, many = (f"{number:,}".replace(",", " ") for number in numbers)
    table = [
        ("question", f"rows of {few}", f"of {many}", "times", f"pages of {few}", f"of {many}", "times"),
        *(
            (
                name,
                *_compared(rows(small[name]), rows(large[name])),
                *_compared(buffers(small[name]), buffers(large[name])),
            )
            for name in large
        ),
    ]
    head, _, _ = documented(page, {"growth": table}).partition("<!-- plans -->\n")
    told = [
        f"### {name}\n\n" + "\n\n".join(f"```\n{plan.text}\n```" for plan in plans) + "\n"
        for name, plans in large.items()
    ]
    return f"{head}<!-- plans -->\n\n" + "\n".join(told)


def _compared(few: float, many: float) -> tuple[str, str, str]:
    return f"{few:.0f}", f"{many:.0f}", f"{many / few:.2f}" if few else ""


async def _run(small: int, large: int) -> tuple[Plans, Plans]:
    with tempfile.TemporaryDirectory(prefix="mailroom-plans-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 — PostgreSQL runs as another user if we are root
        async with Stack(StackOptions(home=folder / "stack", services=(), durable=False)) as endpoints:
            return await compare(endpoints.postgres_dsn, small, large)


def main(
    small: Annotated[int, typer.Option(min=1000)] = 100_000,
    large: Annotated[int, typer.Option(min=2000)] = 1_000_000,
) -> None:
    """Write docs/query-plans.md; fails where something grows, or reads a large table from end to end."""
    before, after = asyncio.run(_run(small, large))
    PAGE.write_text(written(PAGE.read_text(), before, after, (small, large)))
    if found := complaints(before, after):
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
