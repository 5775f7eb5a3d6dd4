"""Agreements to move, on the wire."""

from datetime import datetime

from fastapi import APIRouter, Request, Response

from app.api.kit.wire import Id, Out, parse_id, single
from app.deps import Tx
from app.placing import agreements

router = APIRouter(tags=["Swaps"])


class AgreementOut(Out):
    """That a household would move, and until when that counts."""

    placement_id: Id
    agreed_at: datetime
    lapses_at: datetime


@router.get(
    "/placements/{id}/move-agreement",
    response_model=AgreementOut,
    summary="Whether they would move",
)
async def read_move_agreement(
    id: str,
    request: Request,
    tx: Tx,
) -> Response:
    """Read that a household would move; one that was not asked, or would not, is not found."""
    return single(AgreementOut.of(await agreements.read_move_agreement(tx, parse_id(id))), request)


@router.put(
    "/placements/{id}/move-agreement",
    response_model=AgreementOut,
    summary="They would move",
    description="Note, where the household lives, that it would move if that brings a safe place "
    "free; it lapses by itself.",
)
async def agree_to_move(
    id: str,
    tx: Tx,
) -> Response:
    """Note, where the household lives, that it would move in a swap."""
    return AgreementOut.of(await agreements.agree_to_move(tx, parse_id(id))).reply(etag=True)


@router.delete(
    "/placements/{id}/move-agreement",
    status_code=204,
    summary="They would rather stay",
)
async def withdraw_move_agreement(
    id: str,
    tx: Tx,
) -> Response:
    """Forget that the household would move; nobody is told, and no reason is kept."""
    await agreements.withdraw_move_agreement(tx, parse_id(id))
    return Response(status_code=204)
