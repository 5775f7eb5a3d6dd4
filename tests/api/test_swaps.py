"""Swaps over the API: what a search tells, who must consent, and that all of it is reserved or none."""

from tests.casework import problem
from tests.country import Country
from tests.swapping import chain, cycle


async def test_a_chain_of_two_brings_a_lawful_place_free_and_completes_as_people_arrive(country: Country) -> None:
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
    assert await problem(second.host, f"/placements/{to_linde}/arrival", status=409) == "place_occupied"
    gone = {"destination": "follow_on_place"}
    await second.host.post(f"/placements/{second.placement_id}/departure", gone, expect=200)
    assert (await it.at.desk.get(f"/referrals/{second.referral_id}"))["status"] == "placed"
    await second.host.post(f"/placements/{to_linde}/arrival", expect=200)
    await first.host.post(f"/placements/{to_eik}/arrival", expect=200)
    assert await it.at.status(proposed["id"]) == "completed"
    claims = await it.at.claims()
    assert {str(claims[one.place_id].placement_id) for one in (first, second)} == {to_linde, to_eik}
