"""Policies over HTTP: published ahead, read by everybody, in force for all at once."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import PostgresError
from sqlalchemy import text

from app.reference import policy_document
from tests.country import FAR, Country, referral_body, shelter


def draft(
    version: str = "next", *, valid_from: str = "2099-01-01", **changes: Any
) -> dict[str, Any]:
    return policy_document() | {"version": version, "valid_from": valid_from} | changes


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


async def refused(client: Any, document: object, *, status: int = 409) -> Any:
    answer = await client.post("/policies", document, expect=status)
    return (
        answer["code"]
        if status == 409
        else {fault["pointer"]: fault["message"] for fault in answer["errors"]}
    )


async def test_administrators_publish_what_begins_later_and_everybody_reads_it(
    country: Country,
) -> None:
    administrator = await country.client("administrator")
    document = draft(hold_minutes=90)

    made = await administrator.post("/policies", document)

    assert (made["version"], made["current"], made["document"]) == ("next", False, document)
    assert made["validFrom"] == "2098-12-31T23:00:00Z"  # midnight, as clocks there have it
    auditor = await country.client("auditor", region=FAR)
    items = (await auditor.get("/policies"))["items"]
    assert [(item["version"], item["current"]) for item in items] == [
        ("next", False),
        ("nl-demo-6", True),
    ]
    first = await auditor.get("/policies", params={"limit": 1})
    second = await auditor.get("/policies", params={"limit": 1, "cursor": first["nextCursor"]})
    assert [*first["items"], *second["items"]] == items
    for name in (made["version"], made["hash"]):
        assert await auditor.get(f"/policies/{name}") == made
        assert (await auditor.get(f"/policies/nl-demo-6/differences?to={name}"))["differences"] == [
            {"pointer": "/hold_minutes", "change": "changed", "before": 120, "after": 90},
            {
                "pointer": "/valid_from",
                "change": "changed",
                "before": "2026-01-01",
                "after": "2099-01-01",
            },
            {"pointer": "/version", "change": "changed", "before": "nl-demo-6", "after": "next"},
        ]
    for path in (
        "/policies/none",
        "/policies/%00",
        "/policies/none/differences?to=next",
        "/policies/next/differences?to=x",
    ):
        await auditor.get(path, expect=404)
    log = (await administrator.get("/access-log", params={"action": "publish"}))["items"]
    (entry,) = log
    assert (entry["objectType"], entry["outcome"]) == ("policy", "granted")
    assert UUID(entry["objectId"]).hex in made["hash"]


async def test_what_is_published_stays_as_it_is(country: Country) -> None:
    administrator = await country.client("administrator")
    made = await administrator.post("/policies", draft())

    assert await administrator.post("/policies", draft()) == made
    assert await refused(administrator, draft(renewals=1)) == "policy_version_taken"
    assert (
        await refused(administrator, draft("nl-demo-6", valid_from="2099-02-01"))
        == "policy_version_taken"
    )
    assert await refused(administrator, draft("other")) == "policy_beginning_taken"
    current = await administrator.post("/policies", policy_document())
    assert (current["version"], current["current"]) == ("nl-demo-6", True)
    assert len((await administrator.get("/access-log", params={"action": "publish"}))["items"]) == 1


async def test_every_fault_is_named_and_nothing_begins_in_the_past(country: Country) -> None:
    administrator = await country.client("administrator")
    now = await country.value("SELECT clock_timestamp()")
    document = draft(renewals=99, radii_km=[20, 10], unheard_of=1)
    del document["hold_minutes"]

    assert set(await refused(administrator, document, status=400)) == {
        "/renewals", "/radii_km", "/unheard_of", "/hold_minutes",
    }  # fmt: skip
    document = draft()
    document["points"]["fit"]["scarce_features"] = ["pets", "swimming_pool"]
    assert await refused(administrator, document, status=400) == {
        "/points/fit/scarce_features/1": "is not one of the features"
    }
    early = ("2026-01-02", moment(now - timedelta(days=1)), moment(now + timedelta(seconds=30)))
    for valid_from in early:
        assert list(await refused(administrator, draft(valid_from=valid_from), status=400)) == [
            "/valid_from"
        ]
    await administrator.post("/policies", draft(valid_from=moment(now + timedelta(minutes=5))))


async def test_a_policy_takes_effect_at_its_moment_in_processes_that_run_on(
    country: Country,
) -> None:
    await shelter(country)
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    before = await intake.post(f"/referrals/{referral['id']}/rankings")
    hash_ = (
        await (await country.client("administrator")).post(
            "/policies", draft(rankings_per_hour=900)
        )
    )["hash"]
    # Nearer than anybody may publish it; every process reads it ahead of its moment, and again
    # after that nothing.
    await country.rows(
        "UPDATE policies SET valid_from = clock_timestamp() + interval '0.7 s' WHERE version = "
        "'next'"
    )
    await country.rows("UPDATE heads SET value = value + 1 WHERE name = 'reference'")

    cited: list[str] = [before["policy"]["hash"]]
    while cited[-1] != hash_:
        async with country.parts.database.transaction() as tx:
            cited.append((await tx.snapshots.reference(tx)).policy_hash)
    after = await intake.post(f"/referrals/{referral['id']}/rankings")

    assert after["policy"] == {"version": "next", "hash": hash_}
    assert set(cited) == {before["policy"]["hash"], hash_}
    wrong = """SELECT count(*) FROM rankings AS r WHERE policy_hash <>
    (SELECT hash FROM policies WHERE valid_from <= r.as_of ORDER BY valid_from DESC LIMIT 1)"""
    assert await country.value(wrong) == 0
    items = (await intake.get("/policies"))["items"]
    assert [(item["version"], item["current"]) for item in items] == [
        ("next", True),
        ("nl-demo-6", False),
    ]
    assert (await intake.post(f"/rankings/{before['id']}/replays", expect=200))["identical"] is True


async def test_radii_are_those_of_the_policy(country: Country) -> None:
    intake = await country.client("intake_worker", provider="haven")
    zone = {"municipality": "GM0518", "radiusKm": 55, "cause": "home"}

    answer = await intake.post("/referrals", referral_body(dangerZones=[zone]), expect=400)
    made = await intake.post("/referrals", referral_body())
    path = f"/referrals/{made['id']}"
    changed = await intake.patch(
        path, {"dangerZones": [zone]}, expect=400, headers={"If-Match": "*"}
    )

    for refusal in (answer, changed):
        assert [fault["pointer"] for fault in refusal["errors"]] == ["/dangerZones/0/radiusKm"]
        assert "must be one of 5, 10, 15" in refusal["errors"][0]["message"]


async def test_the_database_lets_only_administrators_add_a_policy_and_nobody_change_one(
    country: Country,
) -> None:
    add = """INSERT INTO policies (hash, version, valid_from, document)
    VALUES (:version, :version, clock_timestamp() + :days * interval '1 day', '{}')"""
    change, remove = "UPDATE policies SET version = 'mine'", "DELETE FROM policies"
    roles = {"administrator": {}, "coordinator": {"provider": "linde"}, "auditor": {"region": FAR}}
    allowed: list[tuple[str, str]] = []

    for days, (role, whose) in enumerate(roles.items(), start=1):
        hashed = await country.hashed(role, **whose)
        for act in (add, change, remove):
            with suppress(PostgresError):
                async with country.parts.database.transaction(hashed) as tx:
                    await tx.run(text(act), {"version": role, "days": days} if act is add else None)
                    allowed.append((role, act))

    assert allowed == [("administrator", add)]
