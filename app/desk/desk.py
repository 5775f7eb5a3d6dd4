"""The intake desk: its caseload, and how far each of its referrals has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.database import access_log
from app.database.caller import GRANTED, REFUSED
from app.database.transaction import Transaction
from app.errors import Missing, TooOften
from app.placing import holds, placements
from app.placing.holds import HoldRow
from app.placing.placements import PlacementRow
from app.placing.swaps import proposals
from app.placing.swaps.proposals import LegRow, SwapView
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.referrals import referrals, waiting_list
from app.referrals.referrals import ReferralRow, UnsealedReferral
from app.referrals.waiting_list import WaitingNews, WaitingReferral

MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A household on its way."""

    placement: PlacementRow
    referral: ReferralRow


@dataclass(frozen=True, slots=True)
class Caseload:
    """A desk's waiting referrals in the policy's order, its live holds, and those under way."""

    waiting: tuple[WaitingReferral, ...]
    unreadable: tuple[ReferralRow, ...]
    """Those that wait and that no key opens."""
    held: tuple[HoldRow, ...]
    under_way: tuple[UnderWay, ...]


async def read_caseload(tx: Transaction) -> Caseload:
    """Return the caseload of the caller's desk, without what is shielded from the caller."""
    listed, unreadable = await waiting_list.list_for(tx, limit=MOST_WAITING, after=None)
    held = await holds.list_live_sent(tx)
    awaited = await placements.list_awaited_sent(tx)
    known = await _visible(tx, {row.referral_id for row in (*held, *awaited)})
    return Caseload(
        waiting=tuple(listed),
        unreadable=tuple(unreadable),
        held=tuple(row for row in held if row.referral_id in known),
        under_way=tuple(
            UnderWay(row, known[row.referral_id]) for row in awaited if row.referral_id in known
        ),
    )


async def _visible(tx: Transaction, ids: set[UUID]) -> Mapping[UUID, ReferralRow]:
    if not ids:
        return {}
    return {row.id: row for row in await referrals.list_sealed(tx, list(ids), own=True)}


@dataclass(frozen=True, slots=True)
class ReferralProgress:
    """How far a referral has come, with its seal closed."""

    case: ReferralRow
    hold: HoldRow | None
    """Its newest hold, live or over."""
    placement: PlacementRow | None
    """Its newest placement, whatever became of it."""
    swap_id: UUID | None
    legs: tuple[LegRow, ...]
    """The legs of its live swap that concern the desk's provider."""
    since: WaitingNews
    """What came free for it last."""


async def read_progress(tx: Transaction, referral_id: UUID) -> ReferralProgress:
    """Return how far one of the caller's referrals has come."""
    case = await referrals.read_sealed(tx, referral_id, own=True)
    if case is None:
        raise Missing
    swap_id, legs = await proposals.live_legs_of(tx, case.id)
    return ReferralProgress(
        case=case,
        hold=await holds.newest_of(tx, case.id),
        placement=await placements.newest_of(tx, case.id),
        swap_id=swap_id,
        legs=tuple(legs),
        since=(await waiting_list.read_news(tx, [case.id]))[case.id],
    )


@dataclass(frozen=True, slots=True)
class UnsealedProgress:
    """A referral with its seal open, how far it has come, and its live swap."""

    referral: UnsealedReferral
    progress: ReferralProgress
    swap: SwapView | None

    @property
    def hold(self) -> HoldRow | None:
        """Its newest hold, live or over."""
        return self.progress.hold

    @property
    def since(self) -> WaitingNews:
        """What came free for it last."""
        return self.progress.since

    @property
    def placement(self) -> PlacementRow | None:
        """Its newest placement, whatever became of it."""
        return self.progress.placement


async def unseal_progress(tx: Transaction, referral_id: UUID) -> UnsealedProgress:
    """Return one of the caller's referrals with its seal open, and how far it has come."""
    progress = await read_progress(tx, referral_id)
    swap = None if progress.swap_id is None else await proposals.read(tx, progress.swap_id)
    return UnsealedProgress(referrals.unseal(tx, progress.case), progress, swap)


async def log_live_view(tx: Transaction, referral_id: UUID | None = None) -> None:
    """Log that an open page has shown, by itself, changes to the referrals just looked at."""
    seen = tx.looks.referral_ids
    await access_log.add(tx, tx.caller.entry("follow", "referral", referral_id, referral_ids=seen))


async def rank_if_allowed(tx: Transaction, referral_id: UUID) -> RecordedRanking | None:
    """Rank the places for a referral within another act; None beyond the policy's limit.

    The access log has the ranking beside that act: an account that ranks again and again is asked
    why, however it did so.
    """
    try:
        async with tx.attempt():
            ranked = await rankings.rank_places(tx, referral_id)
    except TooOften:
        ranked = None
    entry = tx.caller.entry(
        "rank",
        "referral",
        referral_id,
        outcome=REFUSED if ranked is None else GRANTED,
        purpose=None if ranked is None else rankings.purpose_of(ranked),
        referral_ids=(referral_id,),
    )
    await access_log.add(tx, entry)
    return ranked
