"""What an intake desk has in hand, and how far one of its referrals has come: for the pages that people work from."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.database import access_log, caller
from app.database.transaction import Transaction
from app.desk.store import desk
from app.errors import Missing, TooOften
from app.placing.store import swap_rows
from app.placing.store.hold_rows import HoldRow
from app.placing.store.placement_rows import PlacementRow
from app.placing.store.swap_rows import LegRow
from app.placing.swaps import proposals
from app.placing.swaps.proposals import SwapView
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.referrals import referrals, waiting
from app.referrals.referrals import UnsealedReferral
from app.referrals.store import referral_rows, waiting_rows
from app.referrals.store.referral_rows import ReferralRow
from app.referrals.store.waiting_rows import WaitingNews
from app.referrals.waiting import WaitingReferral

MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A household on its way."""

    placement: PlacementRow
    referral: ReferralRow


@dataclass(frozen=True, slots=True)
class Caseload:
    """What a desk has in hand: who waits in the policy's order, what is held, who is on the way."""

    waiting: tuple[WaitingReferral, ...]
    held: tuple[HoldRow, ...]
    under_way: tuple[UnderWay, ...]


async def read_caseload(
    tx: Transaction,
) -> Caseload:
    """Return what the caller's desk has in hand; what colleagues have shielded from the caller is not there."""
    listed = await waiting.list_for(tx, limit=MOST_WAITING, after=None)
    held = await desk.live_holds(tx, tx.caller.provider)
    placements = await desk.under_way(tx, tx.caller.provider)
    known = await _visible(tx, {row.referral_id for row in (*held, *placements)})
    return Caseload(
        waiting=tuple(listed),
        held=tuple(row for row in held if row.referral_id in known),
        under_way=tuple(
            UnderWay(row, known[row.referral_id]) for row in placements if row.referral_id in known
        ),
    )


async def _visible(tx: Transaction, ids: set[UUID]) -> Mapping[UUID, ReferralRow]:
    if not ids:
        return {}
    return {
        row.id: row
        for row in await referral_rows.read_several(tx, list(ids), provider_id=tx.caller.provider)
    }


@dataclass(frozen=True, slots=True)
class ReferralProgress:
    """How far a referral has come, with its seal closed: its newest hold and placement, and a live swap's own legs."""

    case: ReferralRow
    hold: HoldRow | None
    placement: PlacementRow | None
    swap_id: UUID | None
    legs: tuple[LegRow, ...]
    since: WaitingNews
    """What came free for it last, as a ranking of it has it."""


async def read_progress(tx: Transaction, referral_id: UUID) -> ReferralProgress:
    """Return how far one of the caller's referrals has come."""
    case = await referral_rows.read(tx, referral_id, provider_id=tx.caller.provider)
    if case is None:
        raise Missing
    swap_id = await swap_rows.live_of(tx, case.id)
    return ReferralProgress(
        case=case,
        hold=await desk.last_hold(tx, case.id, provider_id=tx.caller.provider),
        placement=await desk.last_placement(tx, case.id, provider_id=tx.caller.provider),
        swap_id=swap_id,
        legs=()
        if swap_id is None
        else tuple(await swap_rows.legs(tx, swap_id, provider_id=tx.caller.provider)),
        since=(await waiting_rows.read_news(tx, [case.id]))[case.id],
    )


@dataclass(frozen=True, slots=True)
class UnsealedProgress:
    """A referral with its seal open, how far it has come, and the swap that it is part of."""

    referral: UnsealedReferral
    standing: ReferralProgress
    swap: SwapView | None

    @property
    def hold(self) -> HoldRow | None:
        """Its newest hold, live or over."""
        return self.standing.hold

    @property
    def since(self) -> WaitingNews:
        """What came free for it last."""
        return self.standing.since

    @property
    def placement(self) -> PlacementRow | None:
        """Its newest placement, whatever became of it."""
        return self.standing.placement


async def unseal_progress(
    tx: Transaction,
    referral_id: UUID,
) -> UnsealedProgress:
    """Return one of the caller's referrals, and how far it has come."""
    stands = await read_progress(tx, referral_id)
    swap = None if stands.swap_id is None else await proposals.read(tx, stands.swap_id)
    return UnsealedProgress(referrals.unseal(tx, stands.case), stands, swap)


async def log_live_view(tx: Transaction, referral_id: UUID | None = None) -> None:
    """Write down that an open page showed by itself what had changed of the referrals that were looked at just now."""
    seen = tx.looks.referral_ids
    await access_log.add(tx, tx.caller.entry("follow", "referral", referral_id, referral_ids=seen))


async def rank_if_allowed(
    tx: Transaction,
    referral_id: UUID,
) -> RecordedRanking | None:
    """Rank the places for a referral as part of another act; None where the policy allows no more of that now.

    The access log has it as a ranking beside that act: whoever ranks again and again is asked why,
    however it was done.
    """
    try:
        async with tx.attempt():
            ranked = await rankings.rank_places(tx, referral_id)
    except TooOften:
        ranked = None
    outcome = caller.REFUSED if ranked is None else caller.GRANTED
    await access_log.add(
        tx,
        tx.caller.entry(
            "rank", "referral", referral_id, outcome=outcome, referral_ids=(referral_id,)
        ),
    )
    return ranked
