"""Beside the API: whether the service is well, its metrics, and what every answer carries."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request
from prometheus_client import REGISTRY

from app import metrics
from app.api.kit.middleware import LONGEST_BODY
from app.main import create_app, join
from tests.conftest import Server
from tests.country import Client, Country, application, hold_first, referral_body, shelter

ROOT = Path(__file__).parents[2]
NOBODY_THERE = "redis://127.0.0.1:1"


@pytest.fixture
async def outside(country: Country) -> AsyncGenerator[Client]:
    """Ask at the top of the service, from this machine."""
    async with top(country) as http:
        yield Client(http)


def top(
    country: Country, *, host: str = "127.0.0.1", token: str | None = None
) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(country.app, raise_app_exceptions=False, client=(host, 40_000))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url="http://plek.test", headers=headers)


async def test_a_process_that_answers_is_alive(outside: Client) -> None:
    assert await outside.get("/health/live") == {"status": "alive"}


WELL = {"database": "ok", "redis": "ok", "migrations": "ok", "timers": "ok", "disk": "ok"}


async def all_done(country: Country) -> None:
    """Let no recurring work be due, as beside a worker."""
    await country.rows("UPDATE timers SET due_at = now() + interval '1 hour'")


async def test_with_all_it_needs_the_service_is_ok(country: Country, outside: Client) -> None:
    await all_done(country)

    ready = await outside.ask("GET", "/health/ready", expect=200)

    assert ready.json() == {"status": "ok"} | WELL
    assert ready.headers["cache-control"] == "no-store"


async def test_work_that_nobody_does_makes_it_degraded_and_is_measured_by_name(
    country: Country, outside: Client
) -> None:
    await all_done(country)
    await country.rows("UPDATE timers SET due_at = now() - interval '3 min' WHERE name = 'sweep'")

    ready = await outside.get("/health/ready")
    page = (await outside.ask("GET", "/metrics", expect=200)).text

    assert ready == {"status": "degraded"} | WELL | {"timers": "late"}
    late = dict(re.findall(r'plek_timer_late_seconds\{timer="(\w+)"\} (\S+)', page))
    assert 180 <= float(late.pop("sweep")) < 240
    assert set(late.values()) == {"0.0"}
    assert "vacancies" in late


@pytest.mark.parametrize(
    "redis_there,data_dir,said",
    [(False, None, {"redis": "gone"}), (True, Path("/proc"), {"disk": "full"})],
    ids=["no Redis", "a disk without room"],
)
async def test_without_redis_or_room_on_the_disk_it_is_degraded_and_ready(
    country: Country, *, redis_there: bool, data_dir: Path | None, said: dict[str, str]
) -> None:
    await all_done(country)
    settings = country.parts.settings
    parts = join(
        replace(settings, data_dir=data_dir or settings.data_dir),
        database_url=country.app_url,
        redis_url=country.parts.link.url if redis_there else NOBODY_THERE,
        key=country.key,
    )
    transport = httpx.ASGITransport(country.stack.enter_context(application(parts)))
    async with httpx.AsyncClient(transport=transport, base_url="http://plek.test") as http:
        ready = await http.get("/health/ready")
    await parts.link.close()
    await parts.database.close()

    assert ready.status_code == 200
    assert ready.json() == {"status": "degraded"} | WELL | said


async def test_before_its_migrations_it_is_not_ready(country: Country, outside: Client) -> None:
    await country.rows("UPDATE alembic_version SET version_num = '0001'")

    ready = await outside.ask("GET", "/health/ready", expect=503)

    assert ready.json()["code"] == "unavailable"
    assert "migrated" in ready.json()["detail"]
    assert int(ready.headers["retry-after"]) > 0


async def test_a_newer_schema_than_the_code_is_ready(country: Country, outside: Client) -> None:
    await country.rows("UPDATE alembic_version SET version_num = '9999'")

    assert (await outside.get("/health/ready"))["migrations"] == "ok"


async def test_a_database_that_was_never_migrated_is_not_ready(
    embedded: Server, country: Country
) -> None:
    parts = join(
        country.parts.settings,
        database_url=embedded.app_url,
        redis_url=embedded.redis_url,
        key=country.key,
    )
    transport = httpx.ASGITransport(country.stack.enter_context(application(parts)))
    async with httpx.AsyncClient(transport=transport, base_url="http://plek.test") as http:
        ready = await http.get("/health/ready")
    await parts.link.close()
    await parts.database.close()

    assert ready.status_code == 503


async def test_metrics_are_for_this_machine_and_for_administrators(country: Country) -> None:
    administrator = await country.token("administrator")
    coordinator = await country.token("coordinator", provider="linde")
    expected = [
        (200, {}, {}),
        (200, {"host": "::1"}, {}),
        (404, {}, {"X-Forwarded-For": "192.0.2.1"}),
        (404, {"host": "192.0.2.1"}, {}),
        (404, {"host": "192.0.2.1", "token": coordinator}, {}),
        (404, {"host": "192.0.2.1", "token": "plek_made_up"}, {}),
        (200, {"host": "192.0.2.1", "token": administrator}, {}),
    ]

    async with AsyncExitStack() as stack:
        for status, who, headers in expected:
            http = await stack.enter_async_context(top(country, **who))
            answer = await http.get("/metrics", headers=headers)
            assert answer.status_code == status, (who, headers)
            if status == 404:
                nothing = await http.get("/v1/nothing")
                assert answer.content == nothing.content


async def test_metrics_count_requests_by_template_and_quote_no_id(
    country: Country, outside: Client
) -> None:
    one = await shelter(country, places=2)
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    hold = await hold_first(intake, referral_id=referral["id"])
    await intake.get(f"/holds/{hold['id']}")
    await intake.ask("GET", "/no/such/path", expect=404)
    await intake.ask("BREW", "/holds", expect=405)

    page = (await outside.ask("GET", "/metrics", expect=200)).text

    assert 'plek_requests_total{method="GET",route="/v1/holds/{id}",status="200"}' in page
    assert 'plek_requests_total{method="GET",route="unmatched",status="404"}' in page
    assert 'method="OTHER"' in page
    assert 'plek_request_seconds_bucket{le="0.01",method="POST",route="/v1/holds"}' in page
    assert 'plek_live_claims{kind="hold"} 1.0' in page
    for name in (
        "plek_outbox_lag",
        "plek_outbox_lag_seconds",
        "plek_pool_checked_out",
        "plek_pool_size",
        "plek_disk_free_bytes",
        "plek_log_lines_lost_total",
    ):
        assert f"\n{name} " in page
    assert "process_resident_memory_bytes" in page
    for secret in (hold["id"], referral["id"], one.site_id, "haven", "linde", "no/such"):
        assert secret not in page


async def test_every_answer_says_the_version_and_which_request_it_was(country: Country) -> None:
    client = await country.client("coordinator", provider="linde")
    for path in ("/sites", "/sites/nothing", "/none", "/openapi.json", "/holds?limit=x"):
        answer = await client.ask("GET", path, headers={"X-Request-Id": "trace-1"})
        assert answer.headers["api-version"] == version("plek")
        assert answer.headers["x-request-id"] == "trace-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "{}", 'a"b'])
async def test_a_request_id_that_could_be_anything_is_replaced(outside: Client, given: str) -> None:
    answer = await outside.ask("GET", "/health/live", headers={"X-Request-Id": given})

    assert answer.headers["x-request-id"] not in {given, ""}


async def test_a_body_that_is_too_long_is_bad_input_however_it_is_sent(country: Country) -> None:
    client = await country.client("intake_worker", provider="linde")
    body = json.dumps(referral_body(callBack="x" * LONGEST_BODY)).encode()

    async def in_parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (body, in_parts()):
        answer = await client.ask(
            "POST",
            "/referrals",
            content=content,
            headers={"Content-Type": "application/json"},
            expect=400,
        )
        assert answer.json()["code"] == "too_large"
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [""]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["api-version"]
    assert await country.value("SELECT count(*) FROM referrals") == 0


async def test_a_fault_of_ours_is_a_problem_that_tells_nothing(
    country: Country, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "Lindelaan 7"

    async def fails(_: Request) -> None:
        raise ValueError(secret)

    country.app = create_app(country.parts)
    inner: Any = next(
        getattr(route, "app")  # noqa: B009 - a route in general has none
        for route in country.app.routes
        if getattr(route, "path", "") == "/v1"
    )
    for app in (country.app, inner):
        app.add_api_route("/fails", fails)
        app.router.routes.insert(
            0, app.router.routes.pop()
        )  # before the pages, which answer whatever is left
    async with top(country) as http:
        for path in ("/fails", "/v1/fails"):
            answer = await http.get(path)

            assert answer.status_code == 500
            assert answer.json()["code"] == "internal_error"
            assert answer.headers["api-version"]
            assert secret not in answer.text
    assert secret not in "".join(capfd.readouterr())


def test_several_processes_add_up_their_metrics(tmp_path: Path) -> None:
    count = "from app import metrics; metrics.request('GET', '/v1/x', status=200, seconds=0.01)"
    show = f"{count}; metrics.pool(1, 10); print(metrics.page(None, restarts=dict()).decode())"
    environment = os.environ | {metrics.SHARED_FOLDER: str(tmp_path)}
    for program in (count, count):
        subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=ROOT)

    page = subprocess.run(
        [sys.executable, "-c", show],
        check=True,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout

    assert 'plek_requests_total{method="GET",route="/v1/x",status="200"} 3.0' in page
    assert "plek_pool_size 10.0" in page
    assert "process_resident_memory_bytes" in page


async def test_holds_are_counted_by_what_became_of_them(country: Country) -> None:
    def counted(outcome: str) -> float:
        return REGISTRY.get_sample_value("plek_holds_total", {"outcome": outcome}) or 0.0

    before = {outcome: counted(outcome) for outcome in ("taken", "declined")}
    there = await shelter(country)
    intake = await country.client("intake_worker", provider="haven")
    referral = await intake.post("/referrals", referral_body())
    hold = await hold_first(intake, referral_id=referral["id"])
    await there.coordinator.post(f"/holds/{hold['id']}/decline", {"reason": "staffing"}, expect=200)

    assert {outcome: counted(outcome) - before[outcome] for outcome in before} == {
        "taken": 1,
        "declined": 1,
    }
