"""What the desk that asked for a ranking is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.allocation.ranking.fold import FoldedOffer, fold_offers
from app.allocation.ranking.left_out import FEW_OFFERS, LeftOut, Trade, left_out, trades
from app.allocation.ranking.missing_facts import MissingFact, missing_facts
from app.allocation.ranking.own_region import OwnRegion, own_region

if TYPE_CHECKING:
    from app.allocation.ranking.rank import RankingInputs
    from app.allocation.values import Ranking


@dataclass(frozen=True, slots=True)
class DeskView:
    """A ranking as a desk sees it: offers folded, all others in bands of places.

    `trades` only where there are few offers; `own_region` for those who do not flee.
    """

    offers: tuple[FoldedOffer, ...]
    left_out: tuple[LeftOut, ...]
    trades: tuple[Trade, ...]
    missing: tuple[MissingFact, ...]
    own_region: OwnRegion | None


def desk_view(inputs: RankingInputs, ranking: Ranking) -> DeskView:
    """Fold a ranking, count what it leaves out, and name what could open more."""
    case = inputs.case()
    offers = fold_offers(ranking, inputs.need, bands=inputs.policy.bands)
    found = left_out(case, inputs, ranking)
    return DeskView(
        offers=offers,
        left_out=found,
        trades=trades(case, inputs, ranking) if len(offers) < FEW_OFFERS else (),
        missing=missing_facts(inputs),
        own_region=own_region(inputs.need, offers, found),
    )
