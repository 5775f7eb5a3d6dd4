"""Why not there, and what if we knew: over HTTP, for the desk that made the ranking."""

import asyncio
import json
from contextvars import Context

import pytest

from tests.casework import desk
from tests.country import FAR, HERE, THERE, Country, place_body, referral_body, shelter

SON = {"adults": [{"gender": "female", "age": 31}], "children": [{"age": None, "gender": "male"}]}


async def test_all_that_stands_in_the_way_of_a_region_or_provider_is_said_by_rule_and_region(
    country: Country,
) -> None:
    where = await desk(country)
    eik = await shelter(
        country, "eik", site={"municipality": HERE, "admission": "paused"}, bedSpaces=1
    )
    await eik.coordinator.patch(f"/places/{eik.place_ids[0]}", {"status": "occupied"})
    await eik.coordinator.post("/places", place_body(eik.site_id))
    wanted = await where.wish(barredProviders=[str(await country.provider("beuk"))])
    path = f"/rankings/{wanted['rankingId']}/obstacles"
    await eik.coordinator.patch(
        f"/sites/{eik.site_id}", {"admission": "open"}
    )  # too late for this ranking

    at_home = await where.intake.get(path, params={"region": HERE})
    ask_by_name = where.intake.get(path, params={"provider": str(await country.provider("eik"))})
    # As a server has it: nothing that an earlier request knew is known to this one.
    by_name = await asyncio.create_task(ask_by_name, context=Context())

    assert [(left["rule"], left["region"], left["places"]) for left in at_home["obstacles"]] == [
        ("admission", HERE, "1-4"),
        ("danger", HERE, "1-4"),
        ("size", HERE, "1-4"),
    ]
    assert at_home["places"] == "1-4"
    assert at_home["ranks"] == []
    assert at_home["text"]["nl"].startswith("Geen van de 1-4 plekken van ")
    assert at_home["obstacles"][0]["text"]["en"].endswith(": admissions paused for now.")
    assert by_name["obstacles"] == at_home["obstacles"]
    assert "siteId" not in json.dumps(by_name)
    assert "km" not in json.dumps(by_name).lower()

    offered = await where.intake.get(path, params={"region": THERE})
    assert (offered["ranks"], offered["obstacles"]) == ([1], [])
    nothing = await where.intake.get(path, params={"region": FAR})
    assert nothing["text"]["en"].endswith("has no places in the register.")


async def test_one_region_or_one_provider_is_named_and_known_and_the_ranking_is_ones_own(
    country: Country,
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    path = f"/rankings/{wanted['rankingId']}/obstacles"
    for query, pointers in (
        ({}, {"/region", "/provider"}),
        (
            {"region": THERE, "provider": str(await country.provider("linde"))},
            {"/region", "/provider"},
        ),
        ({"region": "GM0001"}, {"/region"}),
        ({"provider": "linde"}, {"/provider"}),
    ):
        refused = await where.intake.ask("GET", path, params=query, expect=400)
        assert {fault["pointer"] for fault in refused.json()["errors"]} == pointers
    await where.receiver.get(path, params={"region": THERE}, expect=404)


@pytest.mark.parametrize(
    "referral, fact, pointer",
    [
        ({"household": SON}, "son_age", "/household/children/0/age"),
        (
            {"dangerAssessment": "not_asked", "dangerZones": []},
            "danger_assessment",
            "/dangerAssessment",
        ),
    ],
)
async def test_a_missing_fact_is_said_by_what_it_could_open_and_by_nothing_once_it_is_known(
    country: Country, referral: dict[str, object], fact: str, pointer: str
) -> None:
    where = await desk(country)
    await shelter(
        country, "eik", site={"municipality": HERE if fact != "son_age" else FAR}, sonsUpToAge=12
    )
    made = await where.intake.post("/referrals", referral_body(**referral))
    ranking = await where.intake.post(f"/referrals/{made['id']}/rankings")

    (missing,) = ranking["missing"]

    assert (missing["fact"], missing["pointer"], missing["offers"]) == (fact, pointer, "1-4")
    assert "1-4 more offers may open" in missing["text"]["en"]
    assert (await where.intake.get(f"/rankings/{ranking['id']}"))["missing"] == [missing]
    path, known = f"/referrals/{made['id']}", {"dangerAssessment": "none_known"}
    if fact == "son_age":
        known = {"household": SON | {"children": [{"age": 12, "gender": "male"}]}}
    await where.intake.patch(path, known, headers={"If-Match": "*"})
    again = await where.intake.post(f"{path}/rankings")
    assert (again["missing"], len(again["offers"])) == ([], len(ranking["offers"]) + 1)
