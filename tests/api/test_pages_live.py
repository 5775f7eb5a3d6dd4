"""A page's stream of events ends soon after its session, however that ended."""

import httpx
import pytest

from app.accounts import sessions
from app.accounts.sessions import session_hash
from app.api import events
from app.events import bearers
from app.web.credential import COOKIE
from tests.api.live_service import PATIENCE_S, PLAIN, Follower, served
from tests.country import Country
from tests.people import person

pytestmark = pytest.mark.race


async def test_signing_out_ends_the_streams_of_the_session(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RECHECK_S", 0.2)
    monkeypatch.setattr(bearers, "FRESH_S", 0.1)
    worker = await person(country, "intake_worker", provider="linde")
    async with (
        served(country.app) as base,
        httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, verify=PLAIN) as http,
        http.stream(
            "GET", "/live", headers={"Cookie": f"{COOKIE}={worker.opened.cookie}"}
        ) as response,
    ):
        assert response.status_code == 200
        stream = await Follower(response).opened()

        async with country.parts.database.transaction(session_hash(worker.opened.cookie)) as tx:
            await sessions.end_all_sessions(tx)

        assert await stream.next() is None
