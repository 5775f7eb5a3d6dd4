"""Files of providers, sites and places."""

import asyncio

import pytest

from app.errors import OperatorError
from app.registry.imports import imports
from app.registry.imports.csv_files import ImportCounts, ImportFaults
from tests.country import FAR, HERE, THERE, Country, place_body, referral_body, site_body
from tests.integration.registry.imports.import_files import (
    PLACE,
    PROVIDER,
    SITE,
    csv,
    faults,
    register,
    take,
    told,
    version,
)


async def claim(country: Country) -> tuple[object, ...]:
    return tuple((await country.rows("SELECT kind, reason FROM claims"))[0])


async def test_a_whole_register_is_taken_in_and_can_be_seen_by_its_owner(country: Country) -> None:
    await register(
        country, PLACE, PLACE | {"label": "1B"}, PLACE | {"label": "2A", "bed_spaces": 2}
    )
    coordinator = await country.client(
        "coordinator", provider=None, token=await token_of(country, "linde")
    )

    site = (await coordinator.get("/sites"))["items"][0]
    places = (await coordinator.get("/places"))["items"]

    assert (site["name"], site["municipality"], site["confirmedAt"]) == ("Het Huis", THERE, None)
    assert sorted((place["label"], place["status"]) for place in places) == [
        ("1A", "free"),
        ("1B", "free"),
        ("2A", "free"),
    ]
    assert await country.value("SELECT array_agg(places ORDER BY places) FROM place_groups") == [
        1,
        2,
    ]


async def token_of(country: Country, slug: str) -> str:
    country.providers[slug] = await country.value(
        "SELECT id FROM providers WHERE slug = :slug", slug=slug
    )
    return await country.token("coordinator", "intake_worker", provider=slug)


async def test_importing_twice_changes_nothing(country: Country) -> None:
    await register(country)
    before = await version(country, "register")

    taken = [await take(country, kind, csv(row)) for kind, row in FILES.items()]

    assert taken == [ImportCounts(unchanged=1)] * 3
    assert await version(country, "register") == before


FILES: dict[str, dict[str, object]] = {"providers": PROVIDER, "sites": SITE, "places": PLACE}


async def test_a_provider_works_where_the_file_says_whatever_sites_it_has(country: Country) -> None:
    await register(country)

    taken = await take(
        country, "providers", csv(PROVIDER | {"regions": FAR, "phone": "000-555 01 02"})
    )

    assert taken == ImportCounts(changed=1)
    served = await country.rows("SELECT region FROM provider_regions ORDER BY region")
    assert [row.region for row in served] == [FAR]
    assert await take(
        country, "providers", csv(PROVIDER | {"regions": FAR, "phone": "000-555 01 02"})
    ) == ImportCounts(unchanged=1)


async def test_another_address_is_sealed_anew_and_outdates_no_ranking(country: Country) -> None:
    await register(country)
    before = await country.rows("SELECT revision FROM sites"), await version(country, "register")

    taken = await take(country, "sites", csv(SITE | {"street": "Elders 2"}))

    assert taken == ImportCounts(changed=1)
    assert (
        await country.rows("SELECT revision FROM sites"),
        await version(country, "register"),
    ) == before
    assert await take(country, "sites", csv(SITE | {"street": "Elders 2"})) == ImportCounts(
        unchanged=1
    )


async def test_another_municipality_outdates_rankings_and_adds_no_region(country: Country) -> None:
    await register(country)
    before = await country.value("SELECT revision FROM sites")

    taken = await take(country, "sites", csv(SITE | {"municipality": FAR}))

    assert taken == ImportCounts(changed=1)
    assert await country.value("SELECT revision FROM sites") > before
    assert (
        await country.value("SELECT count(*) FROM provider_regions WHERE region = :far", far=FAR)
        == 0
    )


async def test_a_site_made_by_its_owner_is_known_by_its_name(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    made = await coordinator.post("/sites", site_body(name="Het  Huis "))
    await coordinator.post("/places", place_body(made["id"], label="1A"))

    assert await take(country, "sites", csv(SITE)) == ImportCounts(changed=1)
    assert (await take(country, "places", csv(PLACE))).new == 0
    assert await country.value("SELECT count(*) FROM places") == 1


async def test_a_file_calls_sites_and_places_as_people_do(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    made = await coordinator.post("/sites", site_body(name="HET huis"))
    await coordinator.post("/places", place_body(made["id"], label="1a"))

    assert (await take(country, "sites", csv(SITE))).new == 0
    assert (await take(country, "places", csv(PLACE))).new == 0
    twice = csv(PLACE | {"label": "1b"}, PLACE | {"label": "1B"})
    assert await faults(country, "places", twice) == [(3, "label")]


async def test_a_name_or_label_of_a_file_is_taken_at_every_other_door(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    await take(country, "sites", csv(SITE))
    await take(country, "places", csv(PLACE))
    site = (await coordinator.get("/sites"))["items"][0]

    again = await coordinator.post("/sites", site_body(name="het huis"), expect=409)
    place = place_body(site["id"], label="1a")
    assert again["code"] == "name_taken"
    assert (await coordinator.post("/places", place, expect=409))["code"] == "label_taken"


async def test_names_from_before_they_were_told_apart_are_a_fault(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    made = await coordinator.post("/sites", site_body(name="Het Huis"))
    for _ in range(2):
        await coordinator.post("/places", place_body(made["id"], label="1A"))
        await country.rows("UPDATE place_secrets SET label_hash = NULL RETURNING 1")
    assert await faults(country, "places", csv(PLACE)) == [(2, "label")]

    await country.rows("UPDATE site_secrets SET name_hash = NULL RETURNING 1")
    await coordinator.post("/sites", site_body(name="Het Huis"))
    assert await faults(country, "sites", csv(SITE)) == [(2, "site")]
    assert await faults(country, "places", csv(PLACE)) == [(2, "site")]


@pytest.mark.parametrize(
    "says,is_then",
    [
        ({"status": "free"}, (None, None)),
        ({"status": ""}, (None, None)),
        ({"status": "occupied"}, ("occupied", None)),
        ({"status": "out_of_service", "reason": "repair"}, ("out_of_service", "repair")),
        ({"status": "out_of_service"}, ("out_of_service", "other")),
    ],
)
async def test_a_new_place_is_what_the_file_says(
    country: Country, says: dict[str, object], is_then: tuple[object, ...]
) -> None:
    await register(country, PLACE | says)

    assert await claim(country) == is_then


@pytest.mark.parametrize(
    "says,is_then",
    [
        ({"status": ""}, ("out_of_service", "repair")),
        ({"status": "out_of_service"}, ("out_of_service", "repair")),
        ({"status": "out_of_service", "reason": "safety"}, ("out_of_service", "safety")),
        ({"status": "occupied"}, ("occupied", None)),
        ({"status": "free"}, (None, None)),
    ],
)
async def test_a_known_place_becomes_what_the_file_says_and_stays_as_it_is_where_it_says_nothing(
    country: Country, says: dict[str, object], is_then: tuple[object, ...]
) -> None:
    await register(country, PLACE | {"status": "out_of_service", "reason": "repair"})
    changes = is_then != ("out_of_service", "repair")

    taken = await take(country, "places", csv(PLACE | says))

    assert await claim(country) == is_then
    assert taken == (ImportCounts(changed=1) if changes else ImportCounts(unchanged=1))


async def test_a_place_that_is_something_else_now_moves_to_its_like(country: Country) -> None:
    await register(country, PLACE, PLACE | {"label": "1B"})

    taken = await take(country, "places", csv(PLACE | {"bed_spaces": 2}))

    assert taken == ImportCounts(changed=1)
    groups = await country.rows("SELECT bed_spaces, places FROM place_groups ORDER BY bed_spaces")
    assert [tuple(row) for row in groups] == [(2, 1), (4, 1)]


async def hold(country: Country) -> str:
    """Hold the one place for a household."""
    await register(country)
    intake = await country.client("intake_worker", provider="elders")
    referral = await intake.post("/referrals", referral_body())
    ranking = await intake.post(f"/referrals/{referral['id']}/rankings")
    body = {
        "referralId": referral["id"],
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    found: str = (await intake.post("/holds", body, key="once"))["id"]
    return found


@pytest.mark.parametrize(
    "says", [{"status": "free"}, {"status": "occupied"}, {"status": "", "bed_spaces": 2}]
)
async def test_a_place_with_a_live_hold_is_left_alone_and_its_line_named(
    country: Country, says: dict[str, object]
) -> None:
    await hold(country)

    assert await faults(country, "places", csv(PLACE | {"label": "1C"}, PLACE | says)) == [
        (3, "label")
    ]

    assert (await claim(country))[0] == "hold"
    assert await country.value("SELECT count(*) FROM places") == 1


async def test_a_place_with_a_live_hold_may_stand_in_a_file_that_says_nothing_new_of_it(
    country: Country,
) -> None:
    await hold(country)

    assert await take(country, "places", csv(PLACE | {"status": ""})) == ImportCounts(unchanged=1)


async def test_a_hold_that_ran_out_hinders_nobody_and_is_resolved(country: Country) -> None:
    hold_id = await hold(country)
    await country.rows("UPDATE claims SET claimed_until = clock_timestamp()")
    await country.rows("UPDATE holds SET expires_at = clock_timestamp()")

    assert await take(country, "places", csv(PLACE | {"status": "occupied"})) == ImportCounts(
        changed=1
    )

    assert await country.value("SELECT status FROM holds WHERE id = :id", id=hold_id) == "no_answer"


async def test_only_the_owner_hears_that_its_counts_have_changed(country: Country) -> None:
    await register(country)

    heard = await country.rows("SELECT kind, subject, audience FROM outbox")

    provider_id = await country.value("SELECT id FROM providers")
    assert [tuple(row) for row in heard] == [("availability", THERE, [provider_id])]


async def test_everything_wrong_is_told_at_once_whether_the_file_or_the_database_knows_it(
    country: Country,
) -> None:
    await register(country)
    raw = csv(
        PLACE | {"label": "2A"},
        PLACE | {"label": "2B", "kind": "palace"},
        PLACE | {"label": "2C", "provider": "nobody"},
        PLACE | {"label": "2D", "site": "Nowhere\nat all"},
        PLACE | {"label": "2E", "bed_spaces": 0, "provider": "nobody"},
    )

    found = await faults(country, "places", raw)

    # A record is counted where it begins; what has a fault of its own is not looked up.
    assert found == [(3, "kind"), (4, "provider"), (5, "site"), (7, "bed_spaces")]
    assert await country.value("SELECT count(*) FROM places") == 1


async def test_unknown_providers_and_municipalities_are_told_together(country: Country) -> None:
    assert await faults(country, "sites", csv(SITE | {"municipality": "GM9999"})) == [
        (2, "municipality"),
        (2, "provider"),
    ]
    assert await faults(country, "providers", csv(PROVIDER | {"regions": f"{HERE} GM0451"})) == [
        (2, "regions")
    ]


async def test_a_header_at_fault_is_told_without_looking_anything_up(country: Country) -> None:
    assert await faults(country, "places", b"provider,site\nnobody,nowhere\n") == [(1, "")] * 6


async def test_no_fault_repeats_what_stood_in_a_cell(country: Country) -> None:
    with pytest.raises(ImportFaults) as refused:
        await take(country, "sites", csv(SITE | {"provider": "geheimhuis"}))

    assert all("geheim" not in str(fault) for fault in told(refused.value))


async def test_two_imports_of_one_file_at_once_make_one_register(country: Country) -> None:
    await take(country, "providers", csv(PROVIDER))

    taken = await asyncio.gather(*(take(country, "sites", csv(SITE)) for _ in range(2)))

    assert sorted(counts.new for counts in taken) == [0, 1]


async def test_a_kind_of_file_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(OperatorError, match="regions, municipalities, providers"):
        imports.kind_of("cities")
