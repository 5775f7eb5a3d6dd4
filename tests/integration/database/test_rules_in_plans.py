"""The part of a statement's plan that comes from the rules for rows."""

import pytest

from benchmarks.statements import Asked
from tests.api.calls import WORKING, World
from tests.country import Country

ON_BOTH = True

MOST_LINES = 300
"""Of a plan: most of them are the rules'."""


@pytest.mark.fresh
async def test_no_plan_has_the_rules_of_every_table_in_it(
    country: Country, asked: tuple[World, list[Asked]]
) -> None:
    _, noted = asked
    statements = {one.statement: one.values for one in noted}
    assert any("take_hold" in statement for statement in statements)
    plans: dict[str, int] = {}
    async with country.parts.database.transaction(
        await country.hashed(*WORKING, provider="linde")
    ) as tx:
        for statement, values in statements.items():
            plan = await tx.connection.fetch(f"EXPLAIN (COSTS OFF) {statement}", *values)
            plans[statement] = len(plan)
    assert {statement: lines for statement, lines in plans.items() if lines > MOST_LINES} == {}
