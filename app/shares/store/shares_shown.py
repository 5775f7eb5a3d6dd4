"""How regions stand, as rankings see it."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import bindparam, select, update

from app.allocation.shares.steering import Standing
from app.database.transaction import Transaction
from app.models import Share


async def regions_not_shown(tx: Transaction, *, on: date) -> list[str]:
    """Return the regions that rankings do not see yet as they stand on a day."""
    stale = select(Share.region).where(Share.shown_on.is_distinct_from(on)).order_by(Share.region)
    return [row.region for row in await tx.rows(stale)]


async def show(tx: Transaction, standings: Mapping[str, Standing], *, on: date) -> None:
    """Let rankings see how regions stand on a day."""
    rows = [
        {
            "of": region,
            "given": standing.given,
            "quota": standing.quota,
            "deficit": standing.deficit,
            "on": on,
        }
        for region, standing in sorted(standings.items())
    ]
    statement = (
        update(Share)
        .where(Share.region == bindparam("of"))
        .values(
            given=bindparam("given"),
            quota=bindparam("quota"),
            deficit=bindparam("deficit"),
            shown_on=bindparam("on"),
        )
    )
    await tx.run_each(statement, rows)
