"""Agreements to move, on the wire."""

from datetime import datetime

from fastapi import APIRouter, Request, Response

from app.api.kit.wire import Out, parse, single
from app.deps import Tx
from app.placing import agreements
from app.placing.agreements import MoveAgreementRow

router = APIRouter(tags=["Swaps"])


class AgreementOut(Out):
    """That a household would move, and until when that counts."""

    placement_id: str
    agreed_at: datetime
    lapses_at: datetime

    @classmethod
    def of(cls, found: MoveAgreementRow) -> "AgreementOut":
        """Show an agreement."""
        return cls(
            placement_id=str(found.placement_id),
            agreed_at=found.agreed_at,
            lapses_at=found.lapses_at,
        )


@router.get(
    "/placements/{id}/move-agreement",
    response_model=AgreementOut,
    operation_id="readMoveAgreement",
    summary="Whether they would move",
)
async def read(
    id: str,
    request: Request,
    tx: Tx,
) -> Response:
    """Read that a household would move; nothing is here of one that was not asked, or would not."""
    return single(AgreementOut.of(await agreements.read_move_agreement(tx, parse(id))), request)


@router.put(
    "/placements/{id}/move-agreement",
    response_model=AgreementOut,
    operation_id="agreeToMove",
    summary="They would move",
)
async def agree(
    id: str,
    tx: Tx,
) -> Response:
    """Note, where the household lives, that it would move if that brings a safe place free; it lapses by itself."""
    return AgreementOut.of(await agreements.agree_to_move(tx, parse(id))).reply(etag=True)


@router.delete(
    "/placements/{id}/move-agreement",
    status_code=204,
    operation_id="withdrawMoveAgreement",
    summary="They would rather stay",
)
async def withdraw(
    id: str,
    tx: Tx,
) -> Response:
    """Forget that the household would move; nobody is told, and no reason is kept."""
    await agreements.withdraw_move_agreement(tx, parse(id))
    return Response(status_code=204)
