"""Sums of households that came, counted at arrival: the monitor unseals no household.

A household counts once, when its stay begins. The sums are sealed with a key of the installation
and have no row for a household, so erasing a referral leaves them as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.allocation.shares.quarters import Quarter, quarter_of
from app.allocation.values import Need
from app.database.sealing import keys
from app.database.transaction import Transaction
from app.errors import Unreadable
from app.ledger.store import household_count_rows
from app.ledger.store.household_count_rows import CountKey
from app.reference import load
from app.referrals import referrals

HOUSEHOLDS, CHILDREN, MEN = "households", "children", "men"
WITH_CHILDREN, WITH_MEN = "with_children", "with_men"
OF_GROUP = "group."


@dataclass(frozen=True, slots=True)
class CountedArrival:
    """A household that began its stay: whose, when, and at which provider in which region."""

    referral_id: UUID
    at: datetime
    receiver_id: UUID
    receiving: str


async def count_household(tx: Transaction, came: CountedArrival) -> None:
    """Count a household in the transaction that begins its stay."""
    await add_counts(tx, {_key_of(came): await _counts(tx, came)})


async def uncount_household(tx: Transaction, came: CountedArrival) -> bool:
    """Take a household out of the sums again: its arrival was recorded by mistake.

    False, and nothing is done, once the quarter's figures were released and its sums deleted.
    """
    whose = _key_of(came)
    if whose not in await read_quarter(tx, quarter_of(load().country.day_of(came.at))):
        return False
    less = {name: -count for name, count in (await _counts(tx, came)).items()}
    await add_counts(tx, {whose: less})
    return True


async def count_in_another_quarter(
    tx: Transaction, came: CountedArrival, *, instead: CountedArrival
) -> None:
    """Count a household where it came on another day, if that is in another quarter."""
    if _key_of(came) != _key_of(instead) and await uncount_household(tx, came):
        await count_household(tx, instead)


async def _counts(tx: Transaction, came: CountedArrival) -> dict[str, int]:
    row = await referrals.read_sealed(tx, came.referral_id)
    if row is None or row.key is None:
        return {}  # It was erased: what it added to the sums stays there.
    reference = await tx.snapshots.reference(tx)
    try:
        content = referrals.unseal(tx, row).content
    except Unreadable:
        return {}  # No key opens it: an arrival is a fact all the same.
    return counts_of(referrals.need_of(content, reference))


def _key_of(came: CountedArrival) -> CountKey:
    quarter = quarter_of(load().country.day_of(came.at))
    return CountKey(quarter.first, came.receiver_id, came.receiving)


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
