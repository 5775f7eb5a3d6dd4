"""Own sites on the wire."""

from uuid import uuid4

from tests.country import FAR, HERE, THERE, Country, approve, place_body, site_body


async def test_a_site_is_answered_without_its_address_and_unconfirmed(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    body = site_body(features=["cots", "pets"], specialisms=["young_mother"])

    made = await coordinator.post("/sites", body)

    assert made == {name: value for name, value in body.items() if name != "address"} | {
        "id": made["id"],
        "status": "proposed",
        "proposed": {
            "id": made["proposed"]["id"],
            "municipality": None,
            "addressSecrecy": None,
            "address": False,
            "proposedAt": made["proposed"]["proposedAt"],
            "awaits": ["administrator"],
        },
        "new": False,
        "confirmedAt": None,
        "compromised": None,
        "compromisedSince": None,
    }
    assert await coordinator.get(f"/sites/{made['id']}") == made
    assert (await coordinator.get("/sites"))["items"] == [made]


async def test_name_and_address_are_stored_sealed(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    await coordinator.post("/sites", site_body(name="Zonnewende"))

    for table in ("sites", "site_secrets", "outbox", "answers", "access_log"):
        for row in await country.rows(f"SELECT t::text AS row FROM {table} AS t"):  # noqa: S608 - names above
            assert "Zonnewende" not in row.row
            assert b"Zonnewende".hex() not in row.row
            assert b"Voorbeeldstraat".hex() not in row.row


async def test_every_fault_of_a_site_is_named_at_once(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    body = site_body(
        name=" ",
        municipality="GM9999",
        address={"street": "x" * 201, "postcode": "0000 AA"},
        features=["pets", "pets"],
        supervision="sometimes",
        automaticAcceptance=True,
        colour="red",
    )

    problem = await coordinator.post("/sites", body, expect=400)

    assert problem["code"] == "invalid_input"
    assert {fault["pointer"] for fault in problem["errors"]} == {
        "/name",
        "/municipality",
        "/address/street",
        "/address/city",
        "/features",
        "/supervision",
        "/automaticAcceptance",
        "/colour",
    }
    assert await country.value("SELECT count(*) FROM sites") == 0


async def test_a_confidential_site_never_accepts_automatically(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    known = await coordinator.post(
        "/sites", site_body(addressSecrecy="known", automaticAcceptance=True)
    )
    await approve(country, known["id"])

    problem = await coordinator.patch(
        f"/sites/{known['id']}", {"addressSecrecy": "confidential"}, expect=400
    )
    assert [fault["pointer"] for fault in problem["errors"]] == ["/automaticAcceptance"]

    both = {"addressSecrecy": "confidential", "automaticAcceptance": False}
    assert (await coordinator.patch(f"/sites/{known['id']}", both))["automaticAcceptance"] is False


async def test_what_is_not_sent_stays_and_null_is_no_value(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    made = await coordinator.post("/sites", site_body(features=["cots"]))

    changed = await coordinator.patch(
        f"/sites/{made['id']}", {"name": "Eik", "admission": "paused"}
    )
    assert changed == made | {"name": "Eik", "admission": "paused"}
    assert await coordinator.patch(f"/sites/{made['id']}", {}) == changed

    problem = await coordinator.patch(
        f"/sites/{made['id']}", {"name": None, "features": None}, expect=400
    )
    assert {fault["pointer"] for fault in problem["errors"]} == {"/name", "/features"}


async def test_a_change_that_rankings_know_outdates_them_and_another_address_leaves_no_trace(
    country: Country,
) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    site = await coordinator.post("/sites", site_body())
    marks = "SELECT (SELECT value FROM heads WHERE name = 'register'), revision FROM sites"
    await approve(country, site["id"])
    first = (await country.rows(marks))[0]
    address = {"street": "Andere straat 2", "postcode": "0000 BB", "city": "Nergenshuizen"}

    await coordinator.patch(f"/sites/{site['id']}", {"name": "Eik", "address": address})
    await coordinator.post(f"/sites/{site['id']}/confirmations")
    await approve(country, site["id"])
    assert (await country.rows(marks))[0] == first

    await coordinator.patch(f"/sites/{site['id']}", {"admission": "paused"})
    second = (await country.rows(marks))[0]
    assert second.value > first.value
    assert second.revision > first.revision


async def test_a_site_that_moves_is_counted_where_it_went(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    linde = await country.provider("linde", regions=(THERE, FAR))
    site = await coordinator.post("/sites", site_body())
    await approve(country, site["id"])
    before = await country.value("SELECT coalesce(max(id), 0) FROM outbox")

    await coordinator.patch(f"/sites/{site['id']}", {"municipality": FAR})
    assert (await coordinator.get(f"/sites/{site['id']}"))["municipality"] == THERE
    await approve(country, site["id"])

    told = await country.rows(
        "SELECT subject, audience FROM outbox"
        " WHERE id > :before AND kind = 'availability' ORDER BY id",
        before=before,
    )
    assert [tuple(row) for row in told] == [(region, [linde]) for region in sorted((THERE, FAR))]


async def test_a_stale_if_match_changes_nothing(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    made = await coordinator.ask("POST", "/sites", json=site_body(), expect=201)
    path = f"/sites/{made.json()['id']}"
    read = await coordinator.ask("GET", path, expect=200)
    assert read.headers["ETag"] == made.headers["ETag"]
    await coordinator.ask("GET", path, headers={"If-None-Match": read.headers["ETag"]}, expect=304)

    match = {"If-Match": read.headers["ETag"]}
    first = await coordinator.ask("PATCH", path, json={"name": "Eik"}, headers=match, expect=200)
    problem = (
        await coordinator.ask("PATCH", path, json={"name": "Es"}, headers=match, expect=412)
    ).json()

    assert problem["code"] == "stale"
    assert (await coordinator.ask("GET", path)).headers["ETag"] == first.headers["ETag"]


async def test_sites_come_in_pages_oldest_first(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    made = [(await coordinator.post("/sites", site_body(name=f"Huis {n}")))["id"] for n in range(5)]

    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await coordinator.get("/sites", params=query)
        assert len(page["items"]) <= 2
        seen += [site["id"] for site in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break

    assert seen == made
    await coordinator.get("/sites", params={"cursor": "nonsense"}, expect=400)
    await coordinator.get("/sites", params={"limit": "201"}, expect=400)


async def test_another_providers_site_a_missing_one_and_nonsense_are_the_same(
    country: Country,
) -> None:
    linde = await country.client("coordinator", provider="linde")
    haven = await country.client("coordinator", provider="haven")
    site = await linde.post("/sites", site_body())
    place = await linde.post("/places", place_body(site["id"]))

    answers = set()
    for id_ in (site["id"], place["id"], str(uuid4()), "nonsense", "%00", "{" + site["id"] + "}"):
        for method, path, body in (
            ("GET", f"/sites/{id_}", None),
            ("PATCH", f"/sites/{id_}", {"name": "Mijn"}),
            ("POST", f"/sites/{id_}/confirmations", None),
            ("POST", f"/sites/{id_}/address-reveals", {"purpose": "other"}),
            ("GET", f"/places/{id_}", None),
            ("PATCH", f"/places/{id_}", {"status": "occupied"}),
            ("POST", "/places", place_body(id_)),
        ):
            answer = await haven.ask(method, path, json=body, expect=404)
            answers.add(answer.content)
    assert len(answers) == 1
    assert (await haven.get("/sites"))["items"] == []
    assert await linde.get(f"/sites/{site['id']}") == site


async def test_only_coordinators_have_sites(country: Country) -> None:
    for role in ("intake_worker", "client_system"):
        client = await country.client(role, provider="linde")
        await client.post("/sites", site_body(), expect=403)
        await client.get("/sites", expect=403)
    auditor = await country.client("auditor", region=THERE)
    await auditor.get("/sites", expect=403)
    nobody = await country.client()
    await nobody.post("/sites", site_body(), expect=401)


async def test_a_confirmation_says_when(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    system = await country.client("client_system", provider="linde")
    site = await coordinator.post("/sites", site_body(municipality=HERE))

    confirmed = await system.post(f"/sites/{site['id']}/confirmations")

    assert confirmed["siteId"] == site["id"]
    assert (await coordinator.get(f"/sites/{site['id']}"))["confirmedAt"] == confirmed[
        "confirmedAt"
    ]


async def test_a_repeat_adds_no_second_site(country: Country) -> None:
    coordinator = await country.client("coordinator", provider="linde")
    first = await coordinator.ask("POST", "/sites", json=site_body(), key="once", expect=201)
    again = await coordinator.ask("POST", "/sites", json=site_body(), key="once", expect=201)

    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    await coordinator.post("/sites", site_body(name="Eik"), key="once", expect=422)
    assert await country.value("SELECT count(*) FROM sites") == 1


async def test_no_two_sites_of_a_provider_have_one_name_whatever_its_case(
    country: Country,
) -> None:
    linde = await country.client("coordinator", provider="linde")
    made = await linde.post("/sites", site_body(name=" Het  Huis"))
    other = await linde.post("/sites", site_body(name="Es"))
    assert made["name"] == "Het Huis"

    refused = await linde.post("/sites", site_body(name="het huis "), expect=409)
    assert (refused["code"], "huis" in refused["detail"].lower()) == ("name_taken", False)
    path = f"/sites/{other['id']}"
    assert (await linde.patch(path, {"name": "HET HUIS"}, expect=409))["code"] == "name_taken"

    # Another provider's may be called the same, and so may one that comes after a rejected one.
    await (await country.client("coordinator", provider="haven")).post(
        "/sites", site_body(name="Es")
    )
    colleague = await country.client("coordinator", provider="linde")
    await colleague.post(f"/sites/{made['id']}/approval", {"approve": False}, expect=200)
    await linde.post("/sites", site_body(name="Het Huis"))
