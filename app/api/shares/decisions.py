"""Decisions on the wire, for auditors: the order, the factors, and the proof of both."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AliasPath, BeforeValidator, Field

from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.quarters import QuartersIn
from app.api.kit.wire import Id, Out, parse_id, single
from app.api.ledger import LARGEST, Base64
from app.api.ranking.rankings import (
    OwnRegionOut,
    PolicyOut,
    StandingOut,
    own_region_out,
    standing_out,
)
from app.deps import Tx
from app.reference import load
from app.shares import decisions
from app.shares.decisions import DecisionRow

router = APIRouter(tags=["Decisions"])

CHECKED_AT_ONCE = 50
"""Rankings that one call makes again at most."""


def _local_day(arrived_at: datetime) -> date:
    return load().country.day_of(arrived_at)


class DecidedOut(Out):
    """Where a decision led, no finer than a region and a day."""

    placement_id: Id
    leaf: int | None = Field(
        description="Index of the arrival's leaf; null where they stayed in their region."
    )
    day: Annotated[date, BeforeValidator(_local_day)] = Field(
        validation_alias="arrived_at", description="On which they arrived."
    )
    origin: str = Field(description="Region that they came from.")
    receiving: str
    kind: str
    reason: str
    rank: int = Field(description="Of the offer that was taken; 1 is the best.")
    override_reason: str | None = Field(description="Why not the first offer, as a code.")


class DecisionsOut(Out):
    """A page of decisions, newest first."""

    items: list[DecidedOut]
    next_cursor: str | None


class IncludedOut(Out):
    """That the leaf is in the ledger's tree: as `/ledger/inclusion-proofs` has it."""

    size: int = Field(description="How many leaves the tree had, of the newest checkpoint.")
    hashes: list[Base64] = Field(
        validation_alias=AliasPath("proof", "hashes"),
        description="In order, each 32 bytes as base64.",
    )


class DecisionOut(
    DecidedOut,
    json_schema_extra={
        "description": "A decision, with the order that it was taken from; nothing about danger, "
        "and nothing about the household."
    },
):
    """A decision, with the order that it was taken from."""

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


class CheckedOut(DecidedOut):
    """Whether a household that left its region for want of room might have stayed there."""

    found: str = Field(
        description="nothing_free, as it must be; something_free; erased; not_replayed."
    )
    identical: bool | None = Field(
        description="Whether the ranking, made again, is the recorded one."
    )


class OwnRegionChecksOut(Out):
    """A page of checks; follow the cursor to have checked them all."""

    items: list[CheckedOut]
    next_cursor: str | None


@router.get(
    "/decisions",
    response_model=DecisionsOut,
    summary="Decisions that concern the region",
    description="List the placements from the auditor's region, or to it: after they left, or "
    "after the policy's delay.",
)
async def list_decisions(tx: Tx, page: ListIn) -> Response:
    """List the decisions that concern the auditor's region."""
    found = await decisions.list_decisions(tx, limit=page.limit, after=moment_and_id(page))
    return DecisionsOut.of(page.cut(found, place=place_of)).reply()


@router.get(
    "/decisions/{id}",
    response_model=DecisionOut,
    summary="One decision, made again",
    description="Read a decision by its placement, or by the index of a leaf of it: order, "
    "factors, replay, proof.",
)
async def read_decision(id: str, request: Request, tx: Tx) -> Response:
    """Read a decision, with its ranking made again."""
    return single(await show_decision(id, tx), request)


@router.get(
    "/own-region-checks",
    response_model=OwnRegionChecksOut,
    summary="Did anybody leave although there was room?",
    description="Make the rankings again by which households left their region, other than for "
    "safety, in whole quarters.\n\n"
    "Each says whether anything lawful was free at home; there must be none where something "
    "was.",
)
async def check_own_region_first(tx: Tx, page: ListIn, quarters: QuartersIn) -> Response:
    """Check the decisions to leave a region for want of room there."""
    limit = min(page.limit, CHECKED_AT_ONCE)
    after = moment_and_id(page)
    found = await decisions.check_decisions(tx, quarters, limit=limit, after=after)
    cursor = page.next_after(place_of(found[-1].row)) if len(found) == limit else None
    shown = [CheckedOut.of(one.row, found=one.found, identical=one.identical) for one in found]
    return OwnRegionChecksOut(items=shown, next_cursor=cursor).reply()


async def show_decision(
    named: str,
    tx: Tx,
) -> DecisionOut:
    """Return a decision by its placement, or by the index of a leaf of it."""
    leaf = _leaf(named)
    by_id = None if leaf is not None else parse_id(named)
    found = await decisions.read(
        tx, placement_id=by_id, leaf=decisions.NO_LEAF if leaf is None else leaf
    )
    ranked, reference = found.ranked, await tx.snapshots.reference(tx)
    return DecisionOut.of(
        found.row,
        policy=PolicyOut.of(ranked),
        identical=found.identical,
        offers=[standing_out(offer, reference) for offer in found.offers],
        own_region=own_region_out(found.own_region, reference),
        inclusion=found.included,
    )


def place_of(row: DecisionRow) -> tuple[str, str]:
    """Return the place of a decision in the order of a list."""
    return row.arrived_at.isoformat(), str(row.placement_id)


def _leaf(text: str) -> int | None:
    """Return the index of a leaf that a string is, or None."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST)):
        return None
    return int(text)
