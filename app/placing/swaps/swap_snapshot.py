"""The snapshot that a swap is searched for and checked with."""

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
from app.ranking.rankings import ReferralSituation


@dataclass(frozen=True, slots=True)
class SwapSnapshot:
    """The country, the register, and what the database knows, at one moment."""

    at: datetime
    reference: Reference
    register: RegisterSnapshot
    now: ReferralSituation

    def situation_of(
        self, need: Need, *, declined: frozenset[str], free: Mapping[str, int] | None = None
    ) -> Situation:
        """Return the situation of a household, with other free places than today's if given."""
        found = rankings.situation_of(
            self.now, need, at=self.at, reference=self.reference, snapshot=self.register
        )
        return replace(found, declined_sites=declined, free=found.free if free is None else free)

    def mover(
        self, referral_id: UUID, need: Need, *, group_id: UUID | None, declined: frozenset[str]
    ) -> Mover:
        """Return a household in the form that the search takes."""
        return Mover(
            referral_id=str(referral_id),
            need=need,
            situation=self.situation_of(need, declined=declined),
            group_id=None if group_id is None else str(group_id),
            school_children=school_children(need.household, policy=self.reference.policy),
        )


async def read_snapshot(tx: Transaction, referral_id: UUID) -> SwapSnapshot:
    """Return the snapshot of this moment, for a swap that a referral is to gain from."""
    return SwapSnapshot(
        tx.at,
        await tx.snapshots.reference(tx),
        await tx.snapshots.register(tx),
        await rankings.read_situation(tx, referral_id),
    )
