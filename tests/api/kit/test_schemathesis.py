"""What schemathesis finds when it takes the description at its word: nothing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.kit.description import DOCUMENT, document
from app.main import api
from tests.api.calls import WORKING, World, world
from tests.api.live_service import served
from tests.country import THERE, Country
from tests.rounds import rounds

CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
BARE = {DOCUMENT, "/hsds", "/ledger/checkpoint"}
"""Without parameters there is nothing to get wrong."""
EXAMPLES = rounds(2, soak=40)
"""An operation and way of making requests up."""
PARTS = 3
"""In which the operations are explored, each on an installation of its own."""
ENDLESS = "followEvents"
"""Goes on until the client leaves; tests/api/events/test_events.py follows it."""
COLLECTIONS = (
    "sites",
    "places",
    "referrals",
    "rankings",
    "holds",
    "placements",
    "alternatives",
    "webhooks",
    "swaps",
)


async def tokens_of(country: Country) -> list[str | None]:
    """Return tokens of every role, those that get furthest most often, and none."""
    working = [await country.token(*WORKING, provider=provider) for provider in ("linde", "haven")]
    auditor = await country.token("auditor", region=THERE)
    administrator = await country.token("administrator")
    return [*working, *working, auditor, administrator, None]


def explore(operation: Any, there: World, *, base: str, tokens: list[str | None]) -> set[int]:
    """Make up requests for an operation, valid and not.

    Return the statuses of the answers.
    """
    collection = operation.path.split("/")[1]
    known = (
        {"id": there.ids[collection]}
        if "{id}" in operation.path and collection in COLLECTIONS
        else None
    )
    strategies = [
        operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known),
        operation.as_strategy(GenerationMode.POSITIVE),
    ]
    if operation.path not in BARE:
        strategies.append(operation.as_strategy(GenerationMode.NEGATIVE))
    answered: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
    )
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        for strategy in strategies:
            case = data.draw(strategy)
            token = data.draw(st.sampled_from(tokens))
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answered.add(
                case.call_and_validate(base_url=base, headers=headers, checks=CHECKS).status_code
            )

    check()
    return answered


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.filterwarnings("default::DeprecationWarning")
async def test_schemathesis_finds_no_server_error_and_no_fault_in_the_description(
    country: Country, part: int
) -> None:
    there = await world(country)
    tokens = await tokens_of(country)
    described = json.loads(json.dumps(document(api(country.parts))))
    schema = schemathesis.openapi.from_dict(described).exclude(operation_id=ENDLESS)
    found: list[str] = []

    answered: dict[str, set[int]] = {}

    def everything(base: str) -> None:
        operations: list[Any] = list(schema.get_all_operations())[part::PARTS]
        for operation in (result.ok() for result in operations):
            try:
                answered[operation.label] = explore(
                    operation, there, base=f"{base}/v1", tokens=tokens
                )
            except BaseException as fault:  # noqa: BLE001 - whatever it finds, all of it is told at once
                found.append(f"{operation.label}: {fault!r} {getattr(fault, 'exceptions', '')}")

    async with served(country.app) as base:
        await asyncio.to_thread(everything, base)

    assert found == []
    everywhere = sum(len(methods) for methods in described["paths"].values()) - 1
    assert len(answered) == len(range(part, everywhere, PARTS))
    # Of the others some need a second person, or a thing that has just come about.
    succeeded = sum(min(statuses) < 300 for statuses in answered.values())
    assert succeeded >= len(answered) * 2 / 5, answered
