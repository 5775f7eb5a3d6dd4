"""Sealed sums of households: a row for each quarter, provider and region."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import and_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.database.transaction import Transaction
from app.models import HouseholdCount

if TYPE_CHECKING:
    from app.seal import DataKey

NOTHING = b"{}"


@dataclass(frozen=True, slots=True)
class CountKey:
    """The quarter by its first day, the provider and the region of some sums."""

    quarter: date
    provider_id: UUID
    region: str

    @property
    def row(self) -> str:
        """The row name that the seal of the sums is bound to."""
        return f"{self.quarter.isoformat()} {self.provider_id} {self.region}"


async def add(tx: Transaction, whose: CountKey, more: Mapping[str, int], *, key: "DataKey") -> None:
    """Add to some sums; others who add to them wait until this transaction ends."""
    new = insert(HouseholdCount).values(
        quarter=whose.quarter,
        provider_id=whose.provider_id,
        region=whose.region,
        sealed=key.seal(NOTHING, row=whose.row),
    )
    await tx.run(new.on_conflict_do_nothing())
    here = and_(
        HouseholdCount.quarter == whose.quarter,
        HouseholdCount.provider_id == whose.provider_id,
        HouseholdCount.region == whose.region,
    )
    row = (await tx.rows(select(HouseholdCount.sealed).where(here).with_for_update()))[0]
    sums: dict[str, int] = key.unseal_json(row.sealed, row=whose.row)
    for name, count in more.items():
        # What is known of a household may have changed since it was counted.
        sums[name] = max(0, sums.get(name, 0) + count)
    await tx.run(
        update(HouseholdCount).where(here).values(sealed=key.seal_json(sums, row=whose.row))
    )


async def of_quarter(
    tx: Transaction, quarter: date, *, key: "DataKey"
) -> dict[CountKey, dict[str, int]]:
    """Return all sums of a quarter, unsealed."""
    columns = (
        HouseholdCount.quarter,
        HouseholdCount.provider_id,
        HouseholdCount.region,
        HouseholdCount.sealed,
    )
    rows = await tx.rows(select(*columns).where(HouseholdCount.quarter == quarter))
    found = [(CountKey(row.quarter, row.provider_id, row.region), row.sealed) for row in rows]
    return {whose: key.unseal_json(sealed, row=whose.row) for whose, sealed in found}
