"""Webhooks as their owners have them."""

import asyncio

from app.webhooks.webhooks import MOST
from tests.country import Country

URL = "https://hooks.example/plek"


async def test_a_secret_is_shown_once_and_a_webhook_to_its_own_provider_only(
    country: Country,
) -> None:
    machine = await country.client("client_system", provider="linde")
    coordinator = await country.client("coordinator", provider="linde")
    stranger = await country.client("client_system", "coordinator", provider="eik")

    made = await machine.post("/webhooks", {"url": URL}, key="once")
    again = await machine.post("/webhooks", {"url": URL}, key="once")
    other = await coordinator.post("/webhooks", {"url": URL, "kinds": ["swap", "hold"]})

    assert again == made
    assert made["secret"].startswith("whsec_")
    assert made["secret"] != other["secret"]
    assert made["kinds"] == ["hold", "placement", "swap", "availability"]
    del made["secret"], other["secret"]
    for client in (machine, coordinator):
        assert (await client.get("/webhooks"))["items"] == [made, other]
    first = await machine.get("/webhooks?limit=1")
    assert (await machine.get(f"/webhooks?limit=1&cursor={first['nextCursor']}"))["items"] == [
        other
    ]
    assert (await stranger.get("/webhooks"))["items"] == []
    await stranger.ask("DELETE", f"/webhooks/{made['id']}", expect=404)
    await coordinator.ask("DELETE", f"/webhooks/{made['id']}", expect=204)
    assert (await machine.get("/webhooks"))["items"] == [other]
    log = await country.rows(
        "SELECT action, object_type FROM access_log WHERE object_type = 'webhook' ORDER BY id"
    )
    assert [row.action for row in log][:3] == ["register", "register", "register"]


async def test_a_provider_has_ten_however_many_it_asks_for_at_once(country: Country) -> None:
    machine = await country.client("client_system", provider="linde")

    answers = await asyncio.gather(
        *(
            machine.ask("POST", "/webhooks", json={"url": f"{URL}/{number}"})
            for number in range(MOST + 5)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201] * MOST + [409] * 5
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "too_many_webhooks"
    other = await country.client("client_system", provider="eik")
    await other.post("/webhooks", {"url": URL})


WRONG: list[tuple[dict[str, object], set[str]]] = [
    ({"url": "http://user@hooks.example/#x"}, {"/url"}),
    ({"url": "https://10.0.0.1/", "kinds": ["hold"]}, {"/url"}),
    ({"url": "https://localhost/", "kinds": ["hold"]}, {"/url"}),
    ({"url": f"https://hooks.example/{'x' * 2000}"}, {"/url"}),
    ({"url": URL, "kinds": []}, {"/kinds"}),
    ({"url": URL, "kinds": ["hold", "hold"]}, {"/kinds"}),
    (
        {"url": 7, "kinds": ["waiting", "alarm"], "secret": "mine"},
        {"/url", "/kinds/0", "/kinds/1", "/secret"},
    ),
]


async def test_what_is_wrong_is_named_and_no_url_repeated(country: Country) -> None:
    machine = await country.client("client_system", provider="linde")
    for body, pointers in WRONG:
        problem = await machine.post("/webhooks", body, expect=400)

        assert {fault["pointer"] for fault in problem["errors"]} == pointers
        assert "hooks.example" not in str(problem)
    assert (await machine.get("/webhooks"))["items"] == []
