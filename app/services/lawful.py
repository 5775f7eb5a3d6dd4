"""Whether the place that a household has still does for it, by what is known of both now."""

from dataclasses import dataclass
from uuid import UUID

from app.allocation.standing import still_against
from app.services import rankings, referrals
from app.services.referrals import Referral
from app.store import caps, register
from app.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Standing:
    """The codes of the rules in the way of a place, its region, and whether its site is compromised."""

    against: tuple[str, ...]
    region: str
    compromised: bool


async def standing(tx: Transaction, place_id: UUID, referral: Referral) -> Standing:
    """Compare a place with a household."""
    reference = await tx.snapshots.reference(tx)
    place = await register.standing(tx, place_id)
    need = referrals.need_of(referral.content, reference)
    clearances = rankings.clearances_of(need, reference=reference, municipalities=(place.group.municipality,))
    against = still_against(
        need,
        place.group,
        as_of=tx.at,
        clearances=clearances,
        policy=reference.policy,
        capped_regions=await caps.reached(tx, besides=referral.id),
    )
    return Standing(against, place.group.region, place.compromised)
