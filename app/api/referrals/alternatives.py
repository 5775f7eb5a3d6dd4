"""Alternatives on the wire: never where somebody is, and to the responsible provider nothing but reference and kind."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from app.api.kit import known
from app.api.kit.once import Once, OnceIn
from app.api.kit.pages import PageIn, moment_and_id
from app.api.kit.wire import Day, In, Out, parse, single
from app.database.transaction import Transaction
from app.deps import Tx, providers_known
from app.referrals import alternatives
from app.referrals.alternatives import AlternativeRequest, AlternativeRow, Capacity

router = APIRouter(tags=["Alternatives"])

MOST = 10_000


class AlternativeWanted(In):
    """What a household is to have until a place is found, and who answers for it."""

    kind: known.AlternativeKind
    responsible_provider_id: known.ProviderId
    until: Day | None = Field(
        default=None,
        description="The day on which they leave it. An emergency bed has the policy's nights at most.",
    )


class CheckWanted(In):
    """How they are."""

    outcome: known.CheckOutcome


class EndingWanted(In):
    """Why it ends."""

    reason: known.AlternativeEnding


class CapacityWanted(In):
    """How many households can be helped where they are at the same time."""

    capacity: Annotated[int, Field(strict=True, ge=0, le=MOST)]


class AlternativeOut(Out):
    """What a household has until a place is found."""

    id: str
    referral_id: str | None = Field(description="None for a provider that is only responsible.")
    reference: str = Field(description="The referral's code that can be spoken on the telephone.")
    kind: str
    provider_id: str = Field(description="Whose referral it is.")
    responsible_provider_id: str
    started_at: datetime
    until: date | None = Field(description="The day on which they leave it.")
    checked_at: datetime | None
    outcome: str | None = Field(description="How they were at the last check.")
    next_check_at: datetime
    overdue: bool = Field(
        description="Whether somebody should have looked after them by now, or the nights are over."
    )
    ended_at: datetime | None
    end_reason: str | None

    @classmethod
    def of(
        cls,
        row: AlternativeRow,
        tx: Transaction,
    ) -> "AlternativeOut":
        """Show an alternative."""
        return cls(
            id=str(row.id),
            referral_id=str(row.referral_id) if row.provider_id == tx.caller.provider_id else None,
            reference=row.reference,
            kind=row.kind,
            provider_id=str(row.provider_id),
            responsible_provider_id=str(row.responsible_id),
            started_at=row.started_at,
            until=row.until,
            checked_at=row.checked_at,
            outcome=row.outcome,
            next_check_at=row.next_check_at,
            overdue=alternatives.is_overdue(row, at=tx.at),
            ended_at=row.ended_at,
            end_reason=row.end_reason,
        )


class AlternativeList(Out):
    """A page of alternatives."""

    items: list[AlternativeOut]
    next_cursor: str | None


class CapacityOut(Out):
    """How many households the own provider can help where they are, and how many it does."""

    capacity: int
    in_use: int

    @classmethod
    def of(cls, capacity: Capacity) -> "CapacityOut":
        """Show a capacity."""
        return cls(capacity=capacity.capacity, in_use=capacity.in_use)


@router.post(
    "/referrals/{id}/alternatives",
    status_code=201,
    response_model=AlternativeOut,
    dependencies=[Depends(providers_known)],
    operation_id="beginAlternative",
    summary="Something until a place is found",
)
async def begin(id: str, wanted: AlternativeWanted, tx: Tx, once: OnceIn) -> Response:
    """Record what a household has until a place is found: which provider answers for it, never where it is.

    Both sides are told when somebody has to make sure that they are well. Help where they are takes
    up one of the trajectories that the responsible provider published; without one it is refused.
    It ends by itself when they arrive in a place, or when the referral is withdrawn.
    """
    asked = AlternativeRequest(wanted.kind, UUID(wanted.responsible_provider_id), wanted.until)
    row = await alternatives.begin_alternative(tx, parse(id), wanted=asked)
    reply = AlternativeOut.of(row, tx).reply(201, etag=True)
    return await once.keep(tx, reply, referral_id=row.referral_id)


@router.get(
    "/alternatives",
    response_model=AlternativeList,
    operation_id="listAlternatives",
    summary="Alternatives in use",
)
async def listed(tx: Tx, page: PageIn) -> Response:
    """List the alternatives in use of own referrals, and those for which the own provider is responsible.

    Whoever waits longest for a check comes first.
    """
    found = await alternatives.list_for(tx, limit=page.limit + 1, after=moment_and_id(page))
    items, cursor = page.cut(found, place=lambda row: (row.next_check_at.isoformat(), str(row.id)))
    shown = [AlternativeOut.of(row, tx) for row in items]
    return AlternativeList(items=shown, next_cursor=cursor).reply()


@router.get(
    "/alternatives/{id}",
    response_model=AlternativeOut,
    operation_id="readAlternative",
    summary="One alternative",
)
async def read(
    id: str,
    request: Request,
    tx: Tx,
) -> Response:
    """Read an alternative of an own referral, or one for which the own provider is responsible, ended or not."""
    return single(AlternativeOut.of(await alternatives.read(tx, parse(id)), tx), request)


@router.post(
    "/alternatives/{id}/checks",
    response_model=AlternativeOut,
    operation_id="checkAlternative",
    summary="Somebody looked after them",
)
async def check(id: str, wanted: CheckWanted, tx: Tx, once: OnceIn) -> Response:
    """Say how they are. Unless they are well the next check is due at once, and both sides are alarmed."""
    row = await alternatives.note_check(tx, parse(id), outcome=wanted.outcome)
    return await _kept(row, tx, once)


@router.post(
    "/alternatives/{id}/ending",
    response_model=AlternativeOut,
    operation_id="endAlternative",
    summary="It has ended",
)
async def end(id: str, wanted: EndingWanted, tx: Tx, once: OnceIn) -> Response:
    """End an alternative. Where the responsible provider does so, the household's own provider is alarmed."""
    row = await alternatives.end_alternative(tx, parse(id), reason=wanted.reason)
    return await _kept(row, tx, once)


async def _kept(row: AlternativeRow, tx: Transaction, once: Once) -> Response:
    # To a provider that is only responsible the answer names no referral, and a shield there is
    # none of its business.
    named = row.referral_id if row.provider_id == tx.caller.provider else None
    return await once.keep(tx, AlternativeOut.of(row, tx).reply(), referral_id=named)


@router.get(
    "/ambulatory-capacity",
    response_model=CapacityOut,
    operation_id="readAmbulatoryCapacity",
    summary="Own capacity of help where they are",
)
async def capacity(
    tx: Tx,
) -> Response:
    """Read how many households the own provider can help where they are, and how many it does."""
    return CapacityOut.of(await alternatives.capacity(tx)).reply()


@router.put(
    "/ambulatory-capacity",
    response_model=CapacityOut,
    operation_id="setAmbulatoryCapacity",
    summary="Publish the own capacity of help where they are",
)
async def set_capacity(
    wanted: CapacityWanted,
    tx: Tx,
) -> Response:
    """Say how many households the own provider can help where they are.

    What is published may be taken by every intake desk at once, without asking. Those who are
    helped already stay, also where they are more.
    """
    return CapacityOut.of(await alternatives.set_capacity(tx, capacity=wanted.capacity)).reply()
