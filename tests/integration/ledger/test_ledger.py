"""The ledger's leaves that stays cause: how many there are, and what they contain."""

import base64
import hashlib
import json
from typing import Any

import pytest
from asyncpg import PostgresError

from app.allocation.ledger.leaves import CLEAR_TYPES
from app.allocation.policy.documents import canonical_json
from app.database.sealing import keys
from app.database.transaction import WORKER
from app.ledger import ledger
from tests.casework import day_from_now, desk, fresh, pass_days, wish
from tests.country import FIRST_LEAF, HERE, THERE, Country

ON_BOTH = True

LEFT = {"destination": "new_home"}


async def openings(country: Country) -> list[dict[str, Any]]:
    """Return what every leaf says, in order."""
    async with country.owner.transaction() as tx:
        key = await keys.read(tx, keys.LEDGER)
        rows = await country.rows("SELECT index, sealed FROM openings ORDER BY index")
        return [key.unseal_json(row.sealed, row=str(row.index)) for row in rows]


async def test_a_cross_regional_stay_has_one_leaf_for_its_arrival_and_one_for_its_end(
    country: Country,
) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    left = await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    assert (arrived["ledgerLeaf"], left["ledgerLeaf"]) == (FIRST_LEAF, FIRST_LEAF + 1)
    rows = await country.rows(
        "SELECT index, type, placement_id::text FROM leaves WHERE index >= 2 ORDER BY index"
    )
    assert [tuple(row) for row in rows] == [
        (FIRST_LEAF, "arrival", arrived["id"]),
        (FIRST_LEAF + 1, "departure", arrived["id"]),
    ]


async def test_a_stay_in_the_own_region_and_one_that_never_began_have_none(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    missed = await where.underway()
    await where.intake.post(
        f"/placements/{missed['id']}/no-show", {"safetyChecked": True}, expect=200
    )
    near = await country.value(
        "SELECT code FROM municipalities WHERE region = :r AND code <> :r LIMIT 1", r=THERE
    )
    hold = await where.receiver.post(
        "/holds", await wish(where.receiver, originMunicipality=near), key=fresh()
    )
    own = await where.receiver.post("/placements", {"holdId": hold["id"]}, key=fresh())
    arrival = await where.receiver.post(f"/placements/{own['id']}/arrival", expect=200)
    left = await where.receiver.post(f"/placements/{own['id']}/departure", LEFT, expect=200)
    assert (own["crossRegional"], arrival["ledgerLeaf"], left["ledgerLeaf"]) == (False, None, None)
    assert await country.value("SELECT count(*) FROM openings") == 0


async def test_a_leaf_is_canonical_and_commits_to_its_opening_and_names_nobody(
    country: Country,
) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    contents = [
        bytes(row.content)
        for row in await country.rows("SELECT content FROM leaves WHERE index >= 2 ORDER BY index")
    ]
    said = await openings(country)
    for index, (content, opening) in enumerate(zip(contents, said, strict=True), FIRST_LEAF):
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
    told = {
        "origin": HERE,
        "receiving": THERE,
        "kind": "crisis",
        "reason": "safety",
        "persons": "2",
        "swap_id": None,
    }
    for opening in (first, second):
        assert {name: opening[name] for name in told} == told
        assert opening["policy_hash"] == policy
        assert THERE in opening["lawful_regions"]
        assert HERE not in opening["lawful_regions"]
    assert first["lawful_regions"] == second["lawful_regions"] == sorted(first["lawful_regions"])
    day = await country.value(
        "SELECT (arrived_at AT TIME ZONE 'Europe/Amsterdam')::date::text FROM placements"
    )
    assert first["date"] == day


async def test_openings_are_sealed_and_come_to_the_auditors_of_both_regions_after_departure(
    country: Country,
) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    auditors = [await country.client("auditor", region=region) for region in (HERE, THERE)]
    for auditor in auditors:
        assert [entry["opening"] for entry in (await auditor.get("/ledger/entries"))["items"]] == [
            None
        ] * 3
    await where.receiver.post(f"/placements/{arrived['id']}/departure", LEFT, expect=200)
    for row in await country.rows("SELECT sealed FROM openings"):
        assert HERE.encode() not in bytes(row.sealed)
    said = await openings(country)
    for auditor in auditors:
        entries = (await auditor.get(f"/ledger/entries?after={FIRST_LEAF - 1}"))["items"]
        assert [entry["opening"] for entry in entries] == said
        for entry in entries:
            leaf = json.loads(base64.b64decode(entry["leaf"]))
            assert (
                leaf["commitment"] == hashlib.sha256(canonical_json(entry["opening"])).hexdigest()
            )


async def test_a_capacity_stay_has_leaves(country: Country) -> None:
    where = await desk(country)
    arrived = await where.arrived(reason="capacity", dangerAssessment="none_known", dangerZones=[])
    assert arrived["ledgerLeaf"] == FIRST_LEAF
    assert (await openings(country))[0]["reason"] == "capacity"


async def test_since_when_they_are_ready_to_leave_is_a_correction_of_the_arrival_and_the_departure_has_it(
    country: Country,
) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    path = f"/placements/{arrived['id']}"
    await pass_days(country, 9)
    first, later, last = (day_from_now(-days) for days in (8, 6, 4))
    for ready in (first, first, later, None, last):
        await where.receiver.patch(path, {"readyToLeaveSince": ready, "blockers": ["housing"]})
    await where.receiver.post(f"{path}/departure", LEFT, expect=200)
    said = await openings(country)
    assert [opening["type"] for opening in said] == ["arrival", *["correction"] * 4, "departure"]
    for opening, ready in zip(said[1:5], (first, later, None, last), strict=True):
        assert (opening["corrects"], opening["arrival"], opening["code"]) == (
            FIRST_LEAF,
            FIRST_LEAF,
            "ready_to_leave",
        )
        assert opening["by"] == {"role": "coordinator", "region": THERE}
        assert (opening["ready_since"], opening["date"]) == (ready, said[0]["date"])
    assert (said[0]["arrival"], said[5]["arrival"], said[5]["ready_since"]) == (
        None,
        FIRST_LEAF,
        last,
    )


async def test_a_stay_without_a_leaf_gets_none_for_being_ready_to_leave(country: Country) -> None:
    where = await desk(country)
    near = await country.value(
        "SELECT code FROM municipalities WHERE region = :r AND code <> :r LIMIT 1", r=THERE
    )
    hold = await where.receiver.post(
        "/holds", await wish(where.receiver, originMunicipality=near), key=fresh()
    )
    own = await where.receiver.post("/placements", {"holdId": hold["id"]}, key=fresh())
    path = f"/placements/{own['id']}"
    await where.receiver.post(f"{path}/arrival", expect=200)
    await where.receiver.patch(path, {"readyToLeaveSince": day_from_now(0)})
    assert await country.value("SELECT count(*) FROM openings") == 0


WRITES: dict[str, set[str]] = {
    "worker": {"quarter_total"},
    "administrator": {"policy"},
    "auditor": {"cap", "correction"},
    "operator": {"quarter_total", "weights", "policy", "cap", "correction"},
    "coordinator": set(),
    "nobody": set(),
}
"""The callers who may write leaves in clear, and which."""


@pytest.mark.parametrize("who", WRITES)
async def test_who_may_write_which_leaves_in_clear(country: Country, who: str) -> None:
    regions = {"auditor": THERE}
    provider = "linde" if who == "coordinator" else None
    hashed = b"nobody"
    if who in {"administrator", "auditor", "coordinator"}:
        hashed = await country.hashed(who, region=regions.get(who), provider=provider)
    database = country.owner if who == "operator" else country.parts.database
    actor = WORKER if who == "worker" else ""
    wrote: set[str] = set()
    for leaf_type in CLEAR_TYPES:
        content = {"corrects": 0, "by": {"role": who, "region": None}, "code": "test"}
        try:
            async with database.transaction(hashed, actor=actor) as tx:
                before = len(wrote)
                assert (
                    await ledger.append_clear(tx, leaf_type=leaf_type, content=content)
                    == FIRST_LEAF + before
                )
        except PostgresError as refused:
            assert "row-level security" in str(refused)  # noqa: PT017 - the others are not refused
        else:
            wrote.add(leaf_type)
    assert wrote == WRITES[who]


async def test_a_leaf_in_clear_is_about_no_stay_and_a_leaf_about_a_stay_names_it(
    country: Country,
) -> None:
    await country.rows("UPDATE heads SET value = :next WHERE name = 'ledger'", next=FIRST_LEAF + 1)
    statement = (
        "INSERT INTO leaves (index, type, content, placement_id) VALUES (:index, :type, '', {})"
    )
    for leaf_type, placement in (("policy", "gen_random_uuid()"), ("arrival", "NULL")):
        with pytest.raises(PostgresError, match="leaves_about_check"):
            await country.rows(statement.format(placement), index=FIRST_LEAF, type=leaf_type)


async def test_the_country_begins_with_its_policy_and_its_weights(country: Country) -> None:
    contents = [
        json.loads(bytes(row.content))
        for row in await country.rows("SELECT content FROM leaves ORDER BY 1")
    ]
    policy, weights = (leaf["content"] for leaf in sorted(contents, key=lambda leaf: leaf["index"]))
    assert policy["hash"] == await country.value("SELECT hash FROM policies")
    assert weights["weights"] == {
        row.region: row.weight for row in await country.rows("SELECT * FROM weights")
    }
    assert (weights["valid_from"], "DU-VO" in weights["source"]) == ("2013-01-01", True)
