"""The access log: a refusal leaves one entry too, and nothing is shown without one."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.api.kit.access import ROUTES
from app.database.caller import Role
from app.logs import configure
from tests.access_calls import Person, person
from tests.api.calls import WORKING, World, counts, world
from tests.country import FAR, THERE, Country
from tests.statements import noting

LOGGED = {call: row for call, row in ROUTES.items() if row.action}
NAMING = [
    call
    for call in sorted(LOGGED)
    if "{id}" in call[1] and not ROUTES[call].roles.isdisjoint(WORKING)
]
IN_THE_BODY = [("POST", "/holds"), ("POST", "/placements"), ("POST", "/break-glass-looks")]
OF_A_PURPOSE = {
    ("POST", "/sites/{id}/address-reveals"): "other",
    ("POST", "/break-glass-looks"): "handover",
}
"""Calls that ask for one: it is written down though they were refused."""
CASE = "/referrals/{id}"
GREW = ("access_log", "access_log_referrals")
"""What reading it once more, to compare, adds to."""
REVOKE = "REVOKE INSERT ON access_log FROM plek_app"
SHUT = "ALTER TABLE access_log ADD CONSTRAINT shut CHECK (false) NOT VALID"
"""Nobody adds an entry any more, not even from within the database."""


async def refused(
    who: Person, there: World, call: tuple[str, str], *, id_: str | None = None
) -> tuple[Any, Any]:
    """Make a call that is refused.

    Return its answer and the one entry that it left, which names the object.
    """
    request = there.request(*call, id_=id_)
    method, path = request.pop("method"), request.pop("url")
    answer, row = await who.logged(method, path, outcome="refused", **request)
    look = LOGGED[call]
    assert (row.action, row.object_type, row.referral_ids) == (look.action, look.object_type, [])
    wanted = id_ or there.ids[path.split("/")[1]] if "{id}" in call[1] else None
    assert row.object_id == (UUID(wanted) if wanted else None)
    return answer, row


@pytest.mark.parametrize("role", sorted(Role))
async def test_a_role_that_may_not_leaves_one_entry_for_each_call(
    country: Country, role: Role
) -> None:
    there = await world(country)
    region = FAR if role is Role.AUDITOR else None
    who = await person(country, role, provider="haven" if role in WORKING else None, region=region)
    for call in sorted(LOGGED):
        if role not in ROUTES[call].roles:
            answer, row = await refused(who, there, call)
            assert (answer.status_code, row.purpose) == (403, None)


async def test_another_providers_thing_and_none_leave_one_entry_each(country: Country) -> None:
    there = await world(country)
    who = await person(country, *WORKING, provider="eik")
    for call in NAMING:
        for id_ in (None, str(uuid4())):
            answer, row = await refused(who, there, call, id_=id_)
            assert (answer.status_code, row.purpose) == (404, OF_A_PURPOSE.get(call))


async def test_what_is_no_id_is_not_written_down(country: Country) -> None:
    who = await person(country, *WORKING, provider="eik")
    for id_ in ("Voorbeeldstraat 1", "9" * 500, "%00"):
        answer, row = await who.logged("GET", f"/referrals/{id_}", outcome="refused")
        assert (answer.status_code, row.object_id) == (404, None)


async def test_a_body_that_names_anothers_thing_leaves_one_entry(country: Country) -> None:
    there = await world(country)
    who = await person(country, *WORKING, provider="eik")
    for call in IN_THE_BODY:
        answer, row = await refused(who, there, call)
        assert (answer.status_code, row.purpose) == (404, OF_A_PURPOSE.get(call))


async def test_an_auditor_of_another_region_leaves_one_entry(country: Country) -> None:
    there = await world(country)
    answer, _ = await refused(
        await person(country, "auditor", region=FAR), there, ("POST", "/rankings/{id}/replays")
    )
    assert answer.status_code == 404


async def test_a_token_that_is_none_leaves_one_entry_of_nobody_and_no_token_leaves_none(
    country: Country,
) -> None:
    there = await world(country)
    nobody, stranger = await person(country, known=False), await country.client()
    for call in sorted(LOGGED):
        answer, row = await refused(nobody, there, call)
        assert (answer.status_code, row.account_id, row.roles, row.provider_id) == (
            401,
            None,
            [],
            None,
        )
    before = await country.value("SELECT count(*) FROM access_log")
    for call in sorted(LOGGED):
        assert (await stranger.http.request(**there.request(*call))).status_code == 401
    assert await country.value("SELECT count(*) FROM access_log") == before


async def test_a_refusal_is_written_down_though_the_transaction_that_refused_was_taken_back(
    country: Country,
) -> None:
    who = await person(country, *WORKING, provider="eik")
    with noting(country) as asked:
        await who.logged("GET", f"/referrals/{uuid4()}", outcome="refused")

    kinds = [
        word
        for one in asked
        for word in ("enter(", "INSERT INTO access_log")
        if word in one.statement
    ]
    assert kinds == ["enter(", "enter(", "INSERT INTO access_log"]


async def test_bad_input_and_a_conflict_show_nothing_and_leave_none(country: Country) -> None:
    there = await world(country)
    before = await country.value("SELECT count(*) FROM access_log")
    await there.sender.post("/referrals", {"urgency": "never"}, expect=400)
    await there.receiver.post(there.path("/holds/{id}/decline"), {"reason": "staffing"}, expect=409)
    assert await country.value("SELECT count(*) FROM access_log") == before


async def who_may(country: Country, call: tuple[str, str]) -> Person:
    """Return a person to whom a call shows something."""
    role = max(ROUTES[call].roles)
    provider = "haven" if call[1].startswith(("/referrals", "/rankings")) else "linde"
    return await person(country, role, provider=provider if role in WORKING else None, region=THERE)


NOT_YET: dict[tuple[str, str], int] = {
    ("GET", "/decisions/{id}"): 404,
    ("GET", "/fair-share-pairs"): 409,
    ("GET", "/settlements"): 409,
}
"""What nobody sees in a world that began today: no opening is due, and no quarter is over."""


async def test_what_cannot_be_written_down_is_not_shown(country: Country) -> None:
    there = await world(country)
    calls = [call for call, look in sorted(LOGGED.items()) if call[0] == "GET" and look.granted]
    asked = {call: (await who_may(country, call), there.request(*call)) for call in calls}
    first = {
        call: (await who.client.http.request(**request)).status_code
        for call, (who, request) in asked.items()
    }
    assert {call: status for call, status in first.items() if status != 200} == NOT_YET
    for call in NOT_YET:
        del asked[call]

    await country.rows(REVOKE)

    for call, (who, request) in asked.items():
        answer = await who.client.http.request(**request)
        assert answer.status_code == 500, call
        assert set(answer.json()) == {"type", "title", "status", "detail", "code"}, call


async def test_what_cannot_be_written_down_is_not_done(country: Country) -> None:
    there = await world(country)
    before = await there.sender.get(there.path("/referrals/{id}"))
    tables = await counts(country)
    await country.rows(SHUT)

    for call in (
        ("POST", "/referrals"),
        ("PATCH", "/referrals/{id}"),
        ("POST", "/referrals/{id}/rankings"),
    ):
        assert (await there.sender.http.request(**there.request(*call))).status_code == 500
    hold = there.request("POST", "/holds")
    await country.rows("UPDATE referrals SET status = 'open', hold_id = NULL, held_until = NULL")
    tables["dues"] = (await counts(country))["dues"]
    assert (await there.sender.http.request(**hold)).status_code == 500

    await country.rows("ALTER TABLE access_log DROP CONSTRAINT shut")
    assert await there.sender.get(there.path("/referrals/{id}")) == before | {"status": "open"}
    assert await counts(country) == tables | {table: tables[table] + 1 for table in GREW}


async def test_nothing_of_the_log_stands_in_the_applications_own(
    country: Country, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("debug")
    there = await world(country)
    who = await person(country, *WORKING, provider="linde")
    zones = [{"municipality": FAR, "radiusKm": 50, "cause": "work"}]
    await there.sender.patch(there.path(CASE), {"dangerZones": zones}, headers={"If-Match": "*"})
    await who.logged("GET", there.path("/referrals/{id}"), outcome="refused")
    await who.logged(
        "POST", there.path("/sites/{id}/address-reveals"), json={"purpose": "maintenance"}
    )
    await country.rows(REVOKE)
    await who.ask("GET", there.path("/sites/{id}"), expect=500)

    # The test's own client logs the addresses that it asks for.
    said = "".join(
        line for line in capsys.readouterr().err.splitlines() if '"logger": "httpx"' not in line
    )
    assert said.count("request_id") > 10
    rows = await country.rows(
        "SELECT account_id, provider_id, object_id, referral_ids[1] AS referral, purpose, "
        "source FROM access_log"
    )
    written = {str(value) for row in rows for value in row if value is not None}
    assert {
        "127.0.0.1",
        "maintenance",
        "danger_zones",
        str(who.account_id),
        there.ids["sites"],
    } <= written
    assert [value for value in written if value in said] == []
