"""What an erased referral answers.

Gone to those whose it was, and never there to anybody else.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.api.calls import WORKING
from tests.casework import Desk, desk, fresh
from tests.country import FAR, HERE, THERE, Client, Country, referral_body
from tests.erasures import departed, erase

if TYPE_CHECKING:
    import httpx


def calls(referral_id: str, ranking_id: str, *, offer_id: str) -> dict[str, dict[str, Any]]:
    """Return every call about a referral itself and what was ranked for it."""
    hold = {"referralId": referral_id, "rankingId": ranking_id, "offerId": offer_id}
    match = {"If-Match": "*"}
    return {
        "read": {"method": "GET", "url": f"/referrals/{referral_id}"},
        "change": {
            "method": "PATCH",
            "url": f"/referrals/{referral_id}",
            "json": {"urgency": "urgent"},
            "headers": match,
        },
        "withdraw": {
            "method": "POST",
            "url": f"/referrals/{referral_id}/withdrawal",
            "json": {"reason": "mistake"},
        },
        "reopen": {"method": "POST", "url": f"/referrals/{referral_id}/reopening"},
        "rank": {"method": "POST", "url": f"/referrals/{referral_id}/rankings"},
        "ranking": {"method": "GET", "url": f"/rankings/{ranking_id}"},
        "replay": {"method": "POST", "url": f"/rankings/{ranking_id}/replays"},
        "hold": {
            "method": "POST",
            "url": "/holds",
            "json": hold,
            "headers": {"Idempotency-Key": fresh()},
        },
        "hold by a made-up offer": {
            "method": "POST",
            "url": "/holds",
            "json": hold | {"offerId": "nonsense"},
            "headers": {"Idempotency-Key": fresh()},
        },
    }


async def answered(client: Client, call: dict[str, Any]) -> tuple[int, bytes]:
    answer: httpx.Response = await client.http.request(**call)
    return answer.status_code, answer.content


async def test_everything_about_an_erased_referral_is_gone_for_its_own_provider(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    there = calls(wanted["referralId"], wanted["rankingId"], offer_id=wanted["offerId"])

    await erase(country, wanted["referralId"], folder=tmp_path)

    for what, call in there.items():
        status, content = await answered(where.intake, call)
        assert (status, b'"code":"erased"' in content) == (410, True), (
            f"{what}: {status} {content!r}"
        )


async def test_to_another_provider_an_erased_referral_is_as_missing_as_one_that_never_was(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    never = {"referralId": str(uuid4()), "rankingId": str(uuid4())}
    stranger = await country.client(*WORKING, provider="eik")

    await erase(country, wanted["referralId"], folder=tmp_path)

    gone = calls(wanted["referralId"], wanted["rankingId"], offer_id=wanted["offerId"])
    none = calls(never["referralId"], never["rankingId"], offer_id=wanted["offerId"])
    for what, call in gone.items():
        answer = await answered(stranger, call)
        assert answer == await answered(stranger, none[what]), what
        assert answer[0] == 404, what


async def test_an_auditor_concerned_hears_that_a_ranking_was_erased_and_no_other_does(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    path = f"/rankings/{wanted['rankingId']}/replays"
    concerned = await country.client("auditor", region=HERE)
    other = await country.client("auditor", region=FAR)
    await concerned.post(path, expect=200, key="first")

    await erase(country, wanted["referralId"], folder=tmp_path)

    for key in (None, "first", "second"):
        assert (await concerned.post(path, expect=410, key=key))["code"] == "erased"
    assert (await other.post(path, expect=404))["code"] == "not_found"


async def test_lists_leave_out_what_was_erased_and_go_on(country: Country, tmp_path: Path) -> None:
    where = await desk(country)
    made = [await where.intake.post("/referrals", referral_body()) for _ in range(5)]
    await erase(country, made[1]["id"], folder=tmp_path)
    await erase(country, made[4]["reference"], folder=tmp_path)

    seen: list[str] = []
    page: dict[str, Any] = {"nextCursor": ""}
    while page["nextCursor"] is not None:
        cursor = {"cursor": page["nextCursor"]} if page["nextCursor"] else {}
        page = await where.intake.get("/referrals", params={"limit": 2} | cursor)
        assert len(page["items"]) == 2 or page["nextCursor"] is None
        seen += [item["id"] for item in page["items"]]

    assert seen == [made[number]["id"] for number in (3, 2, 0)]
    assert (await where.intake.get("/referrals", params={"status": "withdrawn"}))["items"] == []


async def everything_once(where: Desk) -> tuple[str, list[tuple[str, Any]]]:
    """Make each keyed call whose answer shows something of a household.

    Return the requests.
    """
    body = referral_body()
    referral_id = (await where.intake.post("/referrals", body, key="register"))["id"]
    rank = (f"/referrals/{referral_id}/rankings", None)
    ranking = await where.intake.post(rank[0], key="rank")
    replay = (f"/rankings/{ranking['id']}/replays", None)
    await where.intake.post(replay[0], key="replay", expect=200)
    hold = {
        "referralId": referral_id,
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    held = await where.intake.post("/holds", hold, key="hold")
    renew = (f"/holds/{held['id']}/renewals", None)
    await where.intake.post(renew[0], key="renew", expect=200)
    withdraw = (f"/referrals/{referral_id}/withdrawal", {"reason": "mistake"})
    await where.intake.post(*withdraw, key="withdraw", expect=200)
    requests = {
        "register": ("/referrals", body),
        "rank": rank,
        "replay": replay,
        "hold": ("/holds", hold),
        "renew": renew,
        "withdraw": withdraw,
    }
    return referral_id, list(requests.items())


async def test_a_repeat_of_what_was_answered_before_is_told_and_has_no_second_effect(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral_id, requests = await everything_once(where)
    for key, (path, body) in requests:
        again = await where.intake.ask("POST", path, key=key, **({"json": body} if body else {}))
        assert again.headers.get("Idempotency-Replayed") == "true", key

    await erase(country, referral_id, folder=tmp_path)

    for key, (path, body) in requests:
        assert (await where.intake.post(path, body, key=key, expect=410))["code"] == "erased", key
    for table in ("referrals", "rankings", "holds"):
        assert await country.value(f"SELECT count(*) FROM {table}") == 1  # noqa: S608 - names from the line above
    other = await where.intake.post(
        "/referrals", referral_body(urgency="urgent"), key="register", expect=422
    )
    assert other["code"] == "idempotency_key_reused"


async def test_an_answer_that_was_kept_while_its_referral_was_being_erased_is_nobodys(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    path = f"/referrals/{wanted['referralId']}/rankings"
    await where.intake.post(path, key="rank")
    kept = await country.value("SELECT sealed FROM answers WHERE key = 'rank'")

    await erase(country, wanted["referralId"], folder=tmp_path)
    await country.rows("UPDATE answers SET sealed = :kept WHERE key = 'rank'", kept=kept)

    assert (await where.intake.post(path, key="rank", expect=410))["code"] == "erased"


async def test_holds_and_placements_of_an_erased_referral_stay_readable_to_both_sides(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    placement = await departed(where)
    paths = (
        "/holds",
        f"/holds/{placement['holdId']}",
        "/placements",
        f"/placements/{placement['id']}",
    )
    before = [
        (await client.ask("GET", path)).content
        for client in (where.intake, where.receiver)
        for path in paths
    ]

    await erase(country, placement["referralId"], folder=tmp_path)

    after = [
        (await client.ask("GET", path)).content
        for client in (where.intake, where.receiver)
        for path in paths
    ]
    assert after == before
    assert await country.value("SELECT status FROM referrals") == "ended"


async def test_counts_the_ledger_and_the_replays_of_others_stay_as_they_were(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country, places=3)
    gone, stays = await departed(where), await departed(where)
    ranking = await country.value(
        "SELECT id FROM rankings WHERE referral_id = :id", id=stays["referralId"]
    )
    auditors = [await country.client("auditor", region=region) for region in (HERE, THERE)]
    administrator = await country.client("administrator")

    async def seen() -> list[bytes]:
        ledger = [
            await client.ask("GET", "/ledger/entries", expect=200)
            for client in (*auditors, administrator)
        ]
        counts = await administrator.ask("GET", "/availability", expect=200)
        replays = [
            await client.ask(
                "POST", f"/rankings/{ranking}/replays", expect=200, key=secrets.token_hex(8)
            )
            for client in (where.intake, *auditors)
        ]
        return [answer.content for answer in (*ledger, counts, *replays)]

    before = await seen()
    await erase(country, gone["referralId"], folder=tmp_path)

    assert await seen() == before
    assert b'"identical":true' in before[-1]
    assert (
        sum(answer.count(b'"opening":{') for answer in before) == 8
    )  # four leaves, for each of the two regions
