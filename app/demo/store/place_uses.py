"""Places as a past has to leave them: how they are used today, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, update

from app.database.transaction import Transaction
from app.models import Claim


@dataclass(frozen=True, slots=True)
class UseRow:
    """How a place is used, and since when; no kind: it is free."""

    place_id: UUID
    group_id: UUID
    kind: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """Since when a place is used as it is, and by whom, if Plek placed them."""

    place_id: UUID
    since: datetime
    placement_id: UUID | None


_PLACE = bindparam("of_place", type_=Uuid())
_HERE = Claim.place_id == _PLACE
_SINCE = update(Claim).where(_HERE).values(since=bindparam("from_then"))
_LIVES = (
    update(Claim)
    .where(_HERE, Claim.kind == "occupied")
    .values(kind="placement", placement_id=bindparam("of_placement"), since=bindparam("from_then"))
)


async def places(tx: Transaction) -> list[UseRow]:
    """Return how every place is used, in an order that does not change."""
    wanted = select(Claim.place_id, Claim.group_id, Claim.kind, Claim.since).order_by(
        Claim.place_id
    )
    return [UseRow(*row) for row in await tx.rows(wanted)]


async def settle(tx: Transaction, settled: Sequence[Settled]) -> None:
    """Store which households occupy places, and since when other places are as they are."""
    lived_in = [one for one in settled if one.placement_id is not None]
    others = [one for one in settled if one.placement_id is None]
    if lived_in:
        await tx.run_each(
            _LIVES,
            [
                {"of_place": one.place_id, "of_placement": one.placement_id, "from_then": one.since}
                for one in lived_in
            ],
        )
    if others:
        await tx.run_each(
            _SINCE, [{"of_place": one.place_id, "from_then": one.since} for one in others]
        )
