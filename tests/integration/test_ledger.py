"""The ledger's leaves as stays bring them about: how many, what is in them, and what they do to the shares."""

import base64
import hashlib
import json
from typing import Any

from app.allocation.canonical import canonical_json
from app.store import keys
from tests.casework import desk, fresh, wish
from tests.country import HERE, THERE, Country

ON_BOTH = True

LEFT = {"destination": "new_home"}
STAY = 1_000_000


async def openings(country: Country) -> list[dict[str, Any]]:
    """Return what every leaf says, in order."""
    async with country.owner.entered() as tx:
        key = await keys.read(tx, keys.LEDGER, keyring=country.parts.keyring)
        rows = await country.rows("SELECT index, sealed FROM openings ORDER BY index")
        return [key.unseal_json(row.sealed, row=str(row.index)) for row in rows]


async def test_a_cross_regional_stay_has_one_leaf_for_its_arrival_and_one_for_its_end(country: Country) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    left = await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    assert (arrived["ledgerLeaf"], left["ledgerLeaf"]) == (0, 1)
    rows = await country.rows("SELECT index, type, placement_id::text FROM leaves ORDER BY index")
    assert [tuple(row) for row in rows] == [(0, "arrival", arrived["id"]), (1, "departure", arrived["id"])]


async def test_a_stay_in_the_own_region_and_one_that_never_began_have_none(country: Country) -> None:
    where = await desk(country, places=2)
    missed = await where.underway()
    await where.intake.post(f"/placements/{missed['id']}/no-show", {"safetyChecked": True}, expect=200)
    near = await country.value("SELECT code FROM municipalities WHERE region = :r AND code <> :r LIMIT 1", r=THERE)
    hold = await where.receiver.post("/holds", await wish(where.receiver, originMunicipality=near), key=fresh())
    own = await where.receiver.post("/placements", {"holdId": hold["id"]}, key=fresh())
    arrival = await where.receiver.post(f"/placements/{own['id']}/arrival", expect=200)
    left = await where.receiver.post(f"/placements/{own['id']}/departure", LEFT, expect=200)
    assert (own["crossRegional"], arrival["ledgerLeaf"], left["ledgerLeaf"]) == (False, None, None)
    assert await country.value("SELECT count(*) FROM leaves") == 0
    assert await country.value("SELECT sum(given) + sum(quota) FROM shares") == 0


async def test_a_leaf_is_canonical_and_commits_to_its_opening_and_names_nobody(country: Country) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    contents = [bytes(row.content) for row in await country.rows("SELECT content FROM leaves ORDER BY index")]
    said = await openings(country)
    for index, (content, opening) in enumerate(zip(contents, said, strict=True)):
        leaf = json.loads(content)
        assert content == canonical_json(leaf)
        assert leaf.keys() == {"version", "index", "type", "commitment"}
        assert (leaf["index"], leaf["type"]) == (index, opening["type"])
        assert leaf["commitment"] == hashlib.sha256(canonical_json(opening)).hexdigest()
    assert said[0]["salt"] != said[1]["salt"]
    assert [opening["type"] for opening in said] == ["arrival", "departure"]


async def test_an_opening_says_what_happened_in_codes(country: Country) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    first, second = await openings(country)
    policy = await country.value("SELECT policy_hash FROM rankings LIMIT 1")
    told = {"origin": HERE, "receiving": THERE, "kind": "crisis", "reason": "safety", "persons": "2", "swap_id": None}
    for opening in (first, second):
        assert {name: opening[name] for name in told} == told
        assert opening["policy_hash"] == policy
        assert THERE in opening["lawful_regions"]
        assert HERE not in opening["lawful_regions"]
    assert first["lawful_regions"] == second["lawful_regions"] == sorted(first["lawful_regions"])
    day = await country.value("SELECT (arrived_at AT TIME ZONE 'Europe/Amsterdam')::date::text FROM placements")
    assert first["date"] == day


async def test_openings_are_sealed_and_come_to_the_auditors_of_both_regions_after_departure(country: Country) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    auditors = [await country.client("auditor", region=region) for region in (HERE, THERE)]
    for auditor in auditors:
        assert [entry["opening"] for entry in (await auditor.get("/ledger/entries"))["items"]] == [None]
    await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    for row in await country.rows("SELECT sealed FROM openings"):
        assert HERE.encode() not in bytes(row.sealed)
    said = await openings(country)
    for auditor in auditors:
        entries = (await auditor.get("/ledger/entries"))["items"]
        assert [entry["opening"] for entry in entries] == said
        for entry in entries:
            leaf = json.loads(base64.b64decode(entry["leaf"]))
            assert leaf["commitment"] == hashlib.sha256(canonical_json(entry["opening"])).hexdigest()


async def test_the_shares_move_by_exactly_one_stay_for_each_arrival(country: Country) -> None:
    where = await desk(country, places=3)
    total = "SELECT sum(given) AS given, sum(quota) AS quota FROM shares"
    arrived = {}
    for number in range(1, 4):
        arrived = await where.arrived()
        assert tuple((await country.rows(total))[0]) == (number * STAY, number * STAY)
    await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    assert tuple((await country.rows(total))[0]) == (3 * STAY, 3 * STAY)
    assert await country.value("SELECT given FROM shares WHERE region = :region", region=THERE) == 3 * STAY
    lawful = set((await openings(country))[0]["lawful_regions"])
    owing = {row.region for row in await country.rows("SELECT region FROM shares WHERE quota > 0")}
    assert owing <= lawful


async def test_a_capacity_stay_has_leaves_and_no_share(country: Country) -> None:
    where = await desk(country)
    arrived = await where.arrived(reason="capacity", dangerAssessment="none_known", dangerZones=[])
    assert arrived["ledgerLeaf"] == 0
    assert (await openings(country))[0]["reason"] == "capacity"
    assert await country.value("SELECT sum(given) + sum(quota) FROM shares") == 0
