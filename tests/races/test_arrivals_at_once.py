"""An arrival after all and a safety check elsewhere at once: one of the two is true."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from app.database.transaction import Transaction
from app.models import Placement
from app.placing.store import placement_rows
from app.placing.store.placement_rows import PlacementRow
from tests.casework import Desk, desk
from tests.country import Country
from tests.rounds import rounds

pytestmark = pytest.mark.race

ROUNDS = rounds(8, soak=100)
STANDS = """
SELECT p.status, p.safety_checked_at IS NOT NULL AS checked, r.status AS referral,
       c.placement_id = p.id AS has_place,
       (SELECT count(*) FROM leaves AS l WHERE l.placement_id = p.id) AS leaves
FROM placements AS p JOIN referrals AS r ON r.id = p.referral_id
     JOIN claims AS c ON c.place_id = p.place_id
WHERE p.id = :id
"""


async def both(where: Desk, placement: dict[str, Any], *, arrival_first: bool) -> list[int]:
    """Let them arrive and be found safe elsewhere at once; return both statuses."""
    path = f"/placements/{placement['id']}"
    arrive = where.receiver.ask("POST", f"{path}/arrival")
    check = where.intake.ask("POST", f"{path}/no-show", json={"safetyChecked": True})
    answers = await asyncio.gather(*((arrive, check) if arrival_first else (check, arrive)))
    found = [answer.status_code for answer in answers]
    return found if arrival_first else found[::-1]


async def test_an_arrival_and_a_check_at_once_have_one_winner_and_one_truth(
    country: Country,
) -> None:
    where = await desk(country, places=ROUNDS)
    winners: set[str] = set()
    for round_ in range(ROUNDS):
        placement = await where.underway()
        await where.receiver.post(f"/placements/{placement['id']}/no-show", expect=200)
        statuses = await both(where, placement, arrival_first=bool(round_ % 2))
        (stands,) = await country.rows(STANDS, id=placement["id"])
        if statuses == [200, 409]:
            assert tuple(stands) == ("arrived", False, "placed", True, 1)
        else:
            assert statuses == [409, 200]
            assert tuple(stands) == ("no_show", True, "open", None, 0)
        winners.add(stands.status)
    assert winners <= {"arrived", "no_show"}


async def test_without_the_guards_they_arrive_in_a_place_that_is_free(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = await desk(country)
    placement = await where.underway()
    await where.receiver.post(f"/placements/{placement['id']}/no-show", expect=200)
    read, looked = placement_rows.read, asyncio.Barrier(2)

    async def unlocked(
        tx: Transaction, placement_id: UUID, *, provider_id: UUID, lock: bool = False
    ) -> PlacementRow | None:
        row = await read(tx, placement_id, provider_id=provider_id)
        if lock:
            await looked.wait()
        return row

    async def again(tx: Transaction, placement_id: UUID) -> bool:
        values = {"status": "underway", "no_show_at": None}
        return (
            await tx.run(update(Placement).where(Placement.id == placement_id).values(**values))
            == 1
        )

    async def unguarded(
        tx: Transaction, placement_id: UUID, *, expected: str, values: Mapping[str, Any]
    ) -> bool:
        assert expected in {"underway", "no_show"}
        return (
            await tx.run(update(Placement).where(Placement.id == placement_id).values(**values))
            == 1
        )

    monkeypatch.setattr(placement_rows, "read", unlocked)
    monkeypatch.setattr(placement_rows, "expect_again", again)
    monkeypatch.setattr(placement_rows, "change", unguarded)
    assert await both(where, placement, arrival_first=True) == [200, 200]
    (stands,) = await country.rows(STANDS, id=placement["id"])
    assert (stands.status, stands.checked, stands.has_place) == ("arrived", True, None)
