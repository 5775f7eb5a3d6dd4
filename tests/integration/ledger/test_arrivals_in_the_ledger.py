"""An arrival that was taken back and made again.

Totals, openings and the tree agree.
"""

import datetime as dt
from pathlib import Path

import pytest

from app.allocation.shares.quarters import quarter_of
from app.commands.ledger import ledger_shares, verify
from app.database.transaction import WORKER
from app.ledger import checkpoints
from tests.casework import desk
from tests.country import HERE, THERE, Country
from tests.integration.demo.test_demo_past import exported
from tests.ledger_stays import local_today, seal, totals

DAY = dt.timedelta(days=1)


async def given(country: Country, quarter: str) -> list[int]:
    """Return the safety nights that Zwolle gave in a quarter, in each version of its totals."""
    return [
        said["regions"][THERE]["given_safety"]
        for _, _, said in await totals(country)
        if said["quarter"] == quarter
    ]


async def test_its_nights_are_in_the_totals_that_everybody_can_add_up(
    country: Country, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = await desk(country)
    placement = await where.arrived()
    path = f"/placements/{placement['id']}"
    quarter = quarter_of(local_today())
    await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"})
    await seal(country, on=quarter.after + 20 * DAY)
    assert await given(country, str(quarter)) == [0]

    await where.receiver.post(f"{path}/arrival", expect=200)
    later = quarter_of(quarter.after)
    await seal(country, on=later.after + 20 * DAY)

    assert await given(country, str(quarter)) == [0]
    assert await given(country, str(later)) == [(later.after - local_today()).days]
    for statement in (
        "ALTER TABLE openings DISABLE TRIGGER USER",
        "UPDATE openings SET opens_at = clock_timestamp()",
        "ALTER TABLE openings ENABLE TRIGGER USER",
    ):
        await country.rows(statement)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await checkpoints.sign_tree(tx)
    for region in (HERE, THERE):
        lines, note, key = await exported(country, tmp_path, region=region)
        verify.verify(lines, checkpoint=note, key=key)
        ledger_shares.check(
            lines, region=region, quarter=None, today=quarter_of(quarter.after).after + 200 * DAY
        )
    said = capsys.readouterr().out
    assert "WRONG" not in said
    assert "digit for digit" in said
