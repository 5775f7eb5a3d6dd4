"""The ground on which a swap is searched for and checked: households as they stand today, and how things are then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.allocation.moves import Mover
from app.allocation.values import Household, Need, Situation
from app.services import rankings
from app.store import situation
from app.store.database import Transaction
from app.store.reference import Reference
from app.store.register import RegisterSnapshot
from app.store.situation import Standing

SCHOOL_AGES = range(4, 18)
"""Years: when a child goes to school. One of unknown age is taken to."""
NOWHERE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Ground:
    """The country, the register, and how things stand at one moment."""

    at: datetime
    reference: Reference
    snapshot: RegisterSnapshot
    standing: Standing

    def situation(self, need: Need, *, declined: frozenset[str], free: Mapping[str, int] | None = None) -> Situation:
        """Return how things stand for a household; `free` where other places are to count than those free now."""
        municipalities = self.snapshot.register.municipalities
        near = self.reference.distances[need.near_municipality] if need.near_municipality else NOWHERE
        return Situation(
            as_of=self.at,
            free=self.standing.free if free is None else free,
            confirmed_hours=self.standing.confirmed_hours,
            clearances=rankings.clearances_of(need, reference=self.reference, municipalities=municipalities),
            near_km={site: near[site] for site in municipalities if site in near},
            deficits=self.standing.deficits,
            occupancy=self.standing.occupancy,
            capped_regions=frozenset(),
            declined_sites=declined,
        )

    def mover(self, referral_id: UUID, need: Need, *, group_id: UUID | None, declined: frozenset[str]) -> Mover:
        """Return a household as the search looks at it."""
        return Mover(
            referral_id=str(referral_id),
            need=need,
            situation=self.situation(need, declined=declined),
            group_id=None if group_id is None else str(group_id),
            school_children=school_children(need.household),
        )


async def ground(tx: Transaction, referral_id: UUID) -> Ground:
    """Read how things stand now; `referral_id` is for whom it is asked."""
    reference = await tx.snapshots.reference(tx)
    standing = await situation.read(tx, referral_id, rankings_per_hour=reference.policy.rankings_per_hour)
    return Ground(tx.at, reference, await tx.snapshots.register(tx), standing)


def school_children(household: Household) -> int:
    """Return how many children of a household go to school."""
    return sum(child.age is None or child.age in SCHOOL_AGES for child in household.children)
