"""Who comes, in sums: counted by the arrival itself, so that nobody has to open a household's seal for the monitor.

A household counts once, when its stay begins. What is added up is sealed with a key of the
installation's own; it has no row of anybody, so erasing a referral leaves it as it is.
"""

from datetime import date
from uuid import UUID

from app.allocation.shares.quarters import quarter_of
from app.allocation.values import Need
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.ledger.store import household_count_rows
from app.ledger.store.household_count_rows import CountKey
from app.reference import load
from app.referrals import referrals
from app.referrals.store import referral_rows

HOUSEHOLDS, CHILDREN, MEN = "households", "children", "men"
WITH_CHILDREN, WITH_MEN = "with_children", "with_men"
OF_GROUP = "group."


async def count_household(
    tx: Transaction,
    referral_id: UUID,
    *,
    receiver_id: UUID,
    receiving: str,
) -> None:
    """Count a household whose stay has just begun, in the transaction that says so."""
    row = await referral_rows.read(tx, referral_id)
    assert row is not None  # noqa: S101 - a foreign key says so
    need = referrals.need_of(referrals.unseal(tx, row).content, await tx.snapshots.reference(tx))
    whose = CountKey(quarter_of(today(tx)).first, receiver_id, receiving)
    key = await keys.read(tx, keys.MONITOR)
    await household_count_rows.add(tx, whose, counts_of(need), key=key)


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


def today(tx: Transaction) -> date:
    """Return the day that it is where the country is."""
    return load().country.day_of(tx.at)
