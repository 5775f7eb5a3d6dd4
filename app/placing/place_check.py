"""Check whether a household's place is still lawful and safe, by what is known now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.allocation.ranking.obstacles import SAFETY, still_against
from app.database import register
from app.database.transaction import Transaction
from app.errors import Conflict
from app.ranking import rankings
from app.referrals import referrals


@dataclass(frozen=True, slots=True)
class PlaceCheck:
    """The rules against a place for a household, its region, and if its site is compromised."""

    against: tuple[str, ...]
    region: str
    compromised: bool

    @property
    def unsafe(self) -> tuple[str, ...]:
        """The rules among them that are about danger."""
        return tuple(code for code in self.against if code in SAFETY)


async def check_place(
    tx: Transaction,
    place_id: UUID,
    content: Mapping[str, Any],
    *,
    capped_regions: frozenset[str] = frozenset(),
) -> PlaceCheck:
    """Check a place against what is known of a household; only the caps given count."""
    reference = await tx.snapshots.reference(tx)
    place = await register.place_standing(tx, place_id)
    need = referrals.need_of(content, reference)
    situation = rankings.lasting_situation(
        need,
        reference=reference,
        municipalities=(place.group.municipality,),
        at=tx.at,
        capped_regions=capped_regions,
    )
    against = still_against(need, place.group, situation, policy=reference.policy)
    return PlaceCheck(against, place.group.region, place.compromised)


def refuse_unsafe(now: PlaceCheck, *, site: str, danger: str, rules: tuple[str, ...]) -> None:
    """Refuse a place that a compromised site or a known danger forbids, each in its own words.

    `rules` are those to name if it is the danger.
    """
    if now.compromised:
        raise Conflict("no_longer_safe", site, rules=("admission",))
    if now.unsafe:
        raise Conflict("no_longer_safe", danger, rules=rules)
