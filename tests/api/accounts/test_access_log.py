"""The access log: each look leaves exactly one entry, with the fields of NEN 7513."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.api.kit.access import ROUTES
from tests.access_calls import STAFF, Person, person
from tests.api.calls import finding_for, next_month
from tests.country import FAR, HERE, THERE, Country, place_body, referral_body, site_body
from tests.ledger_stays import newest, seal, stayed
from tests.swaps import chain

CASE = "/referrals/{id}"
FARTHER = [{"municipality": FAR, "radiusKm": 50, "cause": "work"}]
OWN = "its own"
"""The id that an answer has."""
OF_THEIR_OWN = {
    ("POST", "/sites"),
    ("POST", "/sites/{id}/approval"),
    ("POST", "/site-approvals"),
    ("POST", "/sites/{id}/address-reveals"),
    ("POST", "/placements/{id}/address-reveals"),
    ("POST", "/referrals/{id}/takeovers"),
    ("POST", "/budget-raises"),
    ("POST", "/holds"),
    ("POST", "/holds/{id}/danger-looks"),
    ("POST", "/break-glass-looks"),
}
"""These write their entries themselves, in the statement or transaction of the act."""

LOGGED = {call: row for call, row in ROUTES.items() if row.action}
OF_SWAPS = {call for call in LOGGED if "swap" in call[1] or "move-agreement" in call[1]}


class Walk:
    """A way through the API on which every call is looked up in the log."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.walked: set[tuple[str, str]] = set()

    async def by(
        self,
        who: Person,
        call: str,
        id_: str | None = None,
        body: Any = None,
        **expected: Any,
    ) -> Any:
        """Make a call that is granted, and check what its one entry says.

        That is the `object` (its id, where the path does not have it) and its `kind`, the referrals
        that it was `about`, and `why`.
        """
        method, template = call.split(" ")
        self.walked.add((method, template))
        headers = {"If-Match": "*"} if method == "PATCH" else {}
        path, params = template.replace("{id}", id_ or ""), expected.get("params")
        answer, row = await who.logged(method, path, json=body, headers=headers, params=params)
        assert answer.status_code < 300, answer.text
        shown = answer.json() if answer.content and call != "GET /settlements" else {}
        look = LOGGED[method, template]
        own = {OWN: shown.get("id")}
        object_id = expected.get("object", id_)
        assert (row.action, row.object_type, row.purpose) == (
            look.action,
            expected.get("kind", look.object_type),
            expected.get("why"),
        )
        assert str(row.object_id) == str(own.get(object_id, object_id))
        assert {str(one) for one in row.referral_ids} == {
            own.get(one, one) for one in expected.get("about", [])
        }
        return shown


async def registering(walk: Walk, linde: Person) -> str:
    """Look at and change an own site; return it, with places that are free."""
    second = await person(walk.country, "coordinator", provider="linde")
    site: str = (await walk.by(linde, "POST /sites", body=site_body(), object=OWN))["id"]
    await walk.by(second, "GET /site-approvals")
    await walk.by(second, "POST /sites/{id}/approval", site, {"approve": True})
    other = (await linde.client.post("/sites", site_body(name=f"Beside {site}")))["id"]
    both = {"ids": [other], "approve": True}
    await walk.by(second, "POST /site-approvals", body=both, object=other)
    await walk.by(linde, "GET /sites")
    await walk.by(linde, "GET /sites/{id}", site)
    await walk.by(linde, "PATCH /sites/{id}", site, {"name": f"Eik {site}"})
    await linde.client.post(f"/sites/{site}/confirmations")
    for _ in range(2):
        await linde.client.post("/places", place_body(site))
    return site


async def a_case(walk: Walk, haven: Person) -> str:
    """Register a household and change what is known of it; return it."""
    case: str = (
        await walk.by(haven, "POST /referrals", body=referral_body(), object=OWN, about=[OWN])
    )["id"]
    other = (await haven.client.post("/referrals", referral_body()))["id"]
    await walk.by(haven, "GET /referrals", about=[case, other])
    await walk.by(haven, f"GET {CASE}", case, about=[case])
    await walk.by(haven, f"PATCH {CASE}", case, {"urgency": "urgent"}, about=[case])
    await walk.by(
        haven, f"PATCH {CASE}", case, {"dangerZones": FARTHER}, about=[case], why="danger_zones"
    )
    await walk.by(haven, f"PATCH {CASE}", case, {"dangerZones": FARTHER}, about=[case])
    for anchor in (
        {"nearMunicipality": FAR},
        {"originMunicipality": THERE},
        {"originMunicipality": HERE},
    ):
        await walk.by(haven, f"PATCH {CASE}", case, anchor, about=[case], why="anchors")
    return case


async def a_hold(walk: Walk, haven: Person, case: str) -> str:
    """Rank the places for a household and hold the first one."""
    ranking = await walk.by(haven, f"POST {CASE}/rankings", case, about=[case], why="offers")
    await walk.by(haven, "GET /rankings/{id}", ranking["id"], about=[case])
    there = {"region": THERE}
    await walk.by(haven, "GET /rankings/{id}/obstacles", ranking["id"], params=there, about=[case])
    await walk.by(haven, "POST /rankings/{id}/replays", ranking["id"], about=[case])
    wanted = {
        "referralId": case,
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    return str((await walk.by(haven, "POST /holds", body=wanted, object=OWN, about=[case]))["id"])


async def a_place(walk: Walk, haven: Person, linde: Person, case: str) -> str:
    """Look at a hold from both sides, and have it accepted and confirmed.

    Return the placement.
    """
    hold = await a_hold(walk, haven, case)
    await walk.by(haven, "GET /holds")
    await walk.by(haven, "GET /holds/{id}", hold)
    await walk.by(linde, "GET /holds", about=[case])
    await walk.by(linde, "GET /holds/{id}", hold, about=[case])
    why = {"reason": "network"}
    await walk.by(linde, "POST /holds/{id}/danger-looks", hold, why, about=[case], why="network")
    await walk.by(haven, "POST /holds/{id}/renewals", hold)
    await walk.by(linde, "POST /holds/{id}/acceptance", hold, {"by": "person"}, about=[case])
    return str(
        (await walk.by(haven, "POST /placements", body={"holdId": hold}, about=[case]))["id"]
    )


async def a_stay(walk: Walk, haven: Person, linde: Person, placement: str, case: str) -> None:
    """Look at a placement, from the way there to the departure."""
    for who in (haven, linde):
        coming = [case] if who is linde else []
        await walk.by(who, "GET /placements", about=coming)
        await walk.by(who, "GET /placements/{id}", placement, about=coming)
    await walk.by(
        linde,
        "PATCH /placements/{id}",
        placement,
        {"expectedDeparture": "2027-03-01"},
        about=[case],
    )
    await walk.by(linde, "POST /placements/{id}/arrival", placement, about=[case])
    await walk.by(linde, "POST /placements/{id}/departure", placement, {"destination": "own_home"})
    await walk.country.rows("UPDATE placements SET created_at = created_at - interval '9 days'")
    wrong = {"code": "arrived_other_day", "at": (datetime.now(UTC) - timedelta(days=2)).isoformat()}
    await walk.by(linde, "POST /placements/{id}/corrections", placement, wrong)


async def a_decision(walk: Walk, placement: str, case: str) -> None:
    """Look into how it was decided, as the auditor of the region that they came from."""
    auditor = await person(walk.country, "auditor", region=HERE)
    await walk.by(auditor, "GET /decisions", about=[case])
    await walk.by(auditor, "GET /decisions/{id}", placement, about=[case])
    await walk.by(auditor, "GET /own-region-checks", params={"from": "2026-Q1", "to": "2026-Q1"})


async def the_main_job(walk: Walk, haven: Person, linde: Person) -> str:
    """From the register to the departure, with the address seen by both; return the case."""
    site = await registering(walk, linde)
    case = await a_case(walk, haven)
    placement = await a_place(walk, haven, linde, case)
    why = {"purpose": "transport"}
    await walk.by(linde, "POST /sites/{id}/address-reveals", site, why, why="transport")
    there = "POST /placements/{id}/address-reveals"
    seen = {"object": site, "kind": "site", "about": [case], "why": "transport"}
    await walk.by(haven, there, placement, why, **seen)
    await a_stay(walk, haven, linde, placement, case)
    await a_decision(walk, placement, case)
    return case


async def other_ends(walk: Walk, haven: Person, linde: Person) -> None:
    """A hold given back, discarded, declined; a case withdrawn.

    A household that did not come.
    """
    await registering(walk, linde)
    case, another = [
        (await haven.client.post("/referrals", referral_body()))["id"] for _ in range(2)
    ]
    for call, body in (
        ("POST /holds/{id}/release", {"reason": "mistake"}),
        ("DELETE /holds/{id}", None),
    ):
        await walk.by(haven, call, await a_hold(walk, haven, case), body)
    placement = await a_place(walk, haven, linde, another)
    await walk.by(haven, "POST /placements/{id}/no-show", placement, {"safetyChecked": True})
    declined = await a_hold(walk, haven, case)
    await walk.by(linde, "POST /holds/{id}/decline", declined, {"reason": "staffing"})
    await walk.by(linde, "POST /holds/{id}/decline-withdrawal", declined)
    await walk.by(haven, f"POST {CASE}/withdrawal", case, {"reason": "mistake"}, about=[case])
    await walk.by(haven, f"POST {CASE}/reopening", case, about=[case])


async def those_who_wait(walk: Walk, eik: Person, linde: Person) -> None:
    """A case with a contact log and an alternative, for which linde is responsible."""
    case = (await eik.client.post("/referrals", referral_body()))["id"]
    await walk.by(eik, f"POST {CASE}/contacts", case, {"note": "Belt morgen."}, about=[case])
    await walk.by(eik, f"GET {CASE}/contacts", case, about=[case])
    used = {"kind": "hotel", "responsibleProviderId": str(linde.provider_id)}
    alternative = (await walk.by(eik, f"POST {CASE}/alternatives", case, used, about=[case]))["id"]
    await walk.by(eik, "GET /waiting-list", object=case, about=[case])
    for who in (eik, linde):
        await walk.by(who, "GET /alternatives", about=[case])
        await walk.by(who, "GET /alternatives/{id}", alternative, about=[case])
    (due, *_) = (await eik.client.get("/dues"))["items"]
    await walk.by(eik, "GET /dues", about=[case])
    await walk.by(eik, "POST /dues/{id}/sights", due["id"], about=[case])
    await walk.by(eik, "POST /dues/{id}/takings", due["id"], about=[case])
    await walk.by(
        linde, "POST /alternatives/{id}/checks", alternative, {"outcome": "well"}, about=[case]
    )
    await walk.by(
        linde, "POST /alternatives/{id}/ending", alternative, {"reason": "left"}, about=[case]
    )


async def where_it_works(walk: Walk) -> None:
    """An administrator says where a provider works."""
    chief = await person(walk.country, "administrator")
    linde = str(walk.country.providers["linde"])
    await walk.by(chief, "PUT /providers/{id}/regions", linde, {"regions": [THERE, FAR]})


async def plans_and_webhooks(walk: Walk, pine: Person) -> None:
    """A plan for a peak, by a desk and by an account that sees the country in counts.

    And a webhook.
    """
    administrator = await person(walk.country, "administrator")
    case = (await pine.client.post("/referrals", referral_body()))["id"]
    await walk.by(pine, "POST /peak-plans", about=[case], why="offers")
    plan = (await walk.by(administrator, "POST /peak-plans"))["id"]
    await walk.by(administrator, "GET /peak-plans/{id}", plan)
    webhook = (await walk.by(pine, "POST /webhooks", body={"url": "https://hooks.example/plek"}))[
        "id"
    ]
    await walk.by(pine, "GET /webhooks")
    await walk.by(pine, "DELETE /webhooks/{id}", webhook)


async def shields(walk: Walk, haven: Person, other: Person) -> None:
    """A case that only named colleagues see, and the look of one who is not named."""
    case = await haven.client.post("/referrals", referral_body())
    await walk.by(other, f"POST {CASE}/takeovers", case["id"], about=[case["id"]])
    of_other = {"account": str(other.account_id), "reason": "busy_shift"}
    await walk.by(
        haven, "POST /budget-raises", body=of_other, object=other.account_id, why="busy_shift"
    )
    await walk.by(haven, f"PUT {CASE}/shield", case["id"], {"colleagues": []}, about=[case["id"]])
    wanted = {"reference": case["reference"], "reason": "client_on_the_line"}
    why, about = "client_on_the_line", [case["id"]]
    await walk.by(
        other, "POST /break-glass-looks", body=wanted, object=case["id"], about=about, why=why
    )
    await walk.by(haven, f"DELETE {CASE}/shield", case["id"], about=[case["id"]])


async def the_log_itself(walk: Walk, haven: Person, left: str) -> None:
    """Read the log, and take the ledger along, in which the one who left stands."""
    administrator = await person(walk.country, "administrator")
    auditor = await person(walk.country, "auditor", region=HERE)
    case = (await haven.client.post("/referrals", referral_body()))["id"]
    await walk.by(haven, f"GET {CASE}/accesses", case, about=[case])
    await walk.by(haven, "GET /access-notices")
    await walk.by(administrator, "GET /access-log")
    await walk.by(administrator, "GET /review-findings")
    finding = await finding_for(walk.country, "linde")
    await walk.by(administrator, "POST /review-findings/{id}/answer", finding, {"answer": "work"})
    await walk.by(administrator, "GET /ledger/entries")
    await walk.by(auditor, "GET /ledger/entries", about=[left])


async def those_who_account(walk: Walk) -> None:
    """Settle with another region, and set a cap for the own one."""
    auditor = await person(walk.country, "auditor", region=HERE)
    await stayed(walk.country, newest().first)
    await seal(walk.country)
    quarter = {"from": str(newest()), "to": str(newest())}
    await walk.by(auditor, "GET /settlements", params=quarter)
    await walk.by(auditor, "GET /fair-share-pairs", params=quarter)
    cap = await walk.by(
        auditor, "POST /caps", body={"atMost": 1, "reason": "staffing", "until": next_month()}
    )
    await walk.by(auditor, "POST /caps/{id}/withdrawal", cap["id"])


async def test_each_look_that_is_granted_leaves_exactly_one_entry_that_says_who_what_when_and_why(
    country: Country,
) -> None:
    walk = Walk(country)
    linde, haven, other, eik = [
        await person(country, *STAFF, provider=slug) for slug in ("linde", "haven", "haven", "eik")
    ]

    await those_who_account(walk)
    left = await the_main_job(walk, haven, linde)
    await other_ends(walk, haven, linde)
    await those_who_wait(walk, eik, linde)
    await where_it_works(walk)
    await plans_and_webhooks(walk, await person(country, *STAFF, provider="pine"))
    await shields(walk, haven, other)
    await the_log_itself(walk, haven, left)

    assert (
        walk.walked
        == {call for call, look in LOGGED.items() if look.granted} - OF_SWAPS | OF_THEIR_OWN
    )


async def test_so_does_each_look_at_who_could_move_and_at_swaps(country: Country) -> None:
    walk = Walk(country)
    there = await chain(country)
    desk, host = [await person(country, *STAFF, provider=slug) for slug in ("haven", "linde")]
    placement, both = there.resident.placement_id, [there.waiting, there.resident.referral_id]

    agreement = "/placements/{id}/move-agreement"
    for call in ("GET", "DELETE", "PUT"):
        await walk.by(host, f"{call} {agreement}", placement)
    wanted = {"referralId": there.waiting}
    found = (await walk.by(desk, "POST /swap-searches", body=wanted, about=both))["id"]
    swap = (await walk.by(desk, "POST /swaps", body={"searchId": found, "rank": 1}, about=both))[
        "id"
    ]
    await walk.by(desk, "GET /swaps")
    await walk.by(desk, "GET /swaps/{id}", swap)
    coming = [there.waiting]  # who is asked to take them in sees who that would be
    (leg, *_) = (await walk.by(host, "GET /swaps/{id}", swap, about=coming))["legs"]
    yes = {"legId": leg["id"], "as": leg["yours"][0]}
    await walk.by(host, "POST /swaps/{id}/consents", swap, yes, about=coming)
    await walk.by(host, "POST /swaps/{id}/refusal", swap, {"reason": "staffing"})

    assert walk.walked == OF_SWAPS


async def test_what_machines_and_desks_ask_of_their_own_places_all_day_leaves_none(
    country: Country,
) -> None:
    linde = await person(country, *STAFF, "client_system", provider="linde")
    site = (await linde.client.post("/sites", site_body(name="Iep")))["id"]
    before = await country.value("SELECT count(*) FROM access_log")

    place = (await linde.client.post("/places", place_body(site)))["id"]
    await linde.client.post(f"/sites/{site}/confirmations")
    await linde.client.get("/places")
    await linde.client.get(f"/places/{place}")
    await linde.client.patch(f"/places/{place}", {"label": "9Z"})
    for path in ("/availability", "/providers", "/regions", "/colleagues"):
        await linde.client.get(path)

    assert await country.value("SELECT count(*) FROM access_log") == before


async def test_an_answer_that_is_given_again_is_a_look_as_well(country: Country) -> None:
    haven = await country.client("intake_worker", provider="haven")
    body = referral_body()
    first = await haven.post("/referrals", body, key="same")
    rows = "SELECT action, referral_ids[1]::text AS referral FROM access_log ORDER BY id"

    assert await haven.post("/referrals", body, key="same") == first
    assert [tuple(row) for row in await country.rows(rows)] == [("register", first["id"])] * 2

    await country.rows("REVOKE INSERT ON access_log FROM plek_app")
    again = await haven.ask("POST", "/referrals", json=body, key="same")
    assert again.status_code >= 500
    assert first["id"] not in again.text
