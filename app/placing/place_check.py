"""Whether the place that a household has still does for it, by what is known of both now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.allocation.ranking.still_lawful import SAFETY, still_against
from app.database import register
from app.database.transaction import Transaction
from app.errors import Conflict
from app.ranking import rankings
from app.referrals import referrals


@dataclass(frozen=True, slots=True)
class PlaceCheck:
    """The codes of the rules in the way of a place, its region, and whether its site is compromised."""

    against: tuple[str, ...]
    region: str
    compromised: bool

    @property
    def unsafe(self) -> tuple[str, ...]:
        """Those of the rules that say where somebody would be in danger."""
        return tuple(code for code in self.against if code in SAFETY)


async def check_place(
    tx: Transaction,
    place_id: UUID,
    content: Mapping[str, Any],
    *,
    capped_regions: frozenset[str] = frozenset(),
) -> PlaceCheck:
    """Compare a place with what is known of a household; caps count only where those that are reached are given."""
    reference = await tx.snapshots.reference(tx)
    place = await register.standing(tx, place_id)
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
    """Refuse where the site, or what is known of the danger, forbids a place; each in words of its own.

    `rules` are named where it is the danger.
    """
    if now.compromised:
        raise Conflict("no_longer_safe", site, rules=("admission",))
    if now.unsafe:
        raise Conflict("no_longer_safe", danger, rules=rules)
