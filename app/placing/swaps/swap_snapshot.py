"""The ground on which a swap is searched for and checked: households as they stand today, and how things are then."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.allocation.swaps.moves import Mover, school_children
from app.allocation.values import Need, Situation
from app.database.reference import Reference
from app.database.register import RegisterSnapshot
from app.database.transaction import Transaction
from app.ranking import rankings
from app.ranking.store import situation
from app.ranking.store.situation import ReferralSituation


@dataclass(frozen=True, slots=True)
class SwapSnapshot:
    """The country, the register, and how things stand at one moment."""

    at: datetime
    reference: Reference
    snapshot: RegisterSnapshot
    standing: ReferralSituation

    def situation(
        self, need: Need, *, declined: frozenset[str], free: Mapping[str, int] | None = None
    ) -> Situation:
        """Return how things stand for a household; `free` where other places are to count than those free now."""
        found = rankings.situation_of(
            self.standing, need, at=self.at, reference=self.reference, snapshot=self.snapshot
        )
        return replace(found, declined_sites=declined, free=found.free if free is None else free)

    def mover(
        self, referral_id: UUID, need: Need, *, group_id: UUID | None, declined: frozenset[str]
    ) -> Mover:
        """Return a household as the search looks at it."""
        return Mover(
            referral_id=str(referral_id),
            need=need,
            situation=self.situation(need, declined=declined),
            group_id=None if group_id is None else str(group_id),
            school_children=school_children(need.household, policy=self.reference.policy),
        )


async def read_snapshot(tx: Transaction, referral_id: UUID) -> SwapSnapshot:
    """Read how things stand now; `referral_id` is for whom it is asked."""
    reference = await tx.snapshots.reference(tx)
    standing = await situation.read(
        tx, referral_id, rankings_per_hour=reference.policy.rankings_per_hour
    )
    return SwapSnapshot(tx.at, reference, await tx.snapshots.register(tx), standing)
