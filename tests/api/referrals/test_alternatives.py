"""Alternatives: a provider answers by name and checks; an overdue check is loud."""

from datetime import timedelta
from typing import Any

from tests.api.calls import faults
from tests.casework import Desk, desk, fresh, problem, wish_for
from tests.country import Client, Country, referral_body
from tests.dues import Asked, live, pass_hours, ring
from tests.erasures import erase
from tests.ledger_stays import local_today
from tests.shields import shielding

LATE = (
    "UPDATE alternatives SET next_check_at = clock_timestamp() - interval '25 hours' WHERE id = :id"
)

KINDS = ("alternative_check", "alternative_nights")


def both(kind: str, made: dict[str, Any]) -> list[Asked]:
    """Return a due of an alternative, for its desk and for who answers for it."""
    return [(kind, made["id"], whose) for whose in ("haven", "linde")]


def hotel(country: Country, **changes: Any) -> dict[str, Any]:
    """Return the body of a hotel for which linde answers."""
    return {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])} | changes


async def begun(where: Desk, country: Country, **changes: Any) -> tuple[str, dict[str, Any]]:
    """Register a referral that gets an alternative.

    Return the id of the one and the other.
    """
    referral = await where.intake.post("/referrals", referral_body())
    return referral["id"], await where.intake.post(
        f"/referrals/{referral['id']}/alternatives", hotel(country, **changes)
    )


async def events(country: Country) -> list[tuple[str, str, set[str]]]:
    """Return what was told of alternatives: kind, subject and slugs."""
    slugs = {id_: slug for slug, id_ in country.providers.items()}
    rows = await country.rows(
        "SELECT kind, subject, audience FROM outbox WHERE kind IN ('waiting', 'alarm') ORDER BY id"
    )
    return [(row.kind, row.subject, {slugs[id_] for id_ in row.audience}) for row in rows]


async def test_an_alternative_is_shown_to_both_sides_and_to_the_responsible_one_without_the_referral(
    country: Country,
) -> None:
    where = await desk(country)
    stranger = await country.client("intake_worker", "coordinator", provider="eik")
    referral_id, made = await begun(where, country)

    own = (await where.intake.get("/alternatives"))["items"]
    theirs = (await where.receiver.get("/alternatives"))["items"]

    assert own == [made]
    assert theirs == [made | {"referralId": None}]
    assert made["referralId"] == referral_id
    assert (await stranger.get("/alternatives"))["items"] == []
    referral = await where.intake.get(f"/referrals/{referral_id}")
    assert referral["alternative"] == {
        "id": made["id"],
        "kind": "hotel",
        "responsibleProviderId": str(country.providers["linde"]),
        "startedAt": made["startedAt"],
        "until": None,
    }
    assert made["reference"] == referral["reference"]
    path = f"/referrals/{referral_id}/alternatives"
    assert await problem(where.intake, path, hotel(country), status=409) == "alternative_in_use"
    assert await events(country) == [("waiting", made["id"], {"haven", "linde"})]


async def test_whoever_is_not_well_is_looked_after_at_once_until_somebody_finds_them_well(
    country: Country,
) -> None:
    where = await desk(country)
    referral_id, made = await begun(where, country)
    checks = f"/alternatives/{made['id']}/checks"
    assert not made["overdue"]

    for client, outcome, overdue in (
        (where.receiver, "not_reached", True),
        (where.intake, "not_well", True),
        (where.receiver, "well", False),
    ):
        checked = await client.post(checks, {"outcome": outcome}, expect=200)
        assert (checked["outcome"], checked["overdue"]) == (outcome, overdue)
        (listed,) = (await where.intake.get("/waiting-list"))["items"]
        assert (listed["referralId"], listed["overdue"]) == (referral_id, overdue)

    assert [kind for kind, _, _ in await events(country)] == [
        "waiting",
        "alarm",
        "alarm",
        "waiting",
    ]
    assert set(faults(await where.receiver.ask("POST", checks, json={"outcome": "fine"}))) == {
        "/outcome"
    }


async def test_overdue_ones_are_loud_every_day_and_told_to_both(country: Country) -> None:
    where = await desk(country)
    _, made = await begun(where, country)
    _, other = await begun(where, country, until=(local_today() + timedelta(days=9)).isoformat())
    assert await live(country, *KINDS) == {
        *both("alternative_check", made),
        *both("alternative_check", other),
        *both("alternative_nights", other),
    }
    assert await ring(country) == []

    await country.rows(LATE, id=made["id"])
    await country.rows(
        "UPDATE alternatives SET nights_over_at = clock_timestamp() WHERE id = :id", id=other["id"]
    )
    late = [*both("alternative_check", made), *both("alternative_nights", other)]
    assert sorted(await ring(country)) == sorted(late)
    assert await ring(country) == []
    await pass_hours(country, 23.9)
    assert await ring(country) == []
    await pass_hours(country, 0.2)
    assert sorted(await ring(country)) == sorted(late)
    administrator = await country.client("administrator")
    counted = (await administrator.ask("GET", "http://plek.test/metrics", expect=200)).text
    for state, count in (("open", 4.0), ("overdue", 2.0), ("unseen", 2.0)):
        line = f'plek_dues{{kind="alternative_check",state="{state}"}} {count}'
        assert line in counted


async def test_an_emergency_bed_has_the_policys_nights_and_no_more(country: Country) -> None:
    where = await desk(country)
    _, made = await begun(where, country, kind="emergency_bed")
    today = await country.value("SELECT (clock_timestamp() AT TIME ZONE 'Europe/Amsterdam')::date")
    assert made["until"] == (today + timedelta(days=3)).isoformat()

    referral = await where.intake.post("/referrals", referral_body())
    path = f"/referrals/{referral['id']}/alternatives"
    for changes, wrong in (
        ({"kind": "emergency_bed", "until": (today + timedelta(days=4)).isoformat()}, {"/until"}),
        ({"until": today.isoformat()}, {"/until"}),
        ({"kind": "tent"}, {"/kind"}),
        ({"responsibleProviderId": "nobody"}, {"/responsibleProviderId"}),
        ({"address": "Kade 1"}, {"/address"}),
    ):
        assert (
            set(faults(await where.intake.ask("POST", path, json=hotel(country, **changes))))
            == wrong
        )
    shorter = hotel(country, kind="emergency_bed", until=(today + timedelta(days=1)).isoformat())
    assert (await where.intake.post(path, shorter))["until"] == shorter["until"]


async def test_an_alternative_ends_by_a_code_or_by_itself(country: Country) -> None:
    where = await desk(country, places=2)
    ended: list[tuple[str, Client | None]] = []
    _, by_us = await begun(where, country)
    _, by_them = await begun(where, country)
    for made, client in ((by_us, where.intake), (by_them, where.receiver)):
        path = f"/alternatives/{made['id']}/ending"
        await client.post(path, {"reason": "left"}, expect=200)
        assert (
            await problem(where.intake, path, {"reason": "left"}, status=409) == "alternative_ended"
        )
        checks = f"/alternatives/{made['id']}/checks"
        assert (
            await problem(where.receiver, checks, {"outcome": "well"}, status=409)
            == "alternative_ended"
        )
        ended.append((made["id"], client))
    assert set(faults(await where.intake.ask("POST", path, json={"reason": "placed"}))) == {
        "/reason"
    }
    kinds = {subject: kind for kind, subject, _ in await events(country)}
    assert [kinds[id_] for id_, _ in ended] == ["waiting", "alarm"]

    withdrawn, first = await begun(where, country)
    await where.intake.post(f"/referrals/{withdrawn}/withdrawal", {"reason": "mistake"}, expect=200)
    placed, second = await begun(where, country)
    ranking = await where.intake.post(f"/referrals/{placed}/rankings")
    wish = {
        "referralId": placed,
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    hold = await where.intake.post("/holds", wish, key="first")
    await where.receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    placement = await where.intake.post("/placements", {"holdId": hold["id"]}, key="second")
    assert (await where.intake.get(f"/referrals/{placed}"))["alternative"]["id"] == second[
        "id"
    ]  # until they are there
    path = f"/referrals/{placed}/alternatives"
    assert await problem(where.intake, path, hotel(country), status=409) == "referral_not_open"
    await where.receiver.ask("POST", f"/placements/{placement['id']}/arrival", expect=200)

    for made, reason in ((first, "withdrawn"), (second, "placed")):
        shown = await where.receiver.get(f"/alternatives/{made['id']}")
        assert (shown["endReason"], shown["overdue"]) == (reason, False)
    assert (await where.intake.get(f"/referrals/{placed}"))["alternative"] is None
    assert (await where.intake.get("/alternatives"))["items"] == []


async def test_a_shield_holds_for_alternatives_and_contacts_at_home(
    country: Country, tmp_path: Any
) -> None:
    case = await shielding(country)
    body = hotel(country, responsibleProviderId=str(country.providers["haven"]))
    made = await case.named.post(f"/referrals/{case.id}/alternatives", body)
    await case.named.post(f"/referrals/{case.id}/contacts", {"note": "Belt morgen."})

    assert [item["id"] for item in (await case.named.get("/alternatives"))["items"]] == [made["id"]]
    assert (await case.other.get("/alternatives"))["items"] == []
    assert (await case.other.get("/waiting-list"))["items"] == []
    await case.other.get(f"/alternatives/{made['id']}", expect=404)
    await case.other.get(f"/referrals/{case.id}/contacts", expect=404)

    await erase(country, case.id, folder=tmp_path)
    assert (await case.named.get(f"/referrals/{case.id}/contacts", expect=410))["code"] == "erased"
    assert (
        await problem(case.named, f"/referrals/{case.id}/contacts", {"note": "x"}, status=410)
        == "erased"
    )
    assert (
        await problem(case.named, f"/referrals/{case.id}/alternatives", body, status=410)
        == "erased"
    )
    assert (await case.named.get("/waiting-list"))["items"] == []
    assert (await case.named.get(f"/alternatives/{made['id']}"))["endReason"] == "withdrawn"


async def test_help_where_they_are_takes_what_was_published_and_gives_it_back(
    country: Country,
) -> None:
    where = await desk(country)
    assert await where.receiver.get("/ambulatory-capacity") == {"capacity": 0, "inUse": 0}
    referrals = [(await where.intake.post("/referrals", referral_body()))["id"] for _ in range(3)]
    paths = [f"/referrals/{id_}/alternatives" for id_ in referrals]
    body = hotel(country, kind="ambulatory")
    assert await problem(where.intake, paths[0], body, status=409) == "no_capacity"

    await where.receiver.ask("PUT", "/ambulatory-capacity", json={"capacity": 2}, expect=200)
    first, _ = [await where.intake.post(path, body) for path in paths[:2]]
    assert await problem(where.intake, paths[2], body, status=409) == "no_capacity"
    lower = await where.receiver.ask(
        "PUT", "/ambulatory-capacity", json={"capacity": 1}, expect=200
    )
    assert lower.json() == {"capacity": 1, "inUse": 2}
    await where.receiver.post(
        f"/alternatives/{first['id']}/ending", {"reason": "not_available"}, expect=200
    )
    assert await problem(where.intake, paths[2], body, status=409) == "no_capacity"
    await where.intake.post(
        f"/referrals/{referrals[1]}/withdrawal", {"reason": "mistake"}, expect=200
    )
    await where.intake.post(paths[2], body)
    assert await where.receiver.get("/ambulatory-capacity") == {"capacity": 1, "inUse": 1}
    assert await where.intake.get("/ambulatory-capacity") == {
        "capacity": 0,
        "inUse": 0,
    }  # haven's own
    wrong = await where.receiver.ask("PUT", "/ambulatory-capacity", json={"capacity": -1})
    assert set(faults(wrong)) == {"/capacity"}


async def test_an_arrival_that_never_was_gives_them_their_hotel_back(country: Country) -> None:
    where = await desk(country)
    referral_id, made = await begun(where, country)
    hold = await where.intake.post("/holds", await wish_for(where.intake, referral_id), key=fresh())
    accepted = f"/holds/{hold['id']}/acceptance"
    await where.receiver.post(accepted, {"by": "person"}, expect=200)
    placement = await where.intake.post("/placements", {"holdId": hold["id"]}, key=fresh())
    path = f"/placements/{placement['id']}"

    async def in_use() -> list[str]:
        listed = (await where.intake.get("/alternatives"))["items"]
        return [one["id"] for one in listed if one["endedAt"] is None]

    for _ in range(2):
        await where.receiver.post(f"{path}/arrival", expect=200)
        assert await in_use() == []
        await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"})
        assert await in_use() == [made["id"]]
    assert ("waiting", made["id"], {"haven", "linde"}) in await events(country)
