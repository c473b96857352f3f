"""How PostgreSQL answers what a store asks: plans with what they really read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.postgres import Connection

FEW_ROWS = 500


@dataclass
class Plan:
    """One statement's plan, as EXPLAIN (ANALYZE, BUFFERS) tells it."""

    statement: str
    root: dict[str, Any]
    text: str = ""
    """As people read it, where that was asked for."""

    def nodes(self) -> Iterator[dict[str, Any]]:
        """All steps of the plan."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", ())

    @property
    def rows(self) -> float:
        """Rows that were read from tables and indexes, those thrown away included."""
        return sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in self.nodes()
            if "Scan" in node["Node Type"] and ("Relation Name" in node or "Index Name" in node)
        )

    @property
    def buffers(self) -> int:
        """Pages of 8 kB that were looked at, wherever they came from."""
        return int(self.root["Shared Hit Blocks"] + self.root["Shared Read Blocks"])

    @property
    def sequential(self) -> set[str]:
        """Tables that were read from end to end, but for such of a few pages, where nothing is cheaper."""
        return {
            node["Relation Name"]
            for node in self.nodes()
            if node["Node Type"] == "Seq Scan"
            and node["Actual Rows"] + node.get("Rows Removed by Filter", 0) > FEW_ROWS
        }


@dataclass
class Explained:
    """Stands in for a connection; what is fetched is explained as well."""

    connection: Connection
    texts: bool = False
    plans: list[Plan] = field(default_factory=list)

    async def fetch(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self.connection.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self.connection.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self.connection.fetchval(statement, *values)

    async def _explain(self, statement: str, values: tuple[Any, ...]) -> None:
        found = await self.connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}", *values
        )
        plan = Plan(statement, json.loads(found)[0]["Plan"])
        if self.texts:
            rows = await self.connection.fetch(
                f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF, SUMMARY OFF) {statement}", *values
            )
            plan.text = "\n".join(row[0] for row in rows)
        self.plans.append(plan)
