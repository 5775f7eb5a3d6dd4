"""A danger that becomes known during an acceptance.

No place stays accepted unalarmed.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from app.database.transaction import Transaction
from app.placing import holds
from app.placing.store.hold_rows import HoldRow
from tests.casework import Desk, desk, waiting
from tests.country import HERE, THERE, Client, Country, let_work
from tests.rounds import rounds

pytestmark = pytest.mark.race

ROUNDS = rounds(6, soak=60)
THREAT = {"dangerZones": [{"municipality": THERE, "radiusKm": 10, "cause": "family"}]}
MOVE = text("UPDATE sites SET municipality = :town RETURNING id")
YES = {"approve": True}
LOCK = text("SELECT id FROM referrals WHERE id = :id FOR UPDATE")
ALARMS = "SELECT count(*) FROM outbox WHERE kind = 'alarm' AND subject = :id"


async def both(
    where: Desk, second: Client, hold: Mapping[str, Any], *, moves: bool, first: int
) -> tuple[int, int]:
    """Accept while the danger becomes known or the site moves into it.

    Return both statuses.
    """
    path = f"/referrals/{hold['referralId']}"
    if moves:
        unsafe = second.ask("POST", f"/sites/{where.there.site_id}/approval", json=YES)
    else:
        tag = (await where.intake.ask("GET", path)).headers["ETag"]
        unsafe = where.intake.ask("PATCH", path, json=THREAT, headers={"If-Match": tag})
    accepted = where.receiver.ask("POST", f"/holds/{hold['id']}/acceptance", json={"by": "person"})
    turns = [accepted, unsafe] if first else [unsafe, accepted]
    answers = [answer.status_code for answer in await asyncio.gather(*turns)]
    return (answers[0], answers[1]) if first else (answers[1], answers[0])


@pytest.mark.parametrize("moves", [False, True], ids=["danger", "site"])
async def test_whatever_comes_first_nobody_is_accepted_into_danger_untold(
    country: Country, *, moves: bool
) -> None:
    where = await desk(country, places=ROUNDS)
    second = await country.client("coordinator", provider="linde")
    await let_work(country, HERE, THERE)
    site = f"/sites/{where.there.site_id}"
    for round_ in range(ROUNDS):
        hold = await where.hold()
        if moves:
            await where.receiver.patch(site, {"municipality": HERE})
        accepted, unsafe = await both(where, second, hold, moves=moves, first=round_ % 2)
        assert (accepted in {200, 409}, unsafe) == (True, 200)
        seen = await where.intake.get(f"/holds/{hold['id']}")
        assert seen["status"] == ("accepted" if accepted == 200 else "pending")
        assert seen["unsafeSince"] is not None
        assert await country.value(ALARMS, id=hold["id"]) == 1
        if moves:
            await where.receiver.patch(site, {"municipality": THERE})
            await second.post(f"{site}/approval", YES, expect=200)


async def test_an_acceptance_waits_for_what_is_becoming_known_and_is_refused(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without looking again it would be accepted."""
    where = await desk(country, places=2)
    for looks in (True, False):
        hold = await where.hold()
        if not looks:
            monkeypatch.setattr(holds, "_check_safe", _nothing)
        async with country.owner.transaction() as tx:
            await _lock(tx, hold)
            late = asyncio.create_task(
                where.receiver.ask("POST", f"/holds/{hold['id']}/acceptance", json={"by": "person"})
            )
            await waiting(country)
            await tx.rows(MOVE, {"town": HERE})
        assert (await late).status_code == (409 if looks else 200)
        await country.rows(MOVE.text, town=THERE)


async def _nothing(_tx: Transaction, _row: HoldRow, **_more: object) -> None:
    """Look at nothing again."""


async def _lock(tx: Transaction, hold: Mapping[str, Any]) -> None:
    await tx.rows(LOCK, {"id": hold["referralId"]})
