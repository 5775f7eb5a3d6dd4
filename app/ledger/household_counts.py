"""Sums of households that came, counted at arrival: the monitor unseals no household.

A household counts once, when its stay begins. The sums are sealed with a key of the installation
and have no row for a household, so erasing a referral leaves them as they are.
"""

from collections.abc import Mapping
from uuid import UUID

from app.allocation.shares.quarters import Quarter, quarter_of
from app.allocation.values import Need
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.ledger.store import household_count_rows
from app.ledger.store.household_count_rows import CountKey
from app.reference import load
from app.referrals import referrals

HOUSEHOLDS, CHILDREN, MEN = "households", "children", "men"
WITH_CHILDREN, WITH_MEN = "with_children", "with_men"
OF_GROUP = "group."


async def count_household(
    tx: Transaction, referral_id: UUID, *, receiver_id: UUID, receiving: str
) -> None:
    """Count a household in the transaction that begins its stay."""
    row = await referrals.read_sealed(tx, referral_id)
    assert row is not None  # noqa: S101 - a foreign key says so
    need = referrals.need_of(referrals.unseal(tx, row).content, await tx.snapshots.reference(tx))
    quarter = quarter_of(load().country.day_of(tx.at))
    await add_counts(tx, {CountKey(quarter.first, receiver_id, receiving): counts_of(need)})


async def add_counts(tx: Transaction, sums: Mapping[CountKey, Mapping[str, int]]) -> None:
    """Add to the sums of some quarters, providers and regions."""
    key = await keys.read(tx, keys.MONITOR)
    for counted, more in sums.items():
        await household_count_rows.add(tx, counted, more, key=key)


async def read_quarter(tx: Transaction, quarter: Quarter) -> dict[CountKey, dict[str, int]]:
    """Return all sums of a quarter, unsealed."""
    key = await keys.read(tx, keys.MONITOR)
    return await household_count_rows.of_quarter(tx, quarter.first, key=key)


def counts_of(need: Need) -> dict[str, int]:
    """Return what a household adds to the sums."""
    children = len(need.household.children)
    men = sum(adult.gender == "male" for adult in need.household.adults)
    return {
        HOUSEHOLDS: 1,
        CHILDREN: children,
        MEN: men,
        WITH_CHILDREN: min(children, 1),
        WITH_MEN: min(men, 1),
        **{f"{OF_GROUP}{group}": 1 for group in need.target_groups},
    }
