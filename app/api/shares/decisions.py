"""Decisions on the wire, for auditors: what was decided, by which order and factors, and that it was recorded so."""

import base64
from datetime import date

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.kit.pages import PageIn, moment_and_id
from app.api.kit.quarters import QuartersIn
from app.api.kit.wire import Out, parse, single
from app.api.ledger import LARGEST
from app.api.ranking.rankings import OwnRegionOut, PolicyOut, StandingOut, own_region_out, standing
from app.database.reference import Reference
from app.deps import Tx
from app.shares import decisions
from app.shares.decisions import Decision, DecisionCheck, DecisionRow, LeafInclusion

router = APIRouter(tags=["Decisions"])

CHECKED_AT_ONCE = 50
"""Rankings that one call makes again at most."""


class DecidedOut(Out):
    """Where a decision led, no finer than a region and a day."""

    placement_id: str
    leaf: int | None = Field(
        description="Index of the arrival's leaf; null where they stayed in their region."
    )
    day: date = Field(description="On which they arrived.")
    origin: str = Field(description="Region that they came from.")
    receiving: str
    kind: str
    reason: str
    rank: int = Field(description="Of the offer that was taken; 1 is the best.")
    override_reason: str | None = Field(description="Why not the first offer, as a code.")

    @classmethod
    def of(cls, row: DecisionRow) -> "DecidedOut":
        """Show where a decision led."""
        return cls(
            placement_id=str(row.placement_id),
            leaf=row.leaf,
            day=decisions.arrival_day(row),
            origin=row.origin,
            receiving=row.receiving,
            kind=row.kind,
            reason=row.reason,
            rank=row.rank,
            override_reason=row.override_reason,
        )


class DecisionsOut(Out):
    """A page of decisions, newest first."""

    items: list[DecidedOut]
    next_cursor: str | None


class IncludedOut(Out):
    """That the leaf is in the ledger's tree: as `/ledger/inclusion-proofs` has it."""

    size: int = Field(description="How many leaves the tree had, of the newest checkpoint.")
    hashes: list[str] = Field(description="In order, each 32 bytes as base64.")

    @classmethod
    def of(cls, included: LeafInclusion) -> "IncludedOut":
        """Show a proof."""
        hashes = [base64.b64encode(one).decode() for one in included.proof.hashes]
        return cls(size=included.size, hashes=hashes)


class DecisionOut(DecidedOut):
    """A decision, with the order that it was taken from; nothing about danger, and nothing about the household."""

    policy: PolicyOut
    identical: bool = Field(
        description="Whether its ranking, made again from what was recorded, is the recorded one."
    )
    offers: list[StandingOut] = Field(
        description="The order, with regions and the factors that count."
    )
    own_region: OwnRegionOut | None = Field(
        description="Where the reason is not safety: what there was at home."
    )
    inclusion: IncludedOut | None = Field(
        description="Null without a leaf, or until the tree has been signed with it."
    )

    @classmethod
    def shown(cls, decision: Decision, reference: Reference) -> "DecisionOut":
        """Show a decision."""
        ranked = decision.ranked
        return cls(
            **DecidedOut.of(decision.row).model_dump(),
            policy=PolicyOut(version=ranked.policy_version, hash=ranked.policy_hash),
            identical=decision.identical,
            offers=[standing(offer, reference) for offer in ranked.ranking.offers],
            own_region=own_region_out(decision.own_region, reference),
            inclusion=decision.included and IncludedOut.of(decision.included),
        )


class CheckedOut(DecidedOut):
    """Whether a household that left its region for want of room might have stayed there."""

    found: str = Field(
        description="nothing_free, as it must be; something_free; erased; not_replayed."
    )
    identical: bool | None = Field(
        description="Whether the ranking, made again, is the recorded one."
    )

    @classmethod
    def shown(cls, checked: DecisionCheck) -> "CheckedOut":
        """Show what a check found."""
        return cls(
            **DecidedOut.of(checked.row).model_dump(),
            found=checked.found,
            identical=checked.identical,
        )


class OwnRegionChecksOut(Out):
    """A page of checks; follow the cursor to have checked them all."""

    items: list[CheckedOut]
    next_cursor: str | None


@router.get(
    "/decisions",
    response_model=DecisionsOut,
    operation_id="listDecisions",
    summary="Decisions that concern the region",
)
async def listed(tx: Tx, page: PageIn) -> Response:
    """List the placements from the auditor's region, or to it: after they left, or after the policy's delay."""
    found = await decisions.list_decisions(tx, limit=page.limit + 1, after=moment_and_id(page))
    items, cursor = page.cut(found, place=place_of)
    return DecisionsOut(items=[DecidedOut.of(row) for row in items], next_cursor=cursor).reply()


@router.get(
    "/decisions/{id}",
    response_model=DecisionOut,
    operation_id="readDecision",
    summary="One decision, made again",
)
async def read(id: str, request: Request, tx: Tx) -> Response:
    """Read a decision by its placement, or by the index of a leaf of it: order, factors, replay, proof."""
    return single(await decided(id, tx), request)


@router.get(
    "/own-region-checks",
    response_model=OwnRegionChecksOut,
    operation_id="checkOwnRegionFirst",
    summary="Did anybody leave although there was room?",
)
async def check(tx: Tx, page: PageIn, quarters: QuartersIn) -> Response:
    """Make the rankings again by which households left their region, other than for safety, in whole quarters.

    Each says whether anything lawful was free at home; there must be none where something was.
    """
    limit = min(page.limit, CHECKED_AT_ONCE)
    after = moment_and_id(page)
    found = await decisions.check_decisions(tx, quarters, limit=limit, after=after)
    cursor = page.next_after(place_of(found[-1].row)) if len(found) == limit else None
    return OwnRegionChecksOut(
        items=[CheckedOut.shown(one) for one in found], next_cursor=cursor
    ).reply()


async def decided(
    named: str,
    tx: Tx,
) -> DecisionOut:
    """Return a decision by its placement, or by the index of a leaf of it."""
    leaf = _leaf(named)
    by_id = None if leaf is not None else parse(named)
    found = await decisions.read(
        tx, placement_id=by_id, leaf=decisions.NO_LEAF if leaf is None else leaf
    )
    return DecisionOut.shown(found, await tx.snapshots.reference(tx))


def place_of(row: DecisionRow) -> tuple[str, str]:
    """Return by what a list of decisions is ordered."""
    return row.arrived_at.isoformat(), str(row.placement_id)


def _leaf(text: str) -> int | None:
    """The index of a leaf that a string is; None where it is none."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST)):
        return None
    return int(text)
