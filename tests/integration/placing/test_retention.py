"""The retention job.

It erases what is over for as long as the policy says, nothing else.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from app import worker
from app.database.transaction import WORKER
from app.placing import erasure
from app.placing.erasure_list import ErasureList
from tests.casework import Desk, desk, fresh
from tests.country import Country, referral_body
from tests.erasures import departed

AGED = """
UPDATE referrals SET updated_at = updated_at - make_interval(days => :days) WHERE id = :id
"""
AGED_PLACEMENTS = """
UPDATE placements SET created_at = created_at - age, arrived_at = arrived_at - age,
  departed_at = departed_at - age,
                      no_show_at = no_show_at - age
FROM make_interval(days => :days) AS age WHERE referral_id = :id
"""


SHIELDED = """
INSERT INTO shields (referral_id, account_id, provider_id, reference)
SELECT r.id, a.id, a.provider_id, r.reference
FROM referrals AS r JOIN accounts AS a ON a.provider_id = r.provider_id
WHERE r.id = :id
"""


async def retained(country: Country, folder: Path) -> float:
    """Let the job do its work once, as the worker; return when it is due again."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        return await worker.retain(tx, listed=ErasureList.of(folder))


async def aged(country: Country, referral_id: str, *, days: int) -> str:
    """Let that many days pass for a referral and its placements."""
    for statement in (AGED, AGED_PLACEMENTS):
        await country.rows(statement, id=referral_id, days=days)
    return referral_id


async def known(country: Country) -> set[str]:
    """Return the referrals about which anything is known."""
    return {
        row.id for row in await country.rows("SELECT referral_id::text AS id FROM referral_secrets")
    }


async def withdrawn(where: Desk) -> str:
    referral = await where.intake.post("/referrals", referral_body())
    await where.intake.post(
        f"/referrals/{referral['id']}/withdrawal", {"reason": "mistake"}, expect=200
    )
    return referral["id"]


async def did_not_come(where: Desk, *, checked: bool) -> str:
    placement = await where.underway()
    await where.intake.post(
        f"/placements/{placement['id']}/no-show", {"safetyChecked": checked}, expect=200
    )
    return placement["referralId"]


async def everyone(country: Country, *, days: int) -> Mapping[str, str]:
    """Return a referral in each state that one can be in, all of them so many days ago."""
    where = await desk(country, places=6)
    found: dict[str, Any] = {
        "departed": (await departed(where))["referralId"],
        "withdrawn": await withdrawn(where),
        "did not come": await did_not_come(where, checked=True),
        "did not come, nobody looked": await did_not_come(where, checked=False),
        "open": (await where.wish())["referralId"],
        "held": (await where.hold())["referralId"],
        "underway": (await where.underway())["referralId"],
        "arrived": (await where.arrived())["referralId"],
    }
    for referral_id in found.values():
        await aged(country, referral_id, days=days)
    await country.rows(SHIELDED, id=found["departed"])
    return found


async def test_the_job_erases_what_is_over_for_longer_than_the_policy_keeps_it_and_nothing_else(
    country: Country, tmp_path: Path
) -> None:
    found = await everyone(country, days=366)

    assert await retained(country, tmp_path) == worker.RETENTION_S

    over = {found[state] for state in ("departed", "withdrawn", "did not come")}
    assert set(found.values()) - await known(country) == over
    assert await country.value("SELECT count(*) FROM shields") == 0
    listed = ErasureList.of(tmp_path)
    assert {str(id_) for id_ in listed.read().ids} == over
    noted = await country.rows("SELECT referral_id::text AS id, cause FROM erasures")
    assert {(row.id, row.cause) for row in noted} == {(id_, "retention") for id_ in over}
    logged = await country.rows(
        "SELECT object_id::text AS id, roles[1] AS role, purpose FROM access_log"
        " WHERE action = 'erase'"
    )
    assert {tuple(row) for row in logged} == {(id_, "worker", "retention") for id_ in over}
    statement = "SELECT status FROM referrals WHERE id = :id"
    statuses = [
        await country.value(statement, id=found[state])
        for state in ("departed", "withdrawn", "did not come")
    ]
    assert statuses == ["ended", "withdrawn", "withdrawn"]

    assert await retained(country, tmp_path) == worker.RETENTION_S
    assert listed.path.read_text().count("\n") == 3


async def test_a_day_before_nothing_is_erased(country: Country, tmp_path: Path) -> None:
    found = await everyone(country, days=364)

    await retained(country, tmp_path)

    assert await known(country) == set(found.values())
    assert not ErasureList.of(tmp_path).path.exists()


async def test_who_is_looking_again_after_a_no_show_is_not_erased(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country, places=2)
    changed, held = [await did_not_come(where, checked=True) for _ in range(2)]
    for referral_id in (changed, held):
        await aged(country, referral_id, days=366)
    match = {"If-Match": "*"}
    await where.intake.patch(f"/referrals/{changed}", {"urgency": "urgent"}, headers=match)
    ranking = await where.intake.post(f"/referrals/{held}/rankings")
    hold = {
        "referralId": held,
        "rankingId": ranking["id"],
        "offerId": ranking["offers"][0]["offerId"],
    }
    await where.intake.post("/holds", hold, key=fresh())
    await aged(country, held, days=366)

    await retained(country, tmp_path)

    assert await known(country) == {changed, held}


async def test_the_policy_says_how_long(country: Country, tmp_path: Path) -> None:
    where = await desk(country)
    referral_id = await aged(country, await withdrawn(where), days=20)
    await country.rows(
        "INSERT INTO policies (hash, version, document, valid_from)"
        " SELECT 'sha256:shorter', 'shorter',"
        " jsonb_set(document::jsonb, '{retention_days}', '14'), clock_timestamp()"
        " FROM policies"
    )
    await country.rows("UPDATE heads SET value = value + 1 WHERE name = 'reference'")

    await retained(country, tmp_path)

    assert referral_id not in await known(country)


async def test_much_is_erased_some_at_a_time(
    country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "AT_ONCE", 2)
    where = await desk(country)
    for _ in range(3):
        await aged(country, await withdrawn(where), days=366)

    left: list[tuple[float, int]] = []
    for _ in range(3):
        again = await retained(country, tmp_path)
        left.append((again, len(await known(country))))

    assert left == [(worker.AT_ONCE_S, 1), (worker.RETENTION_S, 0), (worker.RETENTION_S, 0)]


async def test_two_workers_at_once_do_not_wait_for_each_other_and_erase_once(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    await aged(country, await withdrawn(where), days=366)
    listed = ErasureList.of(tmp_path)

    async with country.parts.database.transaction(actor=WORKER) as first:
        assert await erasure.erase_overdue(first, listed=listed) == 1
        async with country.parts.database.transaction(actor=WORKER) as second:
            assert await erasure.erase_overdue(second, listed=listed) == 0

    assert await country.value("SELECT count(*) FROM access_log WHERE action = 'erase'") == 1
    assert listed.path.read_text().count("\n") == 1


async def test_without_a_list_to_write_to_nothing_is_erased_and_the_log_says_so(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral_id = await aged(country, await withdrawn(where), days=366)
    ErasureList.of(tmp_path).path.mkdir()

    with structlog.testing.capture_logs() as logged:
        assert await retained(country, tmp_path) == worker.RETENTION_S

    assert await known(country) == {referral_id}
    assert [(line["log_level"], line["event"]) for line in logged] == [("error", "nothing_erased")]


async def test_the_timer_does_it_by_itself(country: Country, tmp_path: Path) -> None:
    where = await desk(country)
    await aged(country, await withdrawn(where), days=366)
    await country.rows("UPDATE timers SET due_at = '-infinity', leased_until = '-infinity'")

    recurring = worker.recurring_work(tmp_path)
    await worker.recur(country.parts.database, {"retention": recurring["retention"]})

    assert await known(country) == set()
    assert await country.value(
        "SELECT due_at > clock_timestamp() + interval '59 minutes' FROM timers"
        " WHERE name = 'retention'"
    )


async def test_answers_that_were_kept_late_are_emptied_within_the_hour(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body(), key="late")
    answer = await country.value("SELECT sealed FROM answers")
    async with country.owner.transaction() as tx:
        await erasure.erase_referral(tx, referral["id"], listed=ErasureList.of(tmp_path))
    await country.rows("UPDATE answers SET sealed = :answer", answer=answer)

    await retained(country, tmp_path)

    assert await country.value("SELECT sealed FROM answers") == b""


async def test_without_a_country_there_is_nothing_to_retain(
    country: Country, tmp_path: Path
) -> None:
    await country.rows("UPDATE heads SET value = 0 WHERE name = 'reference'")
    retain = partial(worker.retain, listed=ErasureList.of(tmp_path))
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await retain(tx) == worker.UNFOUNDED_S
