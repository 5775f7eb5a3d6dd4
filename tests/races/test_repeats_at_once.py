"""The same request many times at once.

One effect, one answer, and never another's.
"""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database import answers
from app.database.answers import KeptAnswer
from app.database.transaction import Transaction
from tests.casework import Desk, desk, fresh, problem, waiting
from tests.country import FAR, FIRST_LEAF, HERE, Client, Country, referral_body

pytestmark = pytest.mark.race

TIMES = 50


async def repeated(
    client: Client, path: str, body: object = None, *, key: str | None = None
) -> list[httpx.Response]:
    """Ask for one thing many times at once, each until answered.

    Some wait in vain when busy.
    """
    key = key or fresh()

    async def answered() -> httpx.Response:
        while True:
            response = await client.ask("POST", path, key=key, json=body)
            if response.status_code != 409 or response.json()["code"] != "busy":
                return response

    return list(await asyncio.gather(*(answered() for _ in range(TIMES))))


def one_answer(responses: list[httpx.Response], status: int) -> Any:
    """Claim that all answers are the same one, given once and repeated; return it."""
    assert {response.status_code for response in responses} == {status}
    assert len({response.content for response in responses}) == 1
    replayed = [response.headers.get("Idempotency-Replayed") for response in responses]
    assert (replayed.count(None), replayed.count("true")) == (1, TIMES - 1)
    return responses[0].json()


async def test_a_hold_asked_for_fifty_times_at_once_is_taken_once(country: Country) -> None:
    where = await desk(country, places=3)
    hold = one_answer(await repeated(where.intake, "/holds", await where.wish()), 201)
    assert [str(row.id) for row in await country.rows("SELECT id FROM holds")] == [hold["id"]]
    assert await country.value("SELECT count(*) FROM claims WHERE kind = 'hold'") == 1
    assert (
        await country.value("SELECT count(*) FROM outbox WHERE subject = :id", id=hold["id"]) == 1
    )


async def test_a_referral_registered_fifty_times_at_once_is_there_once(country: Country) -> None:
    where = await desk(country)
    referral = one_answer(await repeated(where.intake, "/referrals", referral_body()), 201)
    assert [str(row.id) for row in await country.rows("SELECT id FROM referrals")] == [
        referral["id"]
    ]
    assert await country.value("SELECT count(*) FROM referral_secrets") == 1


async def test_a_placement_and_its_arrival_asked_for_fifty_times_at_once_happen_once(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.accepted()
    placement = one_answer(await repeated(where.intake, "/placements", {"holdId": hold["id"]}), 201)
    assert [str(row.id) for row in await country.rows("SELECT id FROM placements")] == [
        placement["id"]
    ]
    assert await country.value("SELECT count(*) FROM stays") == 1
    arrival = one_answer(
        await repeated(where.receiver, f"/placements/{placement['id']}/arrival"), 200
    )
    assert arrival["ledgerLeaf"] == FIRST_LEAF
    assert await country.value("SELECT count(*) FROM leaves") == FIRST_LEAF + 1


async def test_without_the_kept_answer_a_referral_is_registered_every_time(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept(_tx: Transaction, _answer: KeptAnswer) -> bool:
        return True

    monkeypatch.setattr(answers, "keep", kept)
    where = await desk(country)
    await repeated(where.intake, "/referrals", referral_body())
    assert await country.value("SELECT count(*) FROM referrals") == TIMES


async def test_a_key_is_bound_to_what_a_body_means_and_not_to_how_it_is_written(
    country: Country,
) -> None:
    where = await desk(country)
    body = referral_body(callBack="000-555 01 01")
    first = await where.intake.ask("POST", "/referrals", json=body, key="mine", expect=201)

    turned = dict(reversed(body.items()))
    turned["household"] = dict(reversed(turned["household"].items()))
    written = json.dumps(turned, indent=2, ensure_ascii=False)
    escaped = json.dumps(body, separators=(",", ":")).replace("acute", "\\u0061cute")
    for again_written in (written, escaped):
        headers = {"Content-Type": "application/json"}
        again = await where.intake.ask(
            "POST", "/referrals", content=again_written.encode(), headers=headers, key="mine"
        )
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["Idempotency-Replayed"] == "true"

    for other in (body | {"nearMunicipality": None}, body | {"callBack": "000-5550101"}):
        await where.intake.ask("POST", "/referrals", json=other, key="mine", expect=422)
    assert await country.value("SELECT count(*) FROM referrals") == 1


async def test_a_key_used_for_something_else_is_refused(country: Country) -> None:
    where = await desk(country, places=2)
    one, other = await where.wish(), await where.wish()
    await where.intake.post("/holds", one, key="mine")
    assert (
        await problem(where.intake, "/holds", other, status=422, key="mine")
        == "idempotency_key_reused"
    )
    await where.intake.post("/referrals", referral_body(), key="mine too")
    changed = referral_body(urgency="planned")
    assert (
        await problem(where.intake, "/referrals", changed, status=422, key="mine too")
        == "idempotency_key_reused"
    )
    assert await country.value("SELECT count(*) FROM holds") == 1
    assert await country.value("SELECT count(*) FROM referrals") == 3


async def test_of_one_key_for_two_wishes_at_once_one_is_held_and_the_other_refused(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    for _ in range(6):
        wishes, key = [await where.wish(), await where.wish()], fresh()
        responses = await asyncio.gather(
            *(where.intake.ask("POST", "/holds", json=wish, key=key) for wish in wishes)
        )
        assert sorted(response.status_code for response in responses) == [201, 422]
        assert await country.value("SELECT count(*) FROM holds WHERE resolved_at IS NULL") == 1
        given = next(response.json()["id"] for response in responses if response.status_code == 201)
        await where.intake.ask("DELETE", f"/holds/{given}", expect=204)


async def test_a_key_belongs_to_its_account_and_route(country: Country) -> None:
    where = await desk(country, places=2)
    colleague = await country.client("intake_worker", provider="haven")
    one, other = await where.wish(), await where.wish()
    first = await where.intake.ask("POST", "/holds", json=one, key="same", expect=201)
    second = await colleague.ask("POST", "/holds", json=other, key="same", expect=201)
    third = await where.intake.ask(
        "POST", "/referrals", json=referral_body(), key="same", expect=201
    )
    assert len({response.json()["id"] for response in (first, second, third)}) == 3
    assert all(
        "Idempotency-Replayed" not in response.headers for response in (first, second, third)
    )


async def test_who_has_moved_to_another_provider_gets_no_answer_from_the_first(
    country: Country,
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    hold = await where.intake.post("/holds", wanted, key="mine")
    referral = await where.intake.post("/referrals", referral_body(), key="mine")
    await country.rows(
        "UPDATE accounts SET provider_id = :new WHERE roles = ARRAY['intake_worker']",
        new=await country.provider("elsewhere"),
    )
    assert await problem(where.intake, "/holds", wanted, status=404, key="mine") == "not_found"
    repeat = await where.intake.ask("POST", "/referrals", json=referral_body(), key="mine")
    assert (repeat.status_code, hold["id"] in repeat.text, referral["id"] in repeat.text) == (
        409,
        False,
        False,
    )


async def test_an_auditor_who_has_moved_to_another_region_gets_no_answer_from_the_first(
    country: Country,
) -> None:
    where = await desk(country)
    path = f"/rankings/{(await where.wish())['rankingId']}/replays"
    auditor = await country.client("auditor", region=HERE)
    assert (await auditor.post(path, expect=200, key="mine"))["identical"] is True
    await country.rows("UPDATE accounts SET region = :new WHERE roles = ARRAY['auditor']", new=FAR)
    assert await problem(auditor, path, status=404, key="mine") == "not_found"


async def test_who_may_not_any_more_gets_no_answer(country: Country) -> None:
    where = await desk(country)
    wanted = await where.wish()
    await where.intake.post("/holds", wanted, key="mine")
    await country.rows(
        "UPDATE accounts SET roles = ARRAY['coordinator'] WHERE roles = ARRAY['intake_worker']"
    )
    assert await problem(where.intake, "/holds", wanted, status=403, key="mine") == "forbidden"
    await country.rows("UPDATE tokens SET revoked_at = now()")
    assert (
        await problem(where.intake, "/holds", wanted, status=401, key="mine") == "unauthenticated"
    )


async def test_a_refused_request_can_be_repeated_with_its_key(country: Country) -> None:
    where = await desk(country)
    early, late = await where.hold(), None
    assert (
        await problem(where.intake, "/placements", {"holdId": early["id"]}, status=409, key="go")
        == "not_accepted"
    )
    await where.receiver.post(f"/holds/{early['id']}/acceptance", {"by": "person"}, expect=200)
    late = await where.intake.ask(
        "POST", "/placements", json={"holdId": early["id"]}, key="go", expect=201
    )
    assert "Idempotency-Replayed" not in late.headers


async def held_key(where: Desk, country: Country) -> httpx.Response:
    """Register a referral while another request with the same key is still being answered."""
    async with country.owner.transaction() as tx:
        account = await country.value(
            "SELECT id FROM accounts WHERE roles = ARRAY['intake_worker']"
        )
        first = KeptAnswer(account, "/referrals", "slow", b"", None, None, 201, b"")
        assert await answers.keep(tx, first)
        asking = asyncio.create_task(
            where.intake.ask("POST", "/referrals", json=referral_body(), key="slow")
        )
        await waiting(country)
        response = await asking
        await tx.connection.execute("ROLLBACK")
    return response


async def test_a_repeat_waits_five_seconds_for_the_first_and_is_then_refused(
    country: Country,
) -> None:
    where = await desk(country)
    async with country.parts.database.transaction() as tx:
        assert (await tx.rows(text("SHOW lock_timeout")))[0][0] == "5s"
    response = await held_key(where, country)
    assert (response.status_code, response.json()["code"]) == (409, "busy")
    assert await country.value("SELECT count(*) FROM referrals") == 0
    await where.intake.post("/referrals", referral_body(), key="slow")


async def test_an_acceptance_repeated_when_the_hold_is_over_does_not_tell_who_was_coming(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.hold()
    path = f"/holds/{hold['id']}/acceptance"
    first = await where.receiver.ask("POST", path, json={"by": "person"}, key="yes", expect=200)
    await where.intake.post(
        f"/holds/{hold['id']}/release", {"reason": "found_elsewhere"}, expect=200
    )
    again = await where.receiver.ask("POST", path, json={"by": "person"}, key="yes", expect=200)
    assert again.content == first.content
    assert again.json()["coming"] is None
