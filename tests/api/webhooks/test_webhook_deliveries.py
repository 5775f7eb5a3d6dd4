"""Deliveries to webhooks, on a real database and receiver.

At least once, and signed.
"""

from collections.abc import AsyncGenerator

import pytest

from app.database import deliveries
from app.database.sealing import rotation
from app.database.transaction import WORKER
from app.seal import Keyring, new_key
from app.webhooks import courier as couriers
from app.webhooks import post
from tests.api.live_service import served
from tests.country import Country, hold_first, referral_body, shelter
from tests.webhook_receiver import (
    HANG,
    PAUSE,
    Receiver,
    courier,
    due_now,
    machine,
    reaching,
    receiving,
    seen,
    send,
    tell,
    webhook,
)


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
def country(country: Country) -> Country:
    """An installation whose webhooks may go to this machine."""
    return reaching(country)


async def test_what_concerns_a_provider_is_sent_to_its_webhooks_signed_and_nothing_else(
    country: Country, receiver: Receiver
) -> None:
    linde, haven = await machine(country), await machine(country, "haven")
    await tell(country, "before")
    made = await webhook(linde, receiver, "/linde?token=x")
    other = await webhook(haven, receiver, "/haven", kinds=["availability"])

    await tell(country, "1", to=("linde", "eik"))
    await tell(country, "2", to=("haven",))
    await tell(country, "3", kind="waiting")
    await tell(country, "GM0193", kind="availability", to=())
    assert (await seen(linde))["waiting"] == 2
    assert await send(country) == 3

    [for_haven] = receiver.at("/haven")
    assert for_haven.verified(other["secret"])["data"] == {"region": "GM0193"}
    told = [one.verified(made["secret"]) for one in receiver.at("/linde?token=x")]
    assert sorted((one["type"], one["data"]) for one in told) == [
        ("availability", {"region": "GM0193"}),
        ("hold", {"id": "1"}),
    ]
    assert {frozenset(one) for one in told} == {frozenset({"type", "timestamp", "data"})}
    assert len({one.id for one in receiver.got}) == 3
    assert set(for_haven.headers) == {
        "host", "content-type", "content-length", "webhook-id", "webhook-timestamp",
        "webhook-signature",
    }  # fmt: skip
    after = await seen(linde)
    assert after["lastDeliveryAt"]
    assert (after["waiting"], after["failingSince"]) == (0, None)
    assert await send(country) == 0


async def test_a_service_that_runs_sends_by_itself_what_its_event_stream_tells(
    country: Country, receiver: Receiver
) -> None:
    there = await shelter(country, "linde")
    made = await webhook(there.coordinator, receiver, kinds=["hold"])
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    async with served(country.app):
        hold = await hold_first(intake, referral_id=referral["id"])
        [received] = await receiver.requests(1)

    assert received.verified(made["secret"])["data"] == {"id": hold["id"]}


async def test_what_was_not_received_is_sent_again_later_and_later_under_the_same_id(
    country: Country, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "WITHIN_S", 0.3)
    linde = await machine(country)
    made = await webhook(linde, receiver)
    await tell(country, "1")
    answers = [
        "500 Oops",
        HANG,
        f"307 Elsewhere\r\nLocation: {receiver.base}/elsewhere",
        "not http",
    ]
    receiver.answers = list(answers)
    pauses: list[float] = []

    for _ in answers:
        await due_now(country)
        assert await send(country) == 1
        assert await send(country) == 0  # not before its time
        pauses.append(await country.value(PAUSE))
    failing = await seen(linde)
    await due_now(country)
    await send(country)

    assert {one.path for one in receiver.got} == {"/plek"}
    assert len({one.id for one in receiver.got}) == 1
    assert not [one for one in receiver.got if "cookie" in one.headers]
    assert len([one.verified(made["secret"]) for one in receiver.got]) == len(answers) + 1
    for pause, wanted in zip(pauses, couriers.PAUSES_S, strict=False):
        assert 0.5 * wanted < pause < 1.2 * wanted
    assert (failing["waiting"], failing["lastDeliveryAt"], failing["disabledAt"]) == (1, None, None)
    assert failing["failingSince"]
    assert (await seen(linde))["failingSince"] is None


async def test_after_the_last_attempt_a_delivery_is_given_up_and_others_go_on(
    country: Country, receiver: Receiver
) -> None:
    linde = await machine(country)
    await webhook(linde, receiver)
    await tell(country, "1")
    receiver.answers = ["503 No"] * (len(couriers.PAUSES_S) + 1)

    for _ in receiver.answers.copy():
        await due_now(country)
        assert await send(country) == 1
    assert await country.value("SELECT outcome FROM webhook_deliveries") == "given_up"
    await tell(country, "2")
    assert await send(country) == 1

    assert (await seen(linde))["failingSince"] is None


@pytest.mark.parametrize("because", ["gone", "failing"])
async def test_a_webhook_whose_receiver_is_gone_or_fails_for_days_is_disabled(
    country: Country, receiver: Receiver, because: str
) -> None:
    linde = await machine(country)
    await webhook(linde, receiver)
    if because == "failing":
        days = "failing_since = clock_timestamp() - interval '5 days 1 second'"
        await country.rows(f"UPDATE webhooks SET {days}")  # noqa: S608 - text above
    receiver.answers = ["410 Gone" if because == "gone" else "500 Oops"] * couriers.EACH
    await tell(country, *"123456789")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        (only,) = await deliveries.lease(tx, most=1, each=1)
        assert only.attempts == 1

    await send(country)
    await tell(country, "later")
    await due_now(country)

    assert await send(country) == 0
    disabled = await seen(linde)
    assert (disabled["disabledBecause"], disabled["waiting"]) == (because, 0)
    assert disabled["disabledAt"] > disabled["failingSince"] > ""
    assert len(receiver.got) == (couriers.EACH if because == "gone" else 1)
    ended = await country.rows(
        "SELECT outcome, count(*) FROM webhook_deliveries GROUP BY outcome ORDER BY outcome"
    )
    assert sum(row.count for row in ended) == 9


async def test_a_webhook_that_is_removed_gets_nothing_more_and_what_is_over_goes_after_a_day(
    country: Country, receiver: Receiver
) -> None:
    linde = await machine(country)
    kept, gone = [await webhook(linde, receiver, path) for path in ("/kept", "/gone")]
    await tell(country, "1")
    await linde.ask("DELETE", f"/webhooks/{gone['id']}", expect=204)
    await linde.ask("DELETE", f"/webhooks/{gone['id']}", expect=404)
    assert await send(country) == 1
    await tell(country, "2")
    await send(country)

    await country.rows(
        "UPDATE webhook_deliveries SET ended_at = ended_at - interval '25 hours' WHERE subject "
        "= '1'"
    )
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await deliveries.prune(tx) == 2

    assert {one.path for one in receiver.got} == {"/kept"}
    (left,) = await country.rows("SELECT webhook_id, subject FROM webhook_deliveries")
    assert (str(left.webhook_id), left.subject) == (kept["id"], "2")


async def test_secrets_are_sealed_and_sign_the_same_after_a_rotation(
    country: Country, receiver: Receiver
) -> None:
    linde = await machine(country)
    made = await webhook(linde, receiver)
    (row,) = await country.rows("SELECT * FROM webhooks")
    assert not [
        value
        for value in row
        if receiver.base.encode() in str(value).encode() or made["secret"] in str(value)
    ]
    new = new_key()

    done = await rotation.rotate(
        country.owner.transaction, keyring=Keyring.parse(f"{new},{country.key}")
    )
    await tell(country, "1")
    assert await send(country, courier(country)) == 1  # what does not open is not sent
    assert receiver.got == []
    await due_now(country)
    assert await send(country, courier(country, key=new)) == 1

    assert done.keys == 1
    assert receiver.got[0].verified(made["secret"])["data"] == {"id": "1"}
