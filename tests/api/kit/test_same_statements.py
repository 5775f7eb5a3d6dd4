"""Foreign, missing and malformed ids run the same statements.

No clock tells them apart.
"""

from typing import Any
from uuid import UUID

from app.api.kit.access import ROUTES
from tests.api.calls import WORKING, World, world
from tests.country import Country
from tests.statements import noting

WITH_ID = sorted(
    call
    for call, row in ROUTES.items()
    if "{id}" in call[1]
    and not call[1].startswith("/policies")  # nobody's own
    and not row.roles.isdisjoint(WORKING)
)
MISSING = str(UUID("7d5c9d6e-0000-4000-8000-000000000001"))


async def asked_for(
    there: World, client: Any, call: tuple[str, str], *, id_: str | None
) -> tuple[int, list[str]]:
    """Make a call and return its status, and what the database was asked for it."""
    with noting(there.country) as asked:
        answer = await client.http.request(**there.request(*call, id_=id_))
    return answer.status_code, [one.statement for one in asked]


async def test_foreign_missing_and_malformed_ids_run_the_same_statements(country: Country) -> None:
    there = await world(country)
    stranger = await country.client(*WORKING, provider="eik")
    told_apart: list[tuple[str, str]] = []

    for call in WITH_ID:
        await asked_for(there, stranger, call, id_=None)  # what is read once and kept has been read
        foreign, missing, malformed = [
            await asked_for(there, stranger, call, id_=id_) for id_ in (None, MISSING, "nonsense")
        ]
        assert foreign[0] == 404, call
        assert any("access_log" in statement for statement in foreign[1]), call
        if not foreign == missing == malformed:
            told_apart.append(call)

    assert told_apart == []


async def test_an_auditor_of_another_region_is_asked_for_alike(country: Country) -> None:
    there = await world(country)
    auditor = await country.client("auditor", region="GM0014")
    call = ("POST", "/rankings/{id}/replays")
    await asked_for(there, auditor, call, id_=None)

    answers = [
        await asked_for(there, auditor, call, id_=id_) for id_ in (None, MISSING, "nonsense")
    ]

    assert answers[0] == answers[1] == answers[2]
