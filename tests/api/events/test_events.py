"""The event stream, read from a real port."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from app.api import events
from app.database import outbox, pulse
from app.database.transaction import RELAY, WORKER
from app.events import bearers
from tests.api.live_service import PATIENCE_S, Follower, Told, following, served
from tests.country import Country, hold_first, referral_body, shelter


@pytest.fixture
async def base(country: Country) -> AsyncGenerator[str]:
    async with served(country.app) as address:
        yield address


async def tell(country: Country, kind: str, subject: str, *to: str) -> None:
    audience = [await country.provider(slug) for slug in to] or None
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await outbox.add(tx, kind=kind, subject=subject, audience=audience)


async def after_the_places(stream: Follower) -> Told | None:
    """Return the first event that is not about the registration of free places."""
    told = await stream.next()
    while told is not None and told.kind in {"availability", "waiting"}:
        told = await stream.next()
    return told


async def test_opening_a_stream_stands_in_the_access_log(country: Country, base: str) -> None:
    token = await country.token("coordinator", provider="linde")

    async with following(base, token) as stream:
        assert stream is not None

    [entry] = await country.rows(
        "SELECT action, object_type, outcome, account_id IS NOT NULL AS whose FROM access_log "
        "WHERE object_type = 'events'"
    )
    assert tuple(entry) == ("follow", "events", "granted", True)


async def test_a_hold_is_told_to_both_sides_and_to_nobody_else(country: Country, base: str) -> None:
    await shelter(country, "linde")
    intake = await country.client("intake_worker", provider="haven")
    tokens = {
        slug: await country.token("coordinator", provider=slug)
        for slug in ("linde", "haven", "elders")
    }
    referral = await intake.post("/referrals", referral_body())
    async with AsyncExitStack() as stack:
        open_ = {
            slug: await stack.enter_async_context(following(base, token))
            for slug, token in tokens.items()
        }

        hold = await hold_first(intake, referral_id=referral["id"])
        await tell(country, "swap", "for-all")

        sender, receiver = [await after_the_places(open_[slug]) for slug in ("haven", "linde")]
        other = await after_the_places(open_["elders"])
    for told in (sender, receiver):
        assert told is not None
        assert (told.kind, told.data) == ("hold", {"id": hold["id"]})
    assert other is not None
    assert other.data == {"id": "for-all"}


async def test_whoever_reconnects_misses_nothing(country: Country, base: str) -> None:
    token = await country.token("coordinator", provider="linde")
    async with following(base, token) as stream:
        await tell(country, "hold", "1", "linde")
        seen = await stream.next()
    assert seen is not None
    for number in range(2, 6):
        await tell(country, "hold", str(number), "linde")
        await tell(country, "hold", "not yours", "haven")

    async with following(base, token, after=seen.id) as stream:
        await tell(country, "hold", "6", "linde")
        told = [await stream.next() for _ in range(5)]

    assert [event.data["id"] for event in told if event] == ["2", "3", "4", "5", "6"]


async def test_whoever_lost_the_line_before_the_first_event_misses_nothing(
    country: Country, base: str
) -> None:
    token = await country.token("intake_worker", provider="linde")
    async with following(base, token) as stream:
        position = stream.position
    await tell(country, "placement", "1", "linde")
    await tell(country, "availability", "GM0193")

    async with following(base, token, after=position) as stream:
        told, region = await stream.next(), await stream.next()

    assert told is not None
    assert (told.kind, told.data) == ("placement", {"id": "1"})
    assert region == Told(region.id if region else "", "availability", {"region": "GM0193"})


async def test_a_position_that_is_not_kept_gets_reset_and_then_goes_on(country: Country) -> None:
    token = await country.token("coordinator", provider="linde")
    await tell(country, "hold", "forgotten", "linde")
    async with country.parts.database.transaction(actor=RELAY) as tx:
        assert await outbox.number(tx) == 1
    await country.rows("DELETE FROM outbox")

    [account] = await country.rows("SELECT id FROM accounts ORDER BY id DESC LIMIT 1")

    def of(position: int, account_id: UUID = account.id) -> str:
        return events.seal_position(country.parts.keyring, position, account_id=account_id)

    async with served(country.app) as base:
        asked = (of(0), of(77), of(2**63), of(1, uuid4()), "A" * 32, "1", "9" * 20)
        for newest, after in enumerate(asked, start=1):
            async with following(base, token, after=after) as stream:
                # The follower is past the reset: it was the first thing told.
                assert stream.position == of(newest)
                await tell(country, "hold", "new", "linde")
                told = await stream.next()

            assert told is not None
            assert (told.id, told.data) == (of(newest + 1), {"id": "new"})


async def test_a_position_is_another_for_each_account_and_tells_no_number(
    country: Country, base: str
) -> None:
    one, two = [await country.token("coordinator", provider="linde") for _ in range(2)]
    async with following(base, one) as first, following(base, two) as second:
        await tell(country, "hold", "1", "linde")
        told = [await stream.next() for stream in (first, second)]

    ids = {first.position, second.position, *(event.id for event in told if event)}
    assert len({event.id for event in told if event}) == 2
    assert all(events.SEALED.fullmatch(id_) for id_ in ids)


async def test_reset_is_an_event_of_that_name(country: Country, base: str) -> None:
    headers = {
        "Authorization": f"Bearer {await country.token('coordinator', provider='linde')}",
        "Last-Event-ID": "7",
    }
    async with (
        httpx.AsyncClient() as http,
        http.stream("GET", f"{base}/v1/events", headers=headers) as response,
    ):
        block = await anext(response.aiter_text())

    assert re.fullmatch(r"id: [\w-]{32}\nevent: reset\ndata: {}\n\n", block)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["api-version"]


async def test_a_stream_ends_when_its_token_is_revoked(
    country: Country, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RECHECK_S", 0.0)
    monkeypatch.setattr(bearers, "FRESH_S", 0.0)
    async with following(base, await country.token("coordinator", provider="linde")) as stream:
        await tell(country, "hold", "1", "linde")
        assert await stream.next() is not None
        await country.rows("UPDATE tokens SET revoked_at = clock_timestamp()")

        await tell(country, "hold", "2", "linde")

        assert await stream.next() is None


async def test_a_stream_ends_when_its_account_moves_to_another_provider(
    country: Country, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RECHECK_S", 0.0)
    monkeypatch.setattr(bearers, "FRESH_S", 0.0)
    haven = await country.provider("haven")
    async with following(base, await country.token("coordinator", provider="linde")) as stream:
        await country.rows("UPDATE accounts SET provider_id = :haven", haven=haven)

        await tell(country, "hold", "1", "linde")

        assert await stream.next() is None


async def test_open_streams_hold_no_database_connection(country: Country, base: str) -> None:
    token = await country.token("coordinator", provider="linde")
    async with AsyncExitStack() as stack:
        more = country.parts.settings.pool_size + 5
        open_ = [await stack.enter_async_context(following(base, token)) for _ in range(more)]

        async with country.parts.database.transaction() as tx:
            await tx.row(text("SELECT 1"))

        assert country.parts.bus.stream_count == len(open_)
        assert (
            pulse.pool_use(country.parts.database).checked_out <= 3
        )  # the relay, the timers, webhooks


async def test_who_leaves_is_forgotten(country: Country, base: str) -> None:
    token = await country.token("coordinator", provider="linde")
    async with following(base, token) as one, following(base, token) as two:
        assert one.position == two.position
        assert country.parts.bus.stream_count == 2

    async with asyncio.timeout(PATIENCE_S):
        while country.parts.bus.stream_count:
            await asyncio.sleep(0.01)


async def test_a_position_that_is_none_is_bad_input(country: Country) -> None:
    client = await country.client("coordinator", provider="linde")
    for position in ("-1", "x", "1.5", "１"):  # noqa: RUF001 - a full-width digit
        answer = await client.ask(
            "GET", "/events", headers={"Last-Event-ID": position.encode()}, expect=400
        )

        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/headers/Last-Event-ID"]


async def test_nobody_follows_without_a_token_or_in_another_role(country: Country) -> None:
    await (await country.client()).ask("GET", "/events", expect=401)
    await (await country.client(token="plek_made_up")).ask("GET", "/events", expect=401)
    for role in ("auditor", "administrator"):
        await (await country.client(role, region="GM0193")).ask("GET", "/events", expect=403)
    await (await country.client("client_system", provider="linde")).ask(
        "GET", "/events", expect=403
    )
