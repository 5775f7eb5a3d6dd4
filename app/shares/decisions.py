"""Decisions for an auditor: rankings made again, without danger zones or the household."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.allocation.ranking.desk_view import desk_view
from app.allocation.ranking.fold import FoldedOffer
from app.allocation.ranking.own_region import OwnRegion, has_room_at_home, hide_household_rules
from app.allocation.ranking.versions import UnknownRules
from app.allocation.shares.quarters import Quarter
from app.allocation.values import Register
from app.database.transaction import Transaction
from app.errors import Erased, Forbidden, Missing
from app.ledger import checkpoints
from app.ranking import rankings
from app.ranking.rankings import RecordedRanking
from app.reference import load
from app.shares.quarter_figures import span_of
from app.shares.store import decision_rows
from app.shares.store.decision_rows import AuditScope, DecisionRow

NOTHING_FREE, SOMETHING_FREE, ERASED, NOT_REPLAYED = (
    "nothing_free",
    "something_free",
    "erased",
    "not_replayed",
)
"""The findings of a check: whether a lawful place was free at home, or why it is unknown."""
NO_LEAF = -1


@dataclass(frozen=True, slots=True)
class LeafInclusion:
    """The proof that a leaf is in a tree whose checkpoint is signed, with the tree's size."""

    size: int
    proof: checkpoints.MerkleProof


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with its ranking made again; `identical` if that gives what was recorded."""

    row: DecisionRow
    day: date
    """The local day of the arrival."""
    ranked: RecordedRanking
    offers: tuple[FoldedOffer, ...]
    """As the desk was shown them."""
    identical: bool
    own_region: OwnRegion | None
    included: LeafInclusion | None
    """None if it has no leaf, or if no tree with that leaf has been signed yet."""


@dataclass(frozen=True, slots=True)
class DecisionCheck:
    """Whether a household that left its region, and not for safety, could have stayed there."""

    row: DecisionRow
    day: date
    found: str
    identical: bool | None


def arrival_day(row: DecisionRow) -> date:
    """Return the local day of the arrival."""
    return load().country.day_of(row.arrived_at)


async def list_decisions(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[DecisionRow]:
    """Return the decisions that concern the auditor's region and may be opened, newest first.

    One more, not to be shown, says that there are more. Each that is shown stands in its
    household's list of accesses.
    """
    rows = await decision_rows.list_decisions(
        tx, await _audit_scope(tx), limit=limit + 1, after=after
    )
    tx.looks.referral_ids.update(row.referral_id for row in rows[:limit])
    return rows


async def count_overrides(tx: Transaction, *, most: int) -> tuple[int, Counter[str]]:
    """Return how many decisions there are, at most `most`, and which took another offer.

    The latter by the reason for it.
    """
    rows = await decision_rows.list_decisions(tx, await _audit_scope(tx), limit=most, after=None)
    return len(rows), Counter(row.override_reason for row in rows if row.override_reason)


async def read(tx: Transaction, *, placement_id: UUID | None, leaf: int = NO_LEAF) -> Decision:
    """Return a decision with its ranking made again, by its placement or by one of its leaves.

    Raises Missing for an unknown decision, for one of other regions, and for one that may not be
    opened yet, without telling which. Raises Erased if the household's content has been destroyed,
    so that the ranking cannot be made again.
    """
    row = await decision_rows.find_decision(
        tx, await _audit_scope(tx), placement_id=placement_id, leaf=leaf
    )
    if row is None:
        raise Missing
    recorded = await rankings.read_sealed(tx, row.ranking_id)
    assert recorded is not None  # noqa: S101 - a foreign key says so
    ranked = await rankings.recompute_ranking(tx, *recorded)
    view = desk_view(ranked.inputs, ranked.ranking)
    return Decision(
        row,
        arrival_day(row),
        ranked,
        view.offers,
        identical=rankings.is_identical(recorded[0], ranked),
        own_region=view.own_region and hide_household_rules(view.own_region),
        included=None if row.leaf is None else await _inclusion(tx, row.leaf),
    )


async def check_decisions(
    tx: Transaction, quarters: Sequence[Quarter], *, limit: int, after: tuple[datetime, UUID] | None
) -> list[DecisionCheck]:
    """Check households that left their region other than for safety: was a lawful place free?

    At most `limit` rankings are made again, each from what was recorded at that moment. A lawful
    place at home must never be found.
    """
    within = (span_of(quarters[0]).begins, span_of(quarters[-1]).ends)
    rows = await decision_rows.list_left_region(
        tx, await _audit_scope(tx), within, limit=limit, after=after
    )
    kept: dict[str, Register] = {}
    return [await _check(tx, row, kept=kept) for row in rows]


async def _check(tx: Transaction, row: DecisionRow, *, kept: dict[str, Register]) -> DecisionCheck:
    recorded = await rankings.read_sealed(tx, row.ranking_id)
    assert recorded is not None  # noqa: S101 - a foreign key says so
    try:
        ranked = await rankings.recompute_ranking(tx, *recorded, kept=kept)
    except Erased:
        return DecisionCheck(row, arrival_day(row), ERASED, None)
    except UnknownRules:
        return DecisionCheck(row, arrival_day(row), NOT_REPLAYED, None)
    has_room = has_room_at_home(ranked.need, ranked.ranking)
    found = SOMETHING_FREE if has_room else NOTHING_FREE
    return DecisionCheck(row, arrival_day(row), found, rankings.is_identical(recorded[0], ranked))


async def _inclusion(tx: Transaction, leaf: int) -> LeafInclusion | None:
    newest = await checkpoints.newest(tx)
    if newest is None or newest.size <= leaf:
        return None
    return LeafInclusion(
        newest.size, await checkpoints.prove_inclusion(tx, leaf=leaf, size=newest.size)
    )


async def _audit_scope(tx: Transaction) -> AuditScope:
    if tx.caller.region is None:
        raise Forbidden
    return AuditScope(
        tx.caller.region, (await tx.snapshots.reference(tx)).policy.opening_delay_days
    )
