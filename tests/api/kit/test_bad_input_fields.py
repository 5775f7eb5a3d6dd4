"""Bad input in a field: every fault is named by its place, and nothing changed."""

import json
from typing import Any

import pytest

from tests.api.calls import answer_to, counts, faults, world
from tests.country import HERE, Country, referral_body

ALL_WRONG: dict[str, Any] = {
    "urgency": "yesterday",
    "reason": "bored",
    "originMunicipality": "GM9999",
    "household": {
        "adults": [{"gender": "robot", "age": -1}, {"gender": "female", "age": 900}, {"age": "31"}],
        "children": [{"age": 26}, {"age": 4.5}, {"gender": "x"}, {"name": "Tim"}],
        "pets": -1,
        "pregnant": "no",
    },
    "dangerAssessment": "perhaps",
    "dangerZones": [
        {"municipality": "GM0001", "radiusKm": -50},
        {"municipality": HERE, "radiusKm": 40_075, "cause": "weather", "until": "2027-02-30"},
        {"municipality": HERE, "radiusKm": True, "until": 1_800_000_000},
    ],
    "perpetratorWhereabouts": "moon",
    "threatLevel": 4,
    "targetGroups": ["tourists"],
    "needs": ["sauna"],
    "languages": ["Dutch"],
    "nearMunicipality": "Zwolle",
    "barredProviders": ["nobody"],
    "safetyPlan": 1,
    "callBack": "ask for \u0000",
    "surname": "x",
}
ITS_FAULTS = {
    "/urgency",
    "/reason",
    "/originMunicipality",
    "/household/adults/0/gender",
    "/household/adults/0/age",
    "/household/adults/1/age",
    "/household/adults/2/gender",
    "/household/adults/2/age",
    "/household/children/0/age",
    "/household/children/1/age",
    "/household/children/2/gender",
    "/household/children/3/name",
    "/household/pets",
    "/household/pregnant",
    "/dangerAssessment",
    "/dangerZones/0/municipality",
    "/dangerZones/0/radiusKm",
    "/dangerZones/1/radiusKm",
    "/dangerZones/1/cause",
    "/dangerZones/1/until",
    "/dangerZones/2/radiusKm",
    "/dangerZones/2/until",
    "/perpetratorWhereabouts",
    "/threatLevel",
    "/targetGroups/0",
    "/needs/0",
    "/languages/0",
    "/nearMunicipality",
    "/barredProviders/0",
    "/safetyPlan",
    "/callBack",
    "/surname",
}


async def test_every_fault_of_a_referral_is_named_at_once(country: Country) -> None:
    intake = await country.client("intake_worker", provider="haven")
    before = await counts(country)

    problem = await intake.post("/referrals", ALL_WRONG, expect=400)

    assert problem["code"] == "invalid_input"
    assert {fault["pointer"] for fault in problem["errors"]} == ITS_FAULTS
    assert all(fault["message"] for fault in problem["errors"])
    assert await counts(country) == before


@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"household": {"adults": []}}, {"/household/adults"}),
        ({"household": {"children": [{"age": 3}]}}, {"/household/adults"}),
        ({"household": {}}, {"/household/adults"}),
        ({"household": None}, {"/household"}),
        ({"household": {"adults": [{"gender": "female"}] * 11}}, {"/household/adults"}),
        ({"dangerZones": []}, {"/dangerZones"}),
        ({"dangerZones": [{"municipality": HERE, "radiusKm": 50}] * 2}, {"/dangerZones"}),
        (
            {"dangerZones": [{"municipality": HERE, "radiusKm": 10**25}]},
            {"/dangerZones/0/radiusKm"},
        ),
        ({"dangerZones": [{"municipality": HERE, "radiusKm": 50.0}]}, {"/dangerZones/0/radiusKm"}),
        (
            {"dangerZones": [{"municipality": HERE, "radiusKm": 50, "until": "0001-01-01"}]},
            {"/dangerZones/0/until"},
        ),
        ({"needs": ["pets", "pets"]}, {"/needs"}),
        ({"languages": "nl"}, {"/languages"}),
        ({"callBack": "please ring after six"}, {"/callBack"}),
        ({"urgency": "acute\u0000"}, {"/urgency"}),
        ({"urgency": ["acute"]}, {"/urgency"}),
        ({"urgency": "x" * 100_000}, {"/urgency"}),
        ({"originMunicipality": {"code": HERE}}, {"/originMunicipality"}),
        ({"a/b~c": 1}, {"/a~1b~0c"}),
        ({"": 1}, {"/"}),
        ({"\U0001f600": 1}, {"/\U0001f600"}),
    ],
)
async def test_a_referral_is_refused_when_it_is_new_and_when_it_changes(
    country: Country, changes: dict[str, Any], pointers: set[str]
) -> None:
    intake = await country.client("intake_worker", provider="haven")
    there = await intake.post("/referrals", referral_body())
    before = await counts(country)

    problem = await intake.post("/referrals", referral_body(**changes), expect=400)
    assert {fault["pointer"] for fault in problem["errors"]} == pointers
    path = f"/referrals/{there['id']}"
    problem = await intake.patch(path, changes, headers={"If-Match": "*"}, expect=400)
    assert {fault["pointer"] for fault in problem["errors"]} == pointers

    assert await counts(country) == before
    assert await intake.get(path) == there


async def test_danger_that_was_assessed_is_somewhere(country: Country) -> None:
    intake = await country.client("intake_worker", provider="haven")
    body = referral_body(dangerZones=[], threatLevel=0)
    problem = await intake.post("/referrals", body, expect=400)
    assert {fault["pointer"] for fault in problem["errors"]} == {"/dangerZones", "/threatLevel"}
    assert await country.value("SELECT count(*) FROM referrals") == 0


async def test_null_is_an_answer_only_where_unknown_is_one(country: Country) -> None:
    intake = await country.client("intake_worker", provider="haven")
    there = await intake.post("/referrals", referral_body())
    nulls = dict.fromkeys(referral_body(needs=[], languages=[], safetyPlan=False))

    problem = await intake.patch(
        f"/referrals/{there['id']}", nulls, headers={"If-Match": "*"}, expect=400
    )

    assert {fault["pointer"] for fault in problem["errors"]} == {f"/{name}" for name in nulls}
    known = {
        "threatLevel": None,
        "nearMunicipality": None,
        "callBack": None,
        "perpetratorWhereabouts": None,
    }
    await intake.patch(f"/referrals/{there['id']}", known, headers={"If-Match": "*"})


CASES: list[tuple[tuple[str, str], Any, set[str]]] = [
    (("POST", "/referrals/{id}/rankings"), {"limit": 0}, {"/limit"}),
    (("POST", "/referrals/{id}/rankings"), {"limit": 26, "sort": "near"}, {"/limit", "/sort"}),
    (("POST", "/referrals/{id}/rankings"), {"limit": "20"}, {"/limit"}),
    (("POST", "/holds"), {}, {"/referralId", "/rankingId", "/offerId"}),
    (("POST", "/holds"), {"referralId": 1, "rankingId": None, "offerId": "x" * 201,
     "overrideReason": "love"},
     {"/referralId", "/rankingId", "/offerId", "/overrideReason"}),
    (("POST", "/holds/{id}/release"), {"reason": "lunch"}, {"/reason"}),
    (("POST", "/holds/{id}/release"), {}, {"/reason"}),
    (("POST", "/holds/{id}/acceptance"), {"by": "machine", "note": ""}, {"/by", "/note"}),
    (("POST", "/holds/{id}/decline"), {"reason": "mistake"}, {"/reason"}),
    (("POST", "/placements"), {"expectedAt": "2027-01-01T12:00:00"}, {"/holdId", "/expectedAt"}),
    (("POST", "/placements"), {"holdId": [], "expectedAt": 1_800_000_000}, {"/holdId",
     "/expectedAt"}),
    (("POST", "/placements"), {"holdId": "x" * 41, "expectedAt": "9999-12-31T23:59:59-12:00"},
     {"/holdId", "/expectedAt"}),
    (("POST", "/placements"), {"holdId": "x", "expectedAt": "tomorrow"}, {"/expectedAt"}),
    (("PATCH", "/placements/{id}"), {"expectedDeparture": "2027-02-29",
     "readyToLeaveSince": 20_000, "blockers": None},
     {"/expectedDeparture", "/readyToLeaveSince", "/blockers"}),
    (("PATCH", "/placements/{id}"), {"expectedDeparture": "2027-01-01T00:00:00",
     "blockers": ["rain", "housing"]},
     {"/expectedDeparture", "/blockers/0"}),
    (("POST", "/placements/{id}/no-show"), {"safetyChecked": "yes", "why": 1}, {"/safetyChecked",
     "/why"}),
    (("POST", "/placements/{id}/departure"), {"destination": "space", "blockers": ["debt",
     "debt"], "departedAt": "1"},
     {"/destination", "/blockers", "/departedAt"}),
    (("POST", "/sites/{id}/address-reveals"), {"purpose": "curiosity", "referralId": ""},
     {"/purpose", "/referralId"}),
]  # fmt: skip


async def test_every_fault_of_every_other_body_is_named_at_once(country: Country) -> None:
    there = await world(country)
    before = await counts(country)
    for call, body, pointers in CASES:
        assert set(faults(await answer_to(there, call, json.dumps(body).encode()))) == pointers, (
            f"{call} {body}"
        )
    assert await counts(country) == before


@pytest.mark.parametrize(
    "path, query, pointers",
    [
        ("/holds", {"status": "lost", "limit": "0"}, {"/status", "/limit"}),
        ("/referrals", {"status": "x" * 100, "limit": "ten"}, {"/status", "/limit"}),
        ("/placements", {"status": "\u0000", "limit": "-1"}, {"/status", "/limit"}),
        (
            "/availability",
            {"kind": "tent", "region": "GM0001", "limit": "201"},
            {"/kind", "/region", "/limit"},
        ),
        ("/sites", {"limit": "9" * 5000}, {"/limit"}),
        ("/sites", {"limit": "1e2"}, {"/limit"}),
        ("/sites", {"limit": ""}, {"/limit"}),
    ],
)
async def test_every_fault_of_a_query_is_named_at_once(
    country: Country, path: str, query: dict[str, str], pointers: set[str]
) -> None:
    client = await country.client("intake_worker", "coordinator", provider="haven")
    answer = await client.ask("GET", path, params=query)
    assert set(faults(answer)) == pointers


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_a_key_that_cannot_be_kept_is_refused(country: Country, key: str) -> None:
    intake = await country.client("intake_worker", provider="haven")
    answer = await intake.ask(
        "POST", "/referrals", json=referral_body(), headers={"Idempotency-Key": key}
    )
    assert set(faults(answer)) == {"/headers/Idempotency-Key"}
    assert await country.value("SELECT count(*) FROM referrals") == 0
