"""Swaps over the API.

What a search tells, who must consent, and that all of it is reserved or none.
"""

from app.database.sealing import keys
from app.database.transaction import WORKER
from app.placing.swaps import proposals
from tests.casework import lapse, problem
from tests.country import FAR, HERE, THERE, Country
from tests.swaps import NEAR, SOUTH, chain, cycle, fleeing, scene


async def test_a_chain_of_two_brings_a_lawful_place_free_and_completes_as_people_arrive(
    country: Country,
) -> None:
    it = await chain(country)
    found = await it.at.search(it.waiting)
    assert found["none"] is None
    (swap,) = found["swaps"]
    assert (swap["moves"], swap["childrenChangingSchool"]) == (2, 1)
    assert swap["provider"]["name"] == "Stichting Linde"
    assert [card["name"] for card in swap["asked"]] == ["Stichting Eik", "Stichting Linde"]

    proposed = await it.at.desk.post("/swaps", {"searchId": found["id"], "rank": 1})
    assert proposed["status"] == "proposed"
    claims = await it.at.claims()
    assert claims[it.free].kind == "hold"
    assert claims[it.resident.place_id].successor_id is None
    (last,) = await it.at.consent(proposed["id"], but=1)
    assert await country.value("SELECT count(*) FROM placements") == 1
    reserved = await last[0].post(f"/swaps/{proposed['id']}/consents", last[1], expect=200)
    assert reserved["status"] == "reserved"
    first, second = await it.at.going(proposed["id"])
    claims = await it.at.claims()
    assert str(claims[it.free].placement_id) == second
    assert str(claims[it.resident.place_id].placement_id) == it.resident.placement_id
    assert str(claims[it.resident.place_id].successor_id) == first

    linde, eik = it.at.hosts["linde"], it.at.hosts["eik"]
    assert await problem(linde, f"/placements/{first}/arrival", status=409) == "place_occupied"
    await eik.post(f"/placements/{second}/arrival", expect=200)
    assert str((await it.at.claims())[it.resident.place_id].placement_id) == first
    assert (await linde.get(f"/placements/{it.resident.placement_id}"))["status"] == "ended"
    await linde.post(f"/placements/{first}/arrival", expect=200)
    assert await it.at.status(proposed["id"]) == "completed"
    for referral_id in (it.waiting, it.resident.referral_id):
        assert (await it.at.desk.get(f"/referrals/{referral_id}"))["status"] == "placed"


async def test_a_cycle_of_two_lets_each_go_where_the_other_lived(country: Country) -> None:
    it = await cycle(country)
    first, second = it.residents
    proposed = await it.at.propose(first.referral_id)
    await it.at.consent(proposed["id"])
    to_linde, to_eik = await it.at.going(proposed["id"])
    assert (
        await problem(second.host, f"/placements/{to_linde}/arrival", status=409)
        == "place_occupied"
    )
    gone = {"destination": "follow_on_place"}
    await second.host.post(f"/placements/{second.placement_id}/departure", gone, expect=200)
    assert (await it.at.desk.get(f"/referrals/{second.referral_id}"))["status"] == "placed"
    await second.host.post(f"/placements/{to_linde}/arrival", expect=200)
    await first.host.post(f"/placements/{to_eik}/arrival", expect=200)
    assert await it.at.status(proposed["id"]) == "completed"
    claims = await it.at.claims()
    assert {str(claims[one.place_id].placement_id) for one in (first, second)} == {to_linde, to_eik}


async def test_a_provider_sees_its_own_legs_only_and_nobody_else_any(country: Country) -> None:
    it = await chain(country)
    proposed = await it.at.propose(it.waiting)
    path = f"/swaps/{proposed['id']}"
    eik, linde = await it.at.hosts["eik"].get(path), await it.at.hosts["linde"].get(path)
    assert [(leg["referralId"], leg["yours"]) for leg in eik["legs"]] == [
        (it.resident.referral_id, ["receiving"])
    ]
    assert [leg["yours"] for leg in linde["legs"]] == [["receiving"], ["household", "leaving"]]
    (leg,) = eik["legs"]
    assert (leg["leavingId"], leg["placementId"], leg["placeId"]) == (None, None, it.free)
    assert leg["coming"]["household"]["children"] == [{"age": 4, "gender": "male"}]
    going = linde["legs"][1]
    assert (going["placementId"], going["placeId"], going["coming"]) == (
        it.resident.placement_id,
        None,
        None,
    )
    seen = [
        await it.at.hosts[slug].get("/swaps", params={"status": "proposed"})
        for slug in ("eik", "linde")
    ]
    assert [[swap["id"] for swap in page["items"]] for page in seen] == [[proposed["id"]]] * 2

    stranger = await country.client("intake_worker", "coordinator", provider="third")
    assert (await stranger.get("/swaps"))["items"] == []
    missing = (await stranger.ask("GET", f"/swaps/{it.waiting}", expect=404)).content
    assert (await stranger.ask("GET", path, expect=404)).content == missing
    audience = await country.value(
        "SELECT audience FROM outbox WHERE kind = 'swap' AND subject = :id LIMIT 1",
        id=proposed["id"],
    )
    assert set(audience) == {country.providers[slug] for slug in ("haven", "linde", "eik")}

    elsewhere = {"legId": linde["legs"][0]["id"], "as": "receiving"}
    faults = await it.at.hosts["eik"].post(f"{path}/consents", elsewhere, expect=400)
    assert faults["errors"][0]["pointer"] == "/legId"
    faults = await it.at.hosts["eik"].post(
        f"{path}/consents", {"legId": leg["id"], "as": "household"}, expect=400
    )
    assert faults["errors"][0]["pointer"] == "/as"


async def test_a_refusal_and_time_end_a_swap_and_free_what_was_kept_with_it(
    country: Country,
) -> None:
    it = await chain(country)
    first = await it.at.propose(it.waiting)
    eik = it.at.hosts["eik"]
    held = (await eik.get("/holds", params={"status": "pending"}))["items"][0]["id"]
    assert (
        await problem(eik, f"/holds/{held}/acceptance", {"by": "person"}, status=409)
        == "part_of_swap"
    )
    found = await it.at.search(it.waiting)
    assert found["none"]["code"] == "no_willing_household"  # the one there is has been asked
    again = {"searchId": first["id"], "rank": 1}
    assert await problem(it.at.desk, "/swaps", again, status=404) == "not_found"

    refused = await eik.post(f"/swaps/{first['id']}/refusal", {"reason": "staffing"}, expect=200)
    assert (refused["status"], refused["reason"], refused["legs"][0]["status"]) == (
        "refused",
        "staffing",
        "void",
    )
    assert it.free not in await it.at.claims()
    assert (
        await problem(eik, f"/swaps/{first['id']}/refusal", {"reason": "other"}, status=409)
        == "swap_resolved"
    )

    second = await it.at.propose(it.waiting)
    (last,) = await it.at.consent(second["id"], but=1)
    past = "expires_at = clock_timestamp() - interval '1 second'"
    await country.rows(f"UPDATE swaps SET {past} WHERE status = 'proposed'")  # noqa: S608 - the words above
    await lapse(
        country, (await country.value("SELECT hold_id::text FROM claims WHERE kind = 'hold'"))
    )
    assert await it.at.status(second["id"]) == "expired"
    assert (
        await problem(last[0], f"/swaps/{second['id']}/consents", last[1], status=409)
        == "swap_expired"
    )
    third = await it.at.propose(it.waiting)  # what ran out binds nobody, noted or not
    assert (
        await country.value("SELECT status FROM swaps WHERE id = :id", id=second["id"]) == "expired"
    )
    await country.rows(f"UPDATE swaps SET {past} WHERE status = 'proposed'")  # noqa: S608 - as above
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await proposals.sweep_swaps(tx) == 1
    assert (
        await country.value("SELECT status FROM swaps WHERE id = :id", id=third["id"]) == "expired"
    )
    assert await country.value("SELECT count(*) FROM placements WHERE status = 'underway'") == 0


async def test_the_last_consent_checks_every_rule_again_and_reserves_all_or_nothing(
    country: Country,
) -> None:
    it = await chain(country)
    proposed = await it.at.propose(it.waiting)
    (last,) = await it.at.consent(proposed["id"], but=1)
    path = f"/referrals/{it.resident.referral_id}"
    tag = (await it.at.desk.ask("GET", path, expect=200)).headers["ETag"]
    zones = fleeing(FAR, NEAR)["dangerZones"]
    await it.at.desk.patch(path, {"dangerZones": zones}, headers={"If-Match": tag})
    consents = f"/swaps/{proposed['id']}/consents"
    assert await problem(last[0], consents, last[1], status=409) == "no_longer_lawful"
    assert await country.value("SELECT count(*) FROM placements WHERE status = 'underway'") == 0
    assert await it.at.status(proposed["id"]) == "proposed"

    tag = (await it.at.desk.ask("GET", path, expect=200)).headers["ETag"]
    await it.at.desk.patch(path, {"dangerZones": zones[:1]}, headers={"If-Match": tag})
    gone = {"destination": "own_home"}
    home = f"/placements/{it.resident.placement_id}"
    await country.rows("UPDATE referrals SET status = 'withdrawn' WHERE id = :id", id=it.waiting)
    assert await problem(last[0], consents, last[1], status=409) == "swap_gone"
    await it.resident.host.post(f"{home}/departure", gone, expect=200)
    assert await it.at.status(proposed["id"]) == "broken"
    assert await it.at.claims() == {}


async def test_a_leg_that_fails_lets_go_of_what_depended_on_it(country: Country) -> None:
    it = await chain(country)
    proposed = await it.at.propose(it.waiting)
    await it.at.consent(proposed["id"])
    to_linde, to_eik = await it.at.going(proposed["id"])
    told = "SELECT count(*) FROM outbox WHERE kind = 'swap'"
    before = await country.value(told)
    await it.at.desk.post(f"/placements/{to_eik}/no-show", {"safetyChecked": True}, expect=200)

    assert await it.at.status(proposed["id"]) == "broken"
    assert await country.value(told) == before + 1
    legs = (await it.at.desk.get(f"/swaps/{proposed['id']}"))["legs"]
    assert [leg["status"] for leg in legs] == ["cancelled", "no_show"]
    assert (await it.at.desk.get(f"/placements/{to_linde}"))["status"] == "cancelled"
    assert (await it.at.desk.get(f"/referrals/{it.waiting}"))["status"] == "open"
    assert (await it.at.desk.get(f"/referrals/{it.resident.referral_id}"))["status"] == "placed"
    claims = await it.at.claims()
    assert (set(claims), claims[it.resident.place_id].successor_id) == (
        {it.resident.place_id},
        None,
    )

    again = await it.at.propose(it.waiting)  # nobody was moved: they may be asked again
    await it.at.consent(again["id"])
    to_linde, to_eik = await it.at.going(again["id"])
    home = f"/placements/{it.resident.placement_id}"
    await it.resident.host.post(f"{home}/departure", {"destination": "new_home"}, expect=200)
    assert (await it.at.desk.get(f"/placements/{to_eik}"))["status"] == "cancelled"
    assert it.free not in await it.at.claims()
    await it.resident.host.post(f"/placements/{to_linde}/arrival", expect=200)
    assert await it.at.status(again["id"]) == "broken"
    assert (await it.at.desk.get(f"/referrals/{it.waiting}"))["status"] == "placed"


async def test_who_would_move_says_so_beforehand_and_is_not_moved_twice(country: Country) -> None:
    it = await chain(country)
    agreement = f"/placements/{it.resident.placement_id}/move-agreement"
    host = it.resident.host
    await it.at.desk.ask("PUT", agreement, expect=404)  # only where they live
    await it.at.desk.ask("GET", agreement, expect=200)
    assert (await host.get(agreement))["placementId"] == it.resident.placement_id
    await host.ask("DELETE", agreement, expect=204)
    await host.ask("GET", agreement, expect=404)
    assert await country.value("SELECT count(*) FROM move_agreements") == 0
    assert (await it.at.search(it.waiting))["none"]["code"] == "no_willing_household"
    await it.resident.agrees()
    await country.rows("UPDATE move_agreements SET lapses_at = clock_timestamp()")
    assert (await it.at.search(it.waiting))["none"]["code"] == "no_willing_household"
    await it.resident.agrees()
    proposed = await it.at.propose(it.waiting)
    await it.at.consent(proposed["id"])
    to_linde, to_eik = await it.at.going(proposed["id"])
    await it.at.hosts["eik"].post(f"/placements/{to_eik}/arrival", expect=200)
    await host.post(f"/placements/{to_linde}/arrival", expect=200)

    await it.at.open("den", SOUTH)
    await it.at.hosts["eik"].ask("PUT", f"/placements/{to_eik}/move-agreement", expect=200)
    wanted = fleeing(THERE, SOUTH)  # eik's place is the one that would do
    other = (await it.at.desk.post("/referrals", wanted))["id"]
    assert (await it.at.search(other))["none"]["code"] == "no_willing_household"
    await country.rows(
        "UPDATE placements SET arrived_at = arrived_at - interval '91 days' WHERE status = "
        "'arrived'"
    )
    assert len((await it.at.search(other))["swaps"]) == 1


async def test_legs_share_the_swaps_id_in_the_ledger(country: Country) -> None:
    it = await chain(country)
    proposed = await it.at.propose(it.waiting)
    await it.at.consent(proposed["id"])
    to_linde, to_eik = await it.at.going(proposed["id"])
    await it.at.hosts["eik"].post(f"/placements/{to_eik}/arrival", expect=200)
    await it.at.hosts["linde"].post(f"/placements/{to_linde}/arrival", expect=200)
    async with country.parts.database.transaction(actor=WORKER) as tx:
        key = await keys.read(tx, keys.LEDGER)
    rows = await country.rows(
        "SELECT o.index, l.type, o.sealed FROM openings AS o JOIN leaves AS l USING (index) "
        "ORDER BY 1"
    )
    leaves = [
        (row.type, key.unseal_json(row.sealed, row=str(row.index))["swap_id"]) for row in rows
    ]
    swap = proposed["id"]
    assert leaves == [("arrival", None), ("departure", swap), ("arrival", swap), ("arrival", swap)]


async def test_a_search_is_for_acute_danger_counted_and_logged_for_all_who_were_looked_at(
    country: Country,
) -> None:
    it = await chain(country)
    found = await it.at.search(it.waiting)
    logged = (
        await country.rows("SELECT action, referral_ids FROM access_log ORDER BY id DESC LIMIT 1")
    )[0]
    assert logged.action == "search_swaps"
    assert {str(id_) for id_ in logged.referral_ids} == {it.waiting, it.resident.referral_id}
    assert it.resident.referral_id not in str(found)
    assert it.resident.place_id not in str(found)
    too_long = await it.at.desk.post(
        "/swap-searches", {"referralId": it.waiting, "maxLegs": 6}, expect=400
    )
    assert too_long["errors"][0]["pointer"] == "/maxLegs"
    calm = (await it.at.desk.post("/referrals", fleeing(HERE, urgency="urgent")))["id"]
    body = {"referralId": calm}
    assert await problem(it.at.desk, "/swap-searches", body, status=409) == "not_acute_safety"
    none = (await it.at.desk.post("/swaps", {"searchId": found["id"], "rank": 2}, expect=400))[
        "errors"
    ]
    assert none[0]["pointer"] == "/rank"
    await country.rows("UPDATE swap_searches SET asked_at = asked_at - interval '16 minutes'")
    old = {"searchId": found["id"], "rank": 1}
    assert await problem(it.at.desk, "/swaps", old, status=409) == "search_outdated"
    await country.rows(
        "INSERT INTO swap_searches SELECT gen_random_uuid(), referral_id, provider_id, found, "
        "sealed, clock_timestamp()"
        " FROM swap_searches, generate_series(1, 30)"
    )
    assert (
        await problem(it.at.desk, "/swap-searches", {"referralId": it.waiting}, status=429)
        == "too_many_requests"
    )


async def test_of_a_chain_of_three_what_does_not_depend_on_the_leg_that_fails_goes_on(
    country: Country,
) -> None:
    it = await scene(country)
    first = await it.resident("linde", THERE, FAR)
    alone = {"adults": [{"gender": "female", "age": 40}], "children": []}
    second = await it.resident("den", NEAR, FAR, household=alone)
    for resident in (first, second):
        await resident.agrees()
    free = await it.open("eik", THERE, bedSpaces=1)
    waiting = (await it.desk.post("/referrals", fleeing(HERE)))["id"]
    assert (await it.search(waiting, maxLegs=2))["none"]["fewestMoves"] == 3
    proposed = await it.propose(waiting)
    assert proposed["moves"] == 3
    await it.consent(proposed["id"])
    to_linde, to_den, to_eik = await it.going(proposed["id"])
    claims = await it.claims()
    assert str(claims[free].placement_id) == to_eik
    successors = [str(claims[resident.place_id].successor_id) for resident in (first, second)]
    assert successors == [to_linde, to_den]

    await it.desk.post(f"/placements/{to_den}/no-show", {"safetyChecked": True}, expect=200)
    legs = (await it.desk.get(f"/swaps/{proposed['id']}"))["legs"]
    assert [leg["status"] for leg in legs] == ["cancelled", "no_show", "open"]
    await it.hosts["eik"].post(f"/placements/{to_eik}/arrival", expect=200)
    claims = await it.claims()
    assert {place: str(claim.placement_id) for place, claim in claims.items()} == {
        first.place_id: first.placement_id,
        free: to_eik,
    }
    assert await it.status(proposed["id"]) == "broken"
    assert (await it.desk.get(f"/referrals/{waiting}"))["status"] == "open"
    left = await first.host.post(
        f"/placements/{first.placement_id}/departure", {"destination": "new_home"}, expect=200
    )
    assert left["status"] == "ended"
