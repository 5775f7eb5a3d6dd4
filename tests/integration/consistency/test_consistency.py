"""The daily check finds each way in which records can disagree, and tells administrators."""

from typing import Any
from uuid import UUID

import pytest
import structlog

from app.consistency import consistency
from app.consistency.consistency import Found
from app.consistency.store import discrepancy_rows
from app.database.transaction import WORKER
from tests.api.calls import WORKING
from tests.casework import Desk, desk, fresh, wish_for
from tests.country import HERE, Country, referral_body
from tests.web.visitor import visitor

LEFT = {"destination": "new_home"}
WRONG = {
    "claim_without_hold": """
        UPDATE holds SET status = 'released', resolved_at = clock_timestamp() WHERE id = :id
        RETURNING place_id""",
    "hold_without_claim": """
        UPDATE claims SET kind = NULL, hold_id = NULL, claimed_until = '-infinity'
        WHERE hold_id = :id RETURNING CAST(:id AS uuid)""",
    "claim_without_placement": """
        UPDATE placements SET status = 'cancelled' WHERE id = :id RETURNING place_id""",
    "placement_without_claim": """
        UPDATE claims SET kind = NULL, placement_id = NULL, claimed_until = '-infinity'
        WHERE placement_id = :id RETURNING CAST(:id AS uuid)""",
    "successor_without_placement": """
        UPDATE claims SET successor_id = (SELECT id FROM placements WHERE id <> :id LIMIT 1)
        WHERE placement_id = :id RETURNING place_id""",
    "arrival_missing": """
        UPDATE placements SET cross_regional = true WHERE id = :id RETURNING id""",
    "arrival_day": """
        UPDATE placements SET arrived_at = arrived_at - interval '2 days' WHERE id = :id
        RETURNING id""",
    "departure_day": """
        UPDATE placements SET departed_at = departed_at + interval '2 days' WHERE id = :id
        RETURNING id""",
    "departure_missing": """
        UPDATE placements SET status = 'ended', departed_at = arrived_at, destination = 'other'
        WHERE id = :id RETURNING id""",
    "departure_undue": """
        UPDATE placements SET status = 'arrived', departed_at = NULL WHERE id = :id RETURNING id""",
    "leaf_undue": """
        UPDATE placements SET cross_regional = false WHERE id = :id RETURNING id""",
    "leaf_unreadable": """
        UPDATE openings SET sealed = 'nothing' FROM leaves
        WHERE leaves.index = openings.index AND placement_id = :id RETURNING placement_id""",
    "stay_twice": """
        UPDATE placements SET stay_id = (SELECT stay_id FROM placements
                                         WHERE status = 'arrived' AND id <> :id LIMIT 1)
        WHERE id = :id RETURNING stay_id""",
    "stay_overlaps": """
        UPDATE placements SET departed_at = departed_at + interval '3 days'
        WHERE id = (SELECT previous_id FROM placements WHERE id = :id) RETURNING CAST(:id AS uuid)""",
}
"""How each is brought about by who owns the tables; what is returned is what it is about."""


class Scene:
    """A desk whose households are where they are; its rows are as they should be."""

    def __init__(self, country: Country, where: Desk) -> None:
        self.country, self.where = country, where

    async def held(self) -> str:
        return (await self.where.hold())["id"]

    async def underway(self) -> str:
        return (await self.where.underway())["id"]

    async def lives(self, **referral: Any) -> str:
        return (await self.where.arrived(**referral))["id"]

    async def left(self, placement_id: str) -> str:
        path = f"/placements/{placement_id}/departure"
        await self.where.receiver.post(path, LEFT, expect=200)
        return placement_id

    async def moved(self, placement_id: str) -> str:
        """Let a household go on to another place of the same shelter."""
        linde = self.where.receiver
        made = await linde.post("/referrals", referral_body(reason="follow_on"))
        held = await linde.post("/holds", await wish_for(linde, made["id"]), key=fresh())
        body = {"holdId": held["id"], "previousPlacementId": placement_id}
        coming = await linde.post("/placements", body, key=fresh())
        await linde.post(f"/placements/{coming['id']}/arrival", expect=200)
        return coming["id"]

    async def plant(self, code: str, id_: str) -> Found:
        (row,) = await self.country.rows(WRONG[code], id=UUID(id_))
        return code, row[0]

    async def place_of(self, placement_id: str) -> UUID:
        wanted = "SELECT place_id FROM placements WHERE id = :id"
        return await self.country.value(wanted, id=UUID(placement_id))

    async def subjects(self) -> dict[str, str]:
        """Return by what is to go wrong what it is to go wrong with, each in order so far."""
        return {
            "claim_without_hold": await self.held(),
            "hold_without_claim": await self.held(),
            "claim_without_placement": await self.underway(),
            "placement_without_claim": await self.lives(),
            "arrival_missing": await self.lives(
                originMunicipality="GM0193", dangerAssessment="none_known", dangerZones=[]
            ),
            "arrival_day": await self.lives(),
            "departure_day": await self.left(await self.lives()),
            "departure_missing": await self.lives(),
            "departure_undue": await self.left(await self.lives()),
            "leaf_undue": await self.lives(),
            "leaf_unreadable": await self.lives(),
            "stay_twice": await self.lives(),
            "stay_overlaps": await self.moved(await self.lives()),
            "successor_without_placement": await self.lives(),
        }

    async def check(self) -> set[Found]:
        """Do what the worker does once a day; return what it found anew."""
        async with self.country.parts.database.transaction(actor=WORKER) as tx:
            checked = await consistency.check_records(tx)
        assert not checked.more
        return set(checked.new)


@pytest.fixture
async def scene(country: Country) -> Scene:
    return Scene(country, await desk(country, places=20))


@pytest.mark.fresh
async def test_each_way_in_which_records_can_disagree_is_found_and_told_once(scene: Scene) -> None:
    country = scene.country
    at = await scene.subjects()
    assert at.keys() == WRONG.keys()
    assert await scene.check() == set()
    chief = await visitor(country, "administrator")
    assert "Nothing differs." in await chief.read("/records")

    await country.rows("DROP INDEX placements_stay_arrived_key")
    await country.rows("ALTER TABLE openings DISABLE TRIGGER USER")
    planted = {await scene.plant(code, id_) for code, id_ in at.items()}
    planted |= {
        ("placement_without_claim", UUID(at["departure_undue"])),
        ("claim_without_placement", await scene.place_of(at["departure_missing"])),
    }

    with structlog.testing.capture_logs() as logged:
        assert await scene.check() == planted
        assert await scene.check() == set()

    (said,) = (one for one in logged if one["event"] == "records_disagree")
    first = min(planted)
    assert (said["code"], said["subject"], said["new"]) == (first[0], str(first[1]), len(planted))
    mailed = "SELECT count(*) FROM mails WHERE subject = 'records_disagree'"
    assert await country.value(mailed) == 1
    page = await chief.read("/records")
    assert all(code in page and str(id_) in page for code, id_ in planted)
    outside = await country.client("administrator")
    measured = (await outside.ask("GET", "http://plek.test/metrics", expect=200)).text
    assert f"plek_discrepancies {float(len(planted))}" in measured

    for who in (country.hashed("auditor", region=HERE), country.hashed(*WORKING, provider="linde")):
        async with country.parts.database.transaction(await who) as tx:
            assert await discrepancy_rows.list_open(tx) == []

    await country.rows(
        "UPDATE placements SET arrived_at = arrived_at + interval '2 days' WHERE id = :id",
        id=UUID(at["arrival_day"]),
    )
    assert await scene.check() == set()
    gone = await country.rows("SELECT code FROM discrepancies WHERE gone_at IS NOT NULL")
    assert [row.code for row in gone] == ["arrival_day"]
    assert await scene.plant("arrival_day", at["arrival_day"]) in await scene.check()
