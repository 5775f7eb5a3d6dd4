"""The safety of a site for the households there: checked again, compromised, safe again."""

from uuid import UUID

from app.database.transaction import Transaction
from app.placing import place_check
from app.placing.store import promises
from app.placing.store.promises import HouseholdAtSite
from app.placing.swaps import swap_course
from app.referrals import referrals
from app.seal import SealBroken

SITE_UNSAFE = "site_unsafe"
"""The reason for which a hold at a compromised site is declined."""


async def recheck_site(tx: Transaction, site_id: UUID) -> None:
    """Check again that everybody with a place at an own site is safe there.

    That includes households shielded from the caller: all that comes out is an alarm to their two
    providers.
    """
    for household in await promises.list_everybody_at(tx, site_id):
        unsafe = await _is_unsafe(tx, household)
        if household.hidden:
            # Nobody looked at this household: only those who may know of it hear the result.
            tx.looks.referral_ids.discard(household.id)
        if unsafe != household.unsafe:
            await promises.mark_safety_at(tx, site_id, household, unsafe=unsafe)


async def _is_unsafe(tx: Transaction, household: HouseholdAtSite) -> bool:
    """Whether a household is not safe where it is; so it counts if no key opens its danger."""
    try:
        content, _ = referrals.unseal_content(
            tx, household, key=household.key, sealed=household.sealed
        )
    except SealBroken:
        return True
    return bool((await place_check.check_place(tx, household.place_id, content)).unsafe)


async def compromise_site(tx: Transaction, site_id: UUID) -> None:
    """Decline the holds at a compromised own site, and alarm those who have households there.

    A household that lives there keeps its place until it has arrived at another.
    """
    await swap_course.end_proposed_at(tx, site_id)
    await promises.turn_away(tx, site_id, because=SITE_UNSAFE)
    await promises.alarm_site(tx, site_id)


async def clear_site(tx: Transaction, site_id: UUID) -> None:
    """Tell those who have households at an own site that it is safe again."""
    await promises.alarm_site(tx, site_id)
