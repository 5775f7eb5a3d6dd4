"""Who may call what, tried on every route."""

import secrets
from typing import Any
from uuid import uuid4

import pytest
from starlette.routing import Mount

from app import main
from app.api.kit.access import ROUTES
from app.errors import OperatorError
from tests.api.calls import WORKING, World, world
from tests.country import FAR, THERE, Client, Country

N, C, A, D, S = "intake_worker", "coordinator", "auditor", "administrator", "client_system"
ANY = {N, C, A, D, S}
CONTRACT: dict[str, set[str]] = {
    "GET /regions": ANY,
    "GET /municipalities": ANY,
    "GET /providers": ANY,
    "POST /policies": {D},
    "GET /policies": ANY,
    "GET /policies/{id}": ANY,
    "GET /policies/{id}/differences": ANY,
    "GET /availability": ANY - {S},
    "POST /sites": {C},
    "PATCH /sites/{id}": {C},
    "GET /sites": {C},
    "GET /sites/{id}": {C},
    "POST /sites/{id}/approval": {C, D},
    "POST /site-approvals": {C, D},
    "GET /site-approvals": {C, D},
    "PUT /providers/{id}/regions": {D},
    "POST /sites/{id}/confirmations": {C, S},
    "POST /sites/{id}/address-reveals": {N, C},
    "POST /places": {C, S},
    "GET /places": {C, S},
    "GET /places/{id}": {C, S},
    "PATCH /places/{id}": {C, S},
    "POST /referrals": {N},
    "GET /referrals": {N},
    "GET /referrals/{id}": {N},
    "PATCH /referrals/{id}": {N},
    "POST /referrals/{id}/withdrawal": {N},
    "POST /referrals/{id}/reopening": {N},
    "PUT /referrals/{id}/shield": {N},
    "DELETE /referrals/{id}/shield": {N},
    "GET /referrals/{id}/accesses": {N},
    "POST /referrals/{id}/takeovers": {N},
    "POST /referrals/{id}/contacts": {N},
    "GET /referrals/{id}/contacts": {N},
    "POST /referrals/{id}/alternatives": {N},
    "GET /waiting-list": {N},
    "GET /vacancies": {C},
    "GET /alternatives": {N, C},
    "GET /alternatives/{id}": {N, C},
    "POST /alternatives/{id}/checks": {N, C},
    "POST /alternatives/{id}/ending": {N, C},
    "GET /ambulatory-capacity": {N, C},
    "PUT /ambulatory-capacity": {C},
    "POST /referrals/{id}/rankings": {N},
    "GET /rankings/{id}": {N},
    "GET /rankings/{id}/obstacles": {N},
    "POST /rankings/{id}/replays": {N, A},
    "GET /budgets": {N, C},
    "POST /budget-raises": {N, C, D},
    "GET /budget-raises": {N, C, D},
    "GET /account-changes": {N, C, D},
    "POST /account-changes/{id}/refusal": {N, C},
    "POST /vouchings": {N, C},
    "GET /vouchings": {N, C},
    "DELETE /vouchings/{id}": {N, C},
    "POST /peak-plans": {N, D},
    "GET /peak-plans/{id}": {D},
    "POST /holds": {N},
    "GET /holds": {N, C},
    "GET /holds/{id}": {N, C},
    "DELETE /holds/{id}": {N},
    "POST /holds/{id}/release": {N},
    "POST /holds/{id}/renewals": {N},
    "POST /holds/{id}/acceptance": {N, C},
    "POST /holds/{id}/danger-looks": {N, C},
    "POST /holds/{id}/decline": {N, C},
    "POST /holds/{id}/decline-withdrawal": {N, C},
    "POST /placements": {N},
    "GET /placements": {N, C, S},
    "GET /placements/{id}": {N, C, S},
    "PATCH /placements/{id}": {N, C},
    "POST /placements/{id}/arrival": {N, C},
    "POST /placements/{id}/no-show": {N, C},
    "POST /placements/{id}/departure": {N, C},
    "POST /placements/{id}/corrections": {N, C},
    "POST /placements/{id}/address-reveals": {N},
    "GET /placements/{id}/move-agreement": {N, C},
    "PUT /placements/{id}/move-agreement": {N, C},
    "DELETE /placements/{id}/move-agreement": {N, C},
    "POST /swap-searches": {N},
    "POST /swaps": {N},
    "GET /swaps": {N, C},
    "GET /swaps/{id}": {N, C},
    "POST /swaps/{id}/consents": {N, C},
    "POST /swaps/{id}/refusal": {N, C},
    "GET /dues": {N, C, D},
    "POST /dues/{id}/sights": {N, C, D},
    "POST /dues/{id}/takings": {N, C, D},
    "GET /unseen-dues": {D},
    "GET /colleagues": {N, C},
    "POST /break-glass-looks": {N, C},
    "GET /access-notices": {C},
    "GET /access-log": {D},
    "GET /review-findings": {C, D},
    "POST /review-findings/{id}/answer": {C, D},
    "GET /ledger/entries": {A, D},
    "GET /monitor": {A, D, C},
    "GET /decisions": {A},
    "GET /decisions/{id}": {A},
    "GET /own-region-checks": {A},
    "GET /fair-shares": {A, D},
    "GET /fair-share-pairs": {A},
    "GET /fair-share-figures": {A, D},
    "GET /settlements": {A},
    "POST /caps": {A},
    "GET /caps": ANY,
    "POST /caps/{id}/withdrawal": {A},
    "GET /ledger/checkpoint": set(),
    "GET /ledger/inclusion-proofs": set(),
    "GET /ledger/consistency-proofs": set(),
    "GET /events": {N, C},
    "POST /webhooks": {C, S},
    "GET /webhooks": {C, S},
    "DELETE /webhooks/{id}": {C, S},
    "GET /hsds": set(),
    "GET /hsds/organizations": set(),
    "GET /hsds/organizations/{id}": set(),
    "GET /hsds/services": set(),
    "GET /hsds/services/{id}": set(),
    "GET /openapi.json": set(),
}
"""The wire contract's table, in its order."""

CLOSED = [call.split(" ", 1) for call, roles in CONTRACT.items() if roles]
WITH_ID = [
    (method, template)
    for method, template in CLOSED
    if "{id}" in template
    and not template.startswith("/policies")
    and not CONTRACT[f"{method} {template}"].isdisjoint(WORKING)
]
"""Routes for what belongs to a provider, or to a desk: not policies, not the country's plans."""


async def client_of(country: Country, role: str) -> Client:
    """Return a client with one role, at haven or in a region that nothing concerns."""
    if role in WORKING:
        return await country.client(role, provider="haven")
    return await country.client(role, region=FAR if role == A else None)


async def sent(
    client: Client, world: World, method: str, template: str, *, id_: str | None = None
) -> Any:
    """Make a call."""
    return await client.http.request(**world.request(method, template, id_=id_))


def test_the_rules_are_those_of_the_wire_contract() -> None:
    assert {
        f"{method} {path}": {str(role) for role in row.roles}
        for (method, path), row in ROUTES.items()
    } == CONTRACT


@pytest.mark.parametrize("role", sorted(ANY))
async def test_a_role_may_call_what_its_rule_says_and_nothing_else(
    country: Country, role: str
) -> None:
    there = await world(country)
    client = await client_of(country, role)
    wrong: list[str] = []

    for method, template in CLOSED:
        answer = await sent(client, there, method, template)
        allowed = role in CONTRACT[f"{method} {template}"]
        assert answer.status_code < 500, answer.text
        if (answer.status_code == 403) == allowed or answer.status_code == 401:
            wrong.append(f"{method} {template}: {answer.status_code}")

    assert wrong == []


async def test_a_token_that_is_none_opens_nothing(country: Country) -> None:
    there = await world(country)
    roles, provider = tuple(WORKING), "haven"
    tokens = {
        "none": None,
        "made up": f"plek_{secrets.token_urlsafe(32)}",
        "expired": await country.token(*roles, provider=provider, days=-0.001),
        "revoked": await country.token(*roles, provider=provider),
        "of a disabled account": await country.token(*roles, provider=provider),
    }
    newest = "SELECT id FROM tokens ORDER BY expires_at DESC LIMIT 1"
    accounts = "SELECT account_id FROM tokens ORDER BY expires_at DESC LIMIT 1"
    await country.rows(
        f"UPDATE accounts SET disabled_at = clock_timestamp() WHERE id = ({accounts})"  # noqa: S608 - text above
    )
    await country.rows(
        f"UPDATE tokens SET revoked_at = clock_timestamp() WHERE id = ({newest} OFFSET 1)"  # noqa: S608 - text above
    )
    answers: set[tuple[object, ...]] = set()

    for token in tokens.values():
        client = await country.client(token=token)
        for method, template in CLOSED:
            answer = await sent(client, there, method, template)
            answers.add(
                (answer.status_code, answer.headers.get("WWW-Authenticate"), answer.content)
            )

    assert len(answers) == 1
    status, challenge, body = answers.pop()
    assert (status, challenge) == (401, "Bearer")
    assert b'"code":"unauthenticated"' in bytes(str(body), "ascii")


async def test_other_ways_to_name_oneself_are_not_known(country: Country) -> None:
    token = await country.token("coordinator", provider="linde")
    client = await country.client()
    for header in (
        f"Basic {token}",
        token,
        "Bearer",
        "Bearer ",
        f"Token {token}",
        f"Bearer {token}x",
    ):
        await client.ask("GET", "/sites", headers={"Authorization": header}, expect=401)
    await client.ask("GET", "/sites", params={"access_token": token}, expect=401)
    await client.ask("GET", "/sites", headers={"Authorization": f"bearer {token}"}, expect=200)


@pytest.mark.parametrize("method, template", WITH_ID)
@pytest.mark.asyncio
async def test_missing_foreign_and_malformed_ids_get_the_same_bytes(
    kept: World, method: str, template: str
) -> None:
    there = kept
    stranger = await there.country.client(*WORKING, provider="eik")
    own = there.path("/" + template.split("/")[1] + "/{id}").rsplit("/", 1)[1]
    ids = (
        own,
        str(uuid4()),
        "nonsense",
        own.upper(),
        "%7B" + own + "%7D",
        "%00",
        "%F0%28",
        "9" * 500,
        "-",
    )
    answers: set[tuple[object, ...]] = set()

    for id_ in ids:
        answer = await sent(stranger, there, method, template, id_=id_)
        headers = sorted(
            (name, value) for name, value in answer.headers.items() if name != "x-request-id"
        )
        answers.add((answer.status_code, answer.content, *headers))

    assert {answer[0] for answer in answers} == {404}
    assert len(answers) == 1


async def test_bodies_that_name_missing_foreign_and_malformed_things_get_the_same_bytes(
    country: Country,
) -> None:
    there = await world(country)
    stranger = await country.client(*WORKING, provider="eik")
    answers: set[bytes] = set()

    for id_ in (None, str(uuid4()), "nonsense", "\u0000"):
        hold = there.body("POST", "/holds") | ({} if id_ is None else {"referralId": id_})
        placement = {"holdId": id_ or there.ids["holds"]}
        search = {"referralId": id_ or there.ids["waiting"]}
        swap = {"searchId": id_ or str(uuid4()), "rank": 1}
        bodies = (
            ("/holds", hold),
            ("/placements", placement),
            ("/swap-searches", search),
            ("/swaps", swap),
        )
        for path, body in bodies:
            for key in (secrets.token_hex(8), "again"):
                answers.add(
                    (await stranger.ask("POST", path, json=body, key=key, expect=404)).content
                )
    other = there.body("POST", "/holds") | {"offerId": "nonsense"}
    answers.add((await stranger.ask("POST", "/holds", json=other, key="other", expect=404)).content)

    assert len(answers) == 1


async def test_an_auditor_of_another_region_cannot_tell_a_ranking_from_none(
    country: Country,
) -> None:
    there = await world(country)
    auditor = await country.client("auditor", region=FAR)
    concerned = await country.client("auditor", region=THERE)

    answers = {
        (await sent(auditor, there, "POST", "/rankings/{id}/replays", id_=id_)).content
        for id_ in (there.ids["rankings"], str(uuid4()), "nonsense")
    }

    assert len(answers) == 1
    assert (await sent(concerned, there, "POST", "/rankings/{id}/replays")).status_code in {
        200,
        404,
    }


async def test_lists_have_nothing_of_other_providers(country: Country) -> None:
    await world(country)
    stranger = await country.client(*WORKING, provider="eik")
    for path in ("/sites", "/places", "/referrals", "/holds", "/placements", "/webhooks", "/swaps"):
        assert (await stranger.get(path))["items"] == []


async def test_a_route_without_a_rule_or_a_rule_without_a_route_stops_the_start(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = dict(ROUTES)
    removed = rules.pop(("POST", "/holds"))
    monkeypatch.setattr(main, "ROUTES", rules)
    with pytest.raises(OperatorError, match="/holds"):
        main.create_app(country.parts)

    monkeypatch.setattr(
        main, "ROUTES", rules | {("POST", "/holds"): removed, ("POST", "/nowhere"): removed}
    )
    with pytest.raises(OperatorError, match="/nowhere"):
        main.create_app(country.parts)


async def test_a_route_that_lost_its_rule_is_open_to_nobody(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    country.app = main.create_app(country.parts)
    coordinator = await country.client("coordinator", provider="linde")
    await coordinator.get("/sites")
    mounted: Any = next(route.app for route in country.app.routes if isinstance(route, Mount))
    monkeypatch.setattr(mounted.state, "routes", {})
    await coordinator.get("/sites", expect=403)


async def test_nobody_needs_a_token_for_the_description_and_only_it_is_for_every_origin(
    country: Country,
) -> None:
    there = await world(country)
    origin = {"Origin": "https://elsewhere.example"}
    nobody = await country.client()
    described = await nobody.ask("GET", "/openapi.json", headers=origin, expect=200)
    assert described.headers["Access-Control-Allow-Origin"] == "*"

    for method, template in CLOSED:
        request = there.request(method, template)
        answer = await there.sender.http.request(
            **request | {"headers": request["headers"] | origin}
        )
        assert not [name for name in answer.headers if name.startswith("access-control")], template
