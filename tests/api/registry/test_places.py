"""Own places on the wire."""

import secrets
from typing import Any

import pytest

from app.registry.imports.csv_columns import PLACES
from app.registry.imports.csv_files import read_sound_rows
from tests.country import Country, hold_first, place_body, referral_body, shelter, site_body
from tests.unit.registry.imports.csv_examples import PLACE, csv_file
from tests.web.visitor import visitor


async def hold_one(country: Country) -> dict[str, Any]:
    """Hold the first place there is for a new referral."""
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    return await hold_first(intake, referral_id=referral["id"])


async def lapse(country: Country, hold_id: str) -> None:
    """Let a hold have run out a minute ago."""
    past = "clock_timestamp() - interval '1 minute'"
    for table, column, key in (
        ("claims", "claimed_until", "hold_id"),
        ("holds", "expires_at", "id"),
        ("referrals", "held_until", "hold_id"),
    ):
        await country.rows(
            f"UPDATE {table} SET {column} = {past} WHERE {key} = CAST(:id AS uuid)",  # noqa: S608 - names above
            id=hold_id,
        )


async def test_a_new_place_is_free_and_counted_in_its_group(country: Country) -> None:
    system = await country.client("client_system", provider="linde")
    coordinator = await country.client("coordinator", provider="linde")
    site = await coordinator.post("/sites", site_body())
    body = place_body(site["id"], label="2B", features=["pets", "cots"], genders=["male", "female"])

    made = await system.post("/places", body)
    await system.post("/places", body | {"label": "2C"})

    assert made == body | {
        "id": made["id"],
        "features": ["cots", "pets"],
        "genders": ["female", "male"],
        "status": "free",
        "reason": None,
        "until": None,
    }
    assert await system.get(f"/places/{made['id']}") == made
    assert await country.value("SELECT array_agg(places) FROM place_groups") == [2]


async def test_sons_are_welcome_up_to_seventeen_where_nothing_is_said(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    site = await coordinator.post("/sites", site_body())
    body = place_body(site["id"])
    del body["sonsUpToAge"], body["features"]

    made = await coordinator.post("/places", body)

    assert (made["sonsUpToAge"], made["features"]) == (17, [])


async def test_every_fault_of_a_place_is_named_at_once(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    site = await coordinator.post("/sites", site_body())
    body = place_body(
        site["id"],
        label="",
        kind="time_out",
        bedSpaces=0,
        sharing="bunk",
        genders=[],
        sonsUpToAge=26,
        features=["bar"],
    )

    problem = await coordinator.post("/places", body, expect=400)

    assert {fault["pointer"] for fault in problem["errors"]} == {
        "/label",
        "/kind",
        "/bedSpaces",
        "/sharing",
        "/genders",
        "/sonsUpToAge",
        "/features/0",
    }


@pytest.mark.parametrize(
    "body, pointers",
    [
        ({"status": "held"}, {"/status"}),
        ({"status": "out_of_service"}, {"/reason"}),
        ({"status": "out_of_service", "reason": "bored"}, {"/reason"}),
        (
            {"status": "free", "reason": "repair", "until": "2027-01-01T00:00:00Z"},
            {"/reason", "/until"},
        ),
        ({"reason": "repair"}, {"/reason"}),
        ({"until": "2027-01-01T00:00:00Z"}, {"/until"}),
        (
            {"status": "out_of_service", "reason": "repair", "until": "2027-01-01T00:00:00"},
            {"/until"},
        ),
        (
            {"status": "out_of_service", "reason": "repair", "until": "9999-12-31T23:59:59-12:00"},
            {"/until"},
        ),
        ({"status": "out_of_service", "reason": "repair", "until": 1893456000}, {"/until"}),
        ({"label": None, "bedSpaces": "4", "siteId": "x"}, {"/label", "/bedSpaces", "/siteId"}),
    ],
)
async def test_a_status_says_no_more_and_no_less_than_it_must(
    country: Country, body: dict[str, Any], pointers: set[str]
) -> None:
    there = await shelter(country)
    path = f"/places/{there.place_ids[0]}"

    problem = await there.coordinator.patch(path, body, expect=400)

    assert {fault["pointer"] for fault in problem["errors"]} == pointers
    assert (await there.coordinator.get(path))["status"] == "free"


async def test_a_place_is_occupied_out_of_service_and_free_again(country: Country) -> None:
    there = await shelter(country)
    path = f"/places/{there.place_ids[0]}"
    repair = {"status": "out_of_service", "reason": "repair", "until": "2027-01-01T12:00:00Z"}

    assert (await there.coordinator.patch(path, {"status": "occupied"}))["status"] == "occupied"
    out = await there.coordinator.patch(path, repair)
    assert {name: out[name] for name in repair} == repair
    assert await there.coordinator.get(path) == out
    assert (await there.coordinator.patch(path, repair | {"until": None}))["until"] is None
    free = await there.coordinator.patch(path, {"status": "free"})
    assert (free["status"], free["reason"], free["until"]) == ("free", None, None)


async def test_saying_the_same_again_is_no_news(country: Country) -> None:
    there = await shelter(country)
    path = f"/places/{there.place_ids[0]}"
    await there.coordinator.patch(path, {"status": "occupied"})
    before = (await country.rows("SELECT (SELECT count(*) FROM outbox), since FROM claims"))[0]

    await there.coordinator.patch(path, {"status": "occupied"})

    assert (await country.rows("SELECT (SELECT count(*) FROM outbox), since FROM claims"))[
        0
    ] == before


async def test_a_place_with_a_live_hold_keeps_what_the_household_was_promised(
    country: Country,
) -> None:
    there = await shelter(country)
    await hold_one(country)
    path = f"/places/{there.place_ids[0]}"
    assert (await there.coordinator.get(path))["status"] == "held"

    for body in (
        {"status": "free"},
        {"status": "occupied"},
        {"bedSpaces": 2},
        {"features": ["pets"]},
    ):
        assert (await there.coordinator.patch(path, body, expect=409))["code"] == "claimed"

    assert (await there.coordinator.patch(path, {"label": "9Z"}))["label"] == "9Z"
    assert (await there.coordinator.get(path))["bedSpaces"] == 4


async def test_a_place_with_a_placement_is_occupied_and_stays_so(country: Country) -> None:
    there = await shelter(country)
    hold = await hold_one(country)
    await there.coordinator.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    intake = await country.client("intake_worker", provider="haven")
    await intake.post("/placements", {"holdId": hold["id"]}, key=secrets.token_hex(8))
    path = f"/places/{there.place_ids[0]}"
    assert (await there.coordinator.get(path))["status"] == "occupied"

    for status in ("occupied", "free"):
        assert (await there.coordinator.patch(path, {"status": status}, expect=409))[
            "code"
        ] == "claimed"


@pytest.mark.parametrize("body", [{"status": "occupied"}, {"bedSpaces": 2}])
async def test_a_hold_that_ran_out_gives_way_and_is_resolved(
    country: Country, body: dict[str, Any]
) -> None:
    there = await shelter(country)
    hold = await hold_one(country)
    await lapse(country, hold["id"])
    path = f"/places/{there.place_ids[0]}"
    assert (await there.coordinator.get(path))["status"] == "free"

    await there.coordinator.patch(path, body)

    row = (await country.rows("SELECT status, resolved_at FROM holds"))[0]
    assert (row.status, row.resolved_at is None) == ("no_answer", False)
    assert [tuple(r) for r in await country.rows("SELECT status, hold_id FROM referrals")] == [
        ("open", None)
    ]
    assert await country.value("SELECT hold_id FROM claims") is None
    told = await country.rows(
        "SELECT subject FROM outbox WHERE kind = 'hold' ORDER BY id DESC LIMIT 1"
    )
    assert told[0].subject == hold["id"]


async def test_a_place_that_changes_moves_to_its_like(country: Country) -> None:
    there = await shelter(country, places=3)
    register = "SELECT value FROM heads WHERE name = 'register'"
    before = await country.value(register)

    for id_ in there.place_ids[:2]:
        await there.coordinator.patch(f"/places/{id_}", {"kind": "regular", "sonsUpToAge": 12})

    groups = await country.rows(
        "SELECT kind, sons_up_to_age, places FROM place_groups ORDER BY kind"
    )
    assert [tuple(group) for group in groups] == [("crisis", 17, 1), ("regular", 12, 2)]
    counted = await country.rows(
        "SELECT g.kind, count(*) FROM claims c JOIN place_groups g ON g.id = c.group_id GROUP "
        "BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in counted] == [("crisis", 1), ("regular", 2)]
    assert await country.value(register) == before + 2


async def test_places_come_in_pages_and_by_site(country: Country) -> None:
    there = await shelter(country, places=3)
    other = await there.coordinator.post("/sites", site_body(name="Eik"))
    await there.coordinator.post("/places", place_body(other["id"]))

    page = await there.coordinator.get("/places", params={"siteId": there.site_id, "limit": 2})
    rest = await there.coordinator.get(
        "/places", params={"siteId": there.site_id, "cursor": page["nextCursor"]}
    )

    assert [place["id"] for place in page["items"] + rest["items"]] == there.place_ids
    assert rest["nextCursor"] is None
    assert len((await there.coordinator.get("/places"))["items"]) == 4
    assert (await there.coordinator.get("/places", params={"siteId": "nonsense"}))["items"] == []


async def test_a_stale_if_match_leaves_the_place_as_it_is(country: Country) -> None:
    there = await shelter(country)
    path = f"/places/{there.place_ids[0]}"
    tag = (await there.coordinator.ask("GET", path)).headers["ETag"]
    await there.coordinator.patch(path, {"status": "occupied"}, headers={"If-Match": tag})

    await there.coordinator.patch(path, {"status": "free"}, headers={"If-Match": tag}, expect=412)

    assert (await there.coordinator.get(path))["status"] == "occupied"


async def test_only_the_owner_hears_of_a_place_at_once(country: Country) -> None:
    there = await shelter(country)
    linde = await country.provider("linde")
    before = await country.value("SELECT max(id) FROM outbox")

    await there.coordinator.patch(f"/places/{there.place_ids[0]}", {"status": "occupied"})

    told = await country.rows(
        "SELECT kind, subject, audience FROM outbox WHERE id > :before", before=before
    )
    assert [tuple(row) for row in told] == [("availability", "GM0193", [linde])]


async def test_intake_workers_do_not_change_places(country: Country) -> None:
    there = await shelter(country)
    intake = await country.client("intake_worker", provider="linde")
    await intake.get("/places", expect=403)
    await intake.patch(f"/places/{there.place_ids[0]}", {"status": "occupied"}, expect=403)


async def test_no_two_places_of_a_site_have_one_label_whatever_its_case(country: Country) -> None:
    linde = await country.client("coordinator", provider="linde")
    site, other = [await linde.post("/sites", site_body(name=name)) for name in ("Linde", "Es")]
    first = await linde.post("/places", place_body(site["id"], label="  2B "))
    second = await linde.post("/places", place_body(site["id"], label="Zolder  links"))
    assert (first["label"], second["label"]) == ("2B", "Zolder links")

    for label in ("2B", " 2b", "ZOLDER LINKS"):
        refused = await linde.post("/places", place_body(site["id"], label=label), expect=409)
        assert (refused["code"], label in refused["detail"]) == ("label_taken", False)
    path = f"/places/{second['id']}"
    assert (await linde.patch(path, {"label": "2b"}, expect=409))["code"] == "label_taken"

    # What is not taken: the same label elsewhere, the own one in another case, and one given up.
    await linde.post("/places", place_body(other["id"], label="2B"))
    assert (await linde.patch(path, {"label": "Zolder Links"}))["label"] == "Zolder Links"
    await linde.patch(path, {"label": "3A"})
    await linde.post("/places", place_body(site["id"], label="zolder links"))
    hashes = await country.value("SELECT count(DISTINCT label_hash) FROM place_secrets")
    assert hashes == len((await linde.get("/places"))["items"])


async def test_beds_ages_and_labels_have_the_same_limits_at_every_door(country: Country) -> None:
    linde = await country.client("coordinator", provider="linde")
    site = await linde.post("/sites", site_body())
    most: list[tuple[str, str, str | int, str | int]] = [
        ("label", "label", "x" * 120, "x" * 121),
        ("bedSpaces", "bed_spaces", 50, 51),
        ("sonsUpToAge", "sons_up_to_age", 25, 26),
    ]

    for field, column, at_most, over in most:
        await linde.post("/places", place_body(site["id"], **{field: at_most}))
        refused = await linde.post("/places", place_body(site["id"], **{field: over}), expect=400)
        assert [fault["pointer"] for fault in refused["errors"]] == [f"/{field}"]
        for value, faults in ((at_most, []), (over, [column])):
            told = read_sound_rows(PLACES, csv_file(PLACE | {column: str(value)}))[1]
            assert [fault.column for fault in told.first] == faults
    page = await (await visitor(country, "coordinator", provider="linde")).read(
        f"/places/site/{site['id']}/place"
    )
    assert {'max="50"' in page, 'max="25"' in page} == {True}
