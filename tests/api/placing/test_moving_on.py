"""Moving on within a stay.

The next place found like any other, the old one kept until they have arrived.
"""

from dataclasses import dataclass
from typing import Any

from tests.casework import Desk, desk, fresh, problem
from tests.country import FAR, FIRST_LEAF, THERE, Client, Country, Shelter, referral_body, shelter

LEFT = {"destination": "new_home"}
MOVING = {"urgency": "urgent", "reason": "follow_on"}


@dataclass
class Route:
    """A household of haven's in a crisis place of linde's.

    Linde and eik, in another region, have regular places.
    """

    country: Country
    where: Desk
    eik: Shelter
    first: dict[str, Any]

    @property
    def linde(self) -> Client:
        """The coordinator at linde, who is an intake worker as well."""
        return self.where.receiver

    async def held(
        self, client: Client, to: str, *, region: str | None = None, **referral: Any
    ) -> str:
        """Register a household that moves on, and hold an offer of one provider or region.

        Return the hold, accepted.
        """
        made = await client.post("/referrals", referral_body(**{**MOVING, **referral}))
        ranking = await client.post(f"/referrals/{made['id']}/rankings")
        receiver_id = str(self.country.providers[to])
        offer = next(
            offer
            for offer in ranking["offers"]
            if offer["provider"]["id"] == receiver_id and region in {None, offer["region"]["code"]}
        )
        body = {"referralId": made["id"], "rankingId": ranking["id"], "offerId": offer["offerId"]}
        hold = await client.post("/holds", body | {"overrideReason": "other"}, key=fresh())
        if hold["status"] == "pending":
            await self.receiver(to).post(
                f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200
            )
        return hold["id"]

    async def leaving(
        self, previous: dict[str, Any], client: Client, to: str, **referral: Any
    ) -> dict[str, Any]:
        """Confirm a next place: they are on their way from one to the other."""
        body = {
            "holdId": await self.held(client, to, **referral),
            "previousPlacementId": previous["id"],
        }
        return await client.post("/placements", body, key=fresh())

    def receiver(self, of: str) -> Client:
        """Return a provider's coordinator."""
        return {"linde": self.linde, "eik": self.eik.coordinator}[of]

    async def arrive(self, placement: dict[str, Any], at: str) -> dict[str, Any]:
        """Record an arrival."""
        return await self.receiver(at).post(f"/placements/{placement['id']}/arrival", expect=200)

    async def leaves(self) -> list[tuple[str, str]]:
        """Return the type of every leaf about a stay and placement, in order."""
        rows = await self.country.rows(
            "SELECT type, placement_id::text AS placement FROM openings JOIN leaves USING "
            "(index) ORDER BY index"
        )
        return [(row.type, row.placement) for row in rows]


async def route(country: Country) -> Route:
    """Bring a household to its first place."""
    where = await desk(country)
    eik = await shelter(country, "eik", places=2, site={"municipality": FAR}, kind="regular")
    first = await where.arrived()
    body = {"siteId": where.there.site_id, "label": "2", "kind": "regular", "bedSpaces": 4}
    rest = {"sharing": "own_unit", "genders": ["female"], "sonsUpToAge": 17, "features": []}
    await where.receiver.post("/places", body | rest)
    return Route(country, where, eik, first)


async def test_they_move_on_from_crisis_to_regular_and_to_another_provider_within_one_stay(
    country: Country,
) -> None:
    way = await route(country)
    first = f"/placements/{way.first['id']}"
    second = await way.leaving(way.first, way.linde, "linde")
    assert (second["stayId"], second["previousPlacementId"]) == (
        way.first["stayId"],
        way.first["id"],
    )
    assert (await way.linde.get(first))["status"] == "arrived"
    assert await country.value("SELECT count(*) FROM claims WHERE kind = 'placement'") == 2

    inside = await way.arrive(second, "linde")
    ended = await way.where.intake.get(first)
    assert (ended["status"], ended["destination"]) == ("ended", "follow_on_place")
    assert (ended["departedAt"], inside["ledgerLeaf"]) == (inside["arrivedAt"], None)
    assert (await way.where.intake.get(f"/referrals/{way.first['referralId']}"))[
        "status"
    ] == "ended"
    assert (await way.linde.get(f"/places/{way.where.there.place_ids[0]}"))["status"] == "free"

    third = await way.leaving(second, way.linde, "eik")
    assert (await way.arrive(third, "eik"))["ledgerLeaf"] == FIRST_LEAF + 2
    assert (await way.linde.get(f"/placements/{second['id']}"))["status"] == "ended"
    await way.eik.coordinator.get(f"/placements/{second['id']}", expect=404)
    left = await way.eik.coordinator.post(f"/placements/{third['id']}/departure", LEFT, expect=200)
    assert left["ledgerLeaf"] == FIRST_LEAF + 3
    assert {row.reason for row in await country.rows("SELECT reason FROM placements")} == {"safety"}
    began = [("arrival", way.first["id"]), ("departure", way.first["id"])]
    assert await way.leaves() == [*began, ("arrival", third["id"]), ("departure", third["id"])]
    assert await country.value("SELECT count(*) FROM claims WHERE kind IS NOT NULL") == 0
    told = (
        "SELECT count(*) FROM outbox WHERE kind = 'placement' AND subject = :id AND :provider = "
        "ANY (audience)"
    )
    assert await country.value(told, id=way.first["id"], provider=country.providers["haven"]) == 3


async def test_a_departure_after_a_move_inside_one_provider_has_the_one_leaf_that_is_due(
    country: Country,
) -> None:
    way = await route(country)
    await country.rows(
        "UPDATE placements SET cross_regional = false"
    )  # as where the first leaf was of another region
    second = await way.leaving(way.first, way.linde, "linde")
    await country.rows(
        "UPDATE placements SET cross_regional = false WHERE id = :id", id=second["id"]
    )
    await way.arrive(second, "linde")
    left = await way.linde.post(f"/placements/{second['id']}/departure", LEFT, expect=200)
    assert left["ledgerLeaf"] == FIRST_LEAF + 1
    assert await way.leaves() == [("arrival", way.first["id"]), ("departure", way.first["id"])]


async def test_nothing_happens_to_the_old_place_where_they_do_not_come_or_had_left_before(
    country: Country,
) -> None:
    way = await route(country)
    missed = await way.leaving(way.first, way.where.intake, "eik", reason="safety")
    await way.where.intake.post(
        f"/placements/{missed['id']}/no-show", {"safetyChecked": True}, expect=200
    )
    assert (await way.linde.get(f"/placements/{way.first['id']}"))["status"] == "arrived"
    assert await way.leaves() == [("arrival", way.first["id"])]

    again = await way.leaving(way.first, way.linde, "linde")
    await way.linde.post(f"/placements/{way.first['id']}/departure", LEFT, expect=200)
    back = await way.arrive(again, "linde")
    assert (await way.linde.get(f"/placements/{way.first['id']}"))["destination"] == "new_home"
    assert back["ledgerLeaf"] == FIRST_LEAF + 2
    await way.linde.post(f"/placements/{again['id']}/departure", LEFT, expect=200)
    assert [kind for kind, _placement in await way.leaves()] == ["arrival", "departure"] * 2


async def test_only_those_who_shelter_or_sent_them_move_them_on_and_their_origin_stays(
    country: Country,
) -> None:
    way = await route(country)
    stranger = await country.client("intake_worker", provider="third")
    hold = await way.held(stranger, "eik")
    body = {"holdId": hold, "previousPlacementId": way.first["id"]}
    assert await problem(stranger, "/placements", body, status=404, key=fresh()) == "not_found"
    await stranger.post(f"/holds/{hold}/release", {"reason": "mistake"}, expect=200)
    elsewhere = {"holdId": await way.held(way.linde, "linde", originMunicipality=THERE)}
    elsewhere["previousPlacementId"] = way.first["id"]
    assert (
        await problem(way.linde, "/placements", elsewhere, status=409, key=fresh())
        == "another_origin"
    )
    await way.linde.post(f"/holds/{elsewhere['holdId']}/release", {"reason": "mistake"}, expect=200)
