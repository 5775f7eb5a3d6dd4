"""The owner's way to an address."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from app.config import Settings
from app.main import join
from tests.conftest import Server
from tests.country import (
    THERE,
    Client,
    Country,
    application,
    hold_first,
    referral_body,
    shelter,
    site_body,
)

ADDRESS = site_body()["address"]
WHY = {"purpose": "warm_handover"}
LOG = """SELECT action, outcome, purpose, object_type, object_id::text, provider_id,
referral_ids[1]::text AS referral_id, roles, at FROM access_log WHERE action = 'reveal' ORDER BY
id"""


async def reveal(
    client: Client, site_id: str, *, expect: int = 200, **more: str | None
) -> dict[str, Any]:
    """Ask for an address."""
    return await client.post(f"/sites/{site_id}/address-reveals", WHY | more, expect=expect)


async def a_hold(country: Country, **site: object) -> tuple[Client, Client, dict[str, Any]]:
    """Return the receiving coordinator, the intake worker, and the hold between them."""
    there = await shelter(country, "linde", site=site)
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    hold = await hold_first(intake, referral_id=referral["id"])
    return there.coordinator, intake, hold | {"siteId": there.site_id}


async def test_the_owner_sees_the_address_and_the_log_has_it(country: Country) -> None:
    there = await shelter(country)

    answer = await there.coordinator.ask(
        "POST", f"/sites/{there.site_id}/address-reveals", json=WHY, expect=200
    )

    assert answer.json() == {"address": ADDRESS}
    assert answer.headers["Cache-Control"] == "no-store"
    row = (await country.rows(LOG))[0]
    linde = await country.provider("linde")
    assert tuple(row)[:7] == (
        "reveal",
        "granted",
        "warm_handover",
        "site",
        there.site_id,
        linde,
        None,
    )
    assert row.roles == ["coordinator", "intake_worker"]


async def test_an_intake_worker_of_the_owner_sees_it_too(country: Country) -> None:
    there = await shelter(country)
    intake = await country.client("intake_worker", provider="linde")
    assert await reveal(intake, there.site_id) == {"address": ADDRESS}


async def test_an_owner_names_a_referral_that_has_to_do_with_the_site_or_none(
    country: Country,
) -> None:
    coordinator, _, hold = await a_hold(country)
    stranger = await country.client("intake_worker", provider="eik")
    foreign = await stranger.post("/referrals", referral_body())
    own = await coordinator.post("/referrals", referral_body())

    for referral_id in (hold["referralId"], own["id"], None):
        assert await reveal(coordinator, hold["siteId"], referralId=referral_id) == {
            "address": ADDRESS
        }
    for referral_id in (foreign["id"], str(uuid4())):
        await reveal(coordinator, hold["siteId"], referralId=referral_id, expect=404)


async def test_a_foreign_and_a_missing_site_are_refused_alike_and_both_are_logged(
    country: Country,
) -> None:
    there = await shelter(country)
    stranger = await country.client("coordinator", provider="eik")
    missing = str(uuid4())

    answers = [
        await reveal(stranger, id_, expect=404) for id_ in (there.site_id, missing, "nonsense")
    ]

    assert answers[0] == answers[1] == answers[2]
    rows = await country.rows(LOG)
    assert [row.outcome for row in rows] == ["refused"] * 3
    assert [row.object_id for row in rows][:2] == [there.site_id, missing]


async def test_without_a_log_there_is_no_address(country: Country) -> None:
    there = await shelter(country)
    await country.rows("REVOKE INSERT ON access_log FROM plek_app")

    answer = await there.coordinator.ask(
        "POST", f"/sites/{there.site_id}/address-reveals", json=WHY, expect=503
    )

    assert answer.headers["Retry-After"]
    assert ADDRESS["street"] not in answer.text


async def test_a_repeat_is_asked_and_logged_again(country: Country) -> None:
    there = await shelter(country)
    path = f"/sites/{there.site_id}/address-reveals"

    answers = [
        await there.coordinator.ask("POST", path, json=WHY, key="same", expect=200)
        for _ in range(2)
    ]

    assert "Idempotency-Replayed" not in answers[1].headers
    assert len(await country.rows(LOG)) == 2
    assert await country.value("SELECT count(*) FROM answers WHERE route LIKE '%reveals%'") == 0


async def test_a_pool_of_one_connection_is_enough_for_many_at_once(
    country: Country, embedded: Server
) -> None:
    there = await shelter(country)
    token = await country.token("coordinator", provider="linde")
    parts = join(
        Settings(rate_limit=0, pool_size=1),
        database_url=country.app_url,
        redis_url=embedded.redis_url,
        key=country.key,
    )
    client = await replace(
        country, parts=parts, app=country.stack.enter_context(application(parts))
    ).client(token=token)

    answers = await asyncio.gather(*(reveal(client, there.site_id) for _ in range(8)))

    await parts.link.close()
    await parts.database.close()
    assert answers == [{"address": ADDRESS}] * 8


@pytest.mark.parametrize(
    "body", [{}, {"purpose": "curiosity"}, {"purpose": None}, WHY | {"reason": "x"}]
)
async def test_a_reveal_has_a_purpose_from_the_list(country: Country, body: dict[str, Any]) -> None:
    there = await shelter(country)
    await there.coordinator.post(f"/sites/{there.site_id}/address-reveals", body, expect=400)
    assert await country.rows(LOG) == []


async def test_machines_auditors_and_administrators_get_no_address(country: Country) -> None:
    there = await shelter(country)
    for client in (
        await country.client("client_system", provider="linde"),
        await country.client("auditor", region=THERE),
        await country.client("administrator"),
    ):
        await reveal(client, there.site_id, expect=403)
    await reveal(await country.client(), there.site_id, expect=401)
