"""Alternatives on the wire: never where a household is.

The responsible provider is told the reference and the kind, and nothing else.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from app.api.kit import known_codes
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.once import IdempotentCall, OnceIn
from app.api.kit.wire import Day, Id, In, Out, parse_id, single
from app.database.transaction import Transaction
from app.deps import Tx, providers_known
from app.referrals import alternatives
from app.referrals.alternatives import AlternativeRequest, AlternativeRow

router = APIRouter(tags=["Alternatives"])

MOST = 10_000


class AlternativeWanted(In):
    """What a household is to have until a place is found, and who answers for it."""

    kind: known_codes.AlternativeKind
    responsible_provider_id: known_codes.ProviderId
    until: Day | None = Field(
        default=None,
        description="The day on which they leave it. An emergency bed has the policy's nights at "
        "most.",
    )


class CheckWanted(In):
    """How they are."""

    outcome: known_codes.CheckOutcome


class EndingWanted(In):
    """Why it ends."""

    reason: known_codes.AlternativeEnding


class CapacityWanted(In):
    """How many households can be helped where they are at the same time."""

    capacity: Annotated[int, Field(strict=True, ge=0, le=MOST)]


class AlternativeOut(Out):
    """What a household has until a place is found."""

    id: Id
    referral_id: Id | None = Field(description="None for a provider that is only responsible.")
    reference: str = Field(description="The referral's code that can be spoken on the telephone.")
    kind: str
    provider_id: Id = Field(description="Whose referral it is.")
    responsible_provider_id: Id = Field(validation_alias="responsible_id")
    started_at: datetime
    until: date | None = Field(description="The day on which they leave it.")
    checked_at: datetime | None
    outcome: str | None = Field(description="How they were at the last check.")
    next_check_at: datetime
    overdue: bool = Field(description="Whether a check on them is overdue, or the nights are over.")
    ended_at: datetime | None
    end_reason: str | None


def alternative_out(row: AlternativeRow, tx: Transaction) -> AlternativeOut:
    """Show an alternative as one of its two providers may see it."""
    is_own = row.provider_id == tx.caller.provider_id
    return AlternativeOut.of(
        row,
        referral_id=row.referral_id if is_own else None,
        overdue=row.ended_at is None and alternatives.is_overdue(row, at=tx.at),
    )


class AlternativeList(Out):
    """A page of alternatives."""

    items: list[AlternativeOut]
    next_cursor: str | None


class CapacityOut(Out):
    """How many households the own provider can help where they are, and how many it does."""

    capacity: int
    in_use: int


@router.post(
    "/referrals/{id}/alternatives",
    status_code=201,
    response_model=AlternativeOut,
    dependencies=[Depends(providers_known)],
    summary="Something until a place is found",
    description="Record what a household has until a place is found: which provider answers for "
    "it, never where it is.\n\n"
    "Both sides are told when it is time to make sure that they are well. Help where they "
    "are takes\n"
    "up one of the trajectories that the responsible provider published; without one it is "
    "refused.\n"
    "It ends by itself when they arrive in a place, or when the referral is withdrawn.",
)
async def begin_alternative(id: str, wanted: AlternativeWanted, tx: Tx, once: OnceIn) -> Response:
    """Record what a household has until a place is found."""
    asked = AlternativeRequest(wanted.kind, UUID(wanted.responsible_provider_id), wanted.until)
    row = await alternatives.begin_alternative(tx, parse_id(id), wanted=asked)
    reply = alternative_out(row, tx).reply(201, etag=True)
    return await once.keep(tx, reply, referral_id=row.referral_id)


@router.get(
    "/alternatives",
    response_model=AlternativeList,
    summary="Alternatives in use",
    description="List the alternatives in use of own referrals, and those for which the own "
    "provider is responsible.\n\n"
    "The household that waits longest for a check comes first.",
)
async def list_alternatives(tx: Tx, page: ListIn) -> Response:
    """List the alternatives in use that concern the own provider."""
    found = await alternatives.list_for(tx, limit=page.limit + 1, after=moment_and_id(page))
    items, cursor = page.cut(found, place=lambda row: (row.next_check_at.isoformat(), str(row.id)))
    shown = [alternative_out(row, tx) for row in items]
    return AlternativeList(items=shown, next_cursor=cursor).reply()


@router.get(
    "/alternatives/{id}",
    response_model=AlternativeOut,
    summary="One alternative",
    description="Read an alternative of an own referral, or one for which the own provider is "
    "responsible, ended or not.",
)
async def read_alternative(
    id: str,
    request: Request,
    tx: Tx,
) -> Response:
    """Read an alternative that concerns the own provider, ended or not."""
    return single(alternative_out(await alternatives.read(tx, parse_id(id)), tx), request)


@router.post(
    "/alternatives/{id}/checks",
    response_model=AlternativeOut,
    summary="A check on them",
    description="Say how they are. Unless they are well the next check is due at once, and both "
    "sides are alarmed.",
)
async def check_alternative(id: str, wanted: CheckWanted, tx: Tx, once: OnceIn) -> Response:
    """Note how a household in an alternative is."""
    row = await alternatives.note_check(tx, parse_id(id), outcome=wanted.outcome)
    return await _keep_answer(row, tx, once)


@router.post(
    "/alternatives/{id}/ending",
    response_model=AlternativeOut,
    summary="It has ended",
    description="End an alternative. Where the responsible provider does so, the household's own "
    "provider is alarmed.",
)
async def end_alternative(id: str, wanted: EndingWanted, tx: Tx, once: OnceIn) -> Response:
    """End an alternative."""
    row = await alternatives.end_alternative(tx, parse_id(id), reason=wanted.reason)
    return await _keep_answer(row, tx, once)


async def _keep_answer(row: AlternativeRow, tx: Transaction, once: IdempotentCall) -> Response:
    # To a provider that is only responsible the answer names no referral, and a shield there is
    # none of its business.
    named = row.referral_id if row.provider_id == tx.caller.provider else None
    return await once.keep(tx, alternative_out(row, tx).reply(), referral_id=named)


@router.get(
    "/ambulatory-capacity",
    response_model=CapacityOut,
    summary="Own capacity of help where they are",
)
async def read_ambulatory_capacity(
    tx: Tx,
) -> Response:
    """Read how many households the own provider can help where they are, and how many it does."""
    return CapacityOut.of(await alternatives.capacity(tx)).reply()


@router.put(
    "/ambulatory-capacity",
    response_model=CapacityOut,
    summary="Publish the own capacity of help where they are",
)
async def set_ambulatory_capacity(
    wanted: CapacityWanted,
    tx: Tx,
) -> Response:
    """Say how many households the own provider can help where they are.

    What is published may be taken by every intake desk at once, without asking. Those who are
    helped already stay, also where they are more.
    """
    return CapacityOut.of(await alternatives.set_capacity(tx, capacity=wanted.capacity)).reply()
