"""Words of the ledger: what its leaves say of stays, unsealed."""

from typing import Any

from app.database.sealing import keys
from tests.country import Country


async def said(country: Country) -> list[dict[str, Any]]:
    """Return what every leaf about a stay says, in order."""
    async with country.owner.transaction() as tx:
        key = await keys.read(tx, keys.LEDGER)
    rows = await country.rows("SELECT index, sealed FROM openings ORDER BY index")
    return [key.unseal_json(row.sealed, row=str(row.index)) for row in rows]
