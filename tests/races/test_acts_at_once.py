"""Acts on one case at the same moment.

One happens, and each guard is seen to be needed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from app.database.transaction import Transaction
from app.models import Placement
from app.placing.store import placement_rows
from app.placing.store.placement_rows import PlacementRow
from app.referrals.store import referral_rows
from app.referrals.store.referral_rows import ReferralRow
from tests.casework import Desk, desk, fresh, waiting, wish_for
from tests.country import FIRST_LEAF, Country, referral_body
from tests.rounds import rounds
from tests.unguarded import weaken

pytestmark = pytest.mark.race

ROUNDS = rounds(8, soak=100)
LIVE = "SELECT count(*) FROM holds WHERE resolved_at IS NULL"
CLAIMED = "SELECT count(*) FROM claims WHERE claimed_until > clock_timestamp()"

Act = Callable[[Desk, dict[str, Any]], Awaitable[Any]]

ACTS: dict[str, Act] = {
    "place": lambda where, hold: where.intake.ask(
        "POST", "/placements", json={"holdId": hold["id"]}, key=fresh()
    ),
    "release": lambda where, hold: where.intake.ask(
        "POST", f"/holds/{hold['id']}/release", json={"reason": "found_elsewhere"}
    ),
    "decline": lambda where, hold: where.receiver.ask(
        "POST", f"/holds/{hold['id']}/decline", json={"reason": "staffing"}
    ),
    "withdraw": lambda where, hold: where.intake.ask(
        "POST", f"/referrals/{hold['referralId']}/withdrawal", json={"reason": "mistake"}
    ),
}


@pytest.mark.parametrize(
    "acts", [("place", "place", "place"), ("place", "release", "decline"), ("place", "withdraw")]
)
async def test_a_hold_resolves_once_whoever_acts_at_the_same_moment(
    country: Country, acts: tuple[str, ...]
) -> None:
    where = await desk(country, places=ROUNDS)
    for round_ in range(ROUNDS):
        hold = await where.accepted()
        turns = [*acts[round_ % len(acts) :], *acts[: round_ % len(acts)]]
        answers = await asyncio.gather(*(ACTS[name](where, hold) for name in turns))
        done = [
            name
            for name, answer in zip(turns, answers, strict=True)
            if answer.status_code in {200, 201}
        ]
        assert len(done) == 1
        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        status = {"place": "placed", "decline": "declined"}.get(done[0], "released")
        assert (await where.intake.get(f"/holds/{hold['id']}"))["status"] == status
        placed = await country.value(
            "SELECT count(*) FROM placements WHERE hold_id = :id", id=hold["id"]
        )
        assert placed == (done[0] == "place")
    assert await country.value(LIVE) == 0
    assert await country.value(CLAIMED) == await country.value("SELECT count(*) FROM placements")


async def test_one_referral_gets_one_hold_however_many_it_asks_for_at_once(
    country: Country,
) -> None:
    where = await desk(country, places=6)
    for _ in range(ROUNDS):
        wanted = await where.wish()
        answers = await asyncio.gather(
            *(where.intake.ask("POST", "/holds", json=wanted, key=fresh()) for _ in range(6))
        )
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
            "referral_not_open"
        }
        assert (await country.value(LIVE), await country.value(CLAIMED)) == (1, 1)
        given = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
        await where.intake.ask("DELETE", f"/holds/{given}", expect=204)


async def test_without_its_guard_one_referral_gets_several_holds(country: Country) -> None:
    where = await desk(country, places=6)
    await country.rows("DROP INDEX holds_live_referral_key")
    await weaken(country, "take_hold", ("(f.status = 'open' OR", "(true OR"))
    wanted = await where.wish()
    await asyncio.gather(
        *(where.intake.ask("POST", "/holds", json=wanted, key=fresh()) for _ in range(6))
    )
    assert await country.value(LIVE) > 1


async def test_a_withdrawn_referral_keeps_no_hold_that_was_taken_meanwhile(
    country: Country,
) -> None:
    where = await desk(country)
    for round_ in range(ROUNDS):
        wanted = await where.wish()
        turns = [
            where.intake.ask("POST", "/holds", json=wanted, key=fresh()),
            where.intake.ask(
                "POST",
                f"/referrals/{wanted['referralId']}/withdrawal",
                json={"reason": "mistake"},
                expect=200,
            ),
        ]
        await asyncio.gather(*(turns if round_ % 2 else reversed(turns)))
        referral = await where.intake.get(f"/referrals/{wanted['referralId']}")
        assert (referral["status"], referral["holdId"]) == ("withdrawn", None)
        assert (await country.value(LIVE), await country.value(CLAIMED)) == (0, 0)


async def test_without_its_lock_a_withdrawn_referral_keeps_the_place(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = await desk(country)
    wanted = await where.wish()
    read = referral_rows.read

    async def unlocked(
        tx: Transaction, referral_id: UUID, *, provider_id: UUID | None = None, lock: bool = False
    ) -> ReferralRow | None:
        row = await read(tx, referral_id, provider_id=provider_id)
        if lock:
            await where.intake.post("/holds", wanted, key=fresh())
        return row

    monkeypatch.setattr(referral_rows, "read", unlocked)
    await where.intake.post(
        f"/referrals/{wanted['referralId']}/withdrawal", {"reason": "mistake"}, expect=200
    )
    assert (await country.value(LIVE), await country.value(CLAIMED)) == (1, 1)


async def twice(where: Desk, placement: dict[str, Any], name: str) -> list[Any]:
    """Let two people record the same thing at once, each by themselves."""
    body = {"destination": "new_home"} if name == "departure" else None
    path = f"/placements/{placement['id']}/{name}"
    return list(
        await asyncio.gather(*(where.receiver.ask("POST", path, json=body) for _ in range(2)))
    )


@pytest.mark.parametrize("name", ["arrival", "departure"])
async def test_an_arrival_or_a_departure_recorded_twice_at_once_has_one_leaf(
    country: Country, name: str
) -> None:
    where = await desk(country)
    for _ in range(ROUNDS // 2):
        placement = await (where.underway() if name == "arrival" else where.arrived())
        answers = await twice(where, placement, name)
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        leaves = await country.value(
            "SELECT count(*) FROM leaves WHERE placement_id = :id AND type = :type",
            id=placement["id"],
            type=name,
        )
        assert leaves == 1
        if name == "arrival":
            await where.receiver.post(
                f"/placements/{placement['id']}/departure", {"destination": "new_home"}, expect=200
            )
    assert await country.value(CLAIMED) == 0


@pytest.mark.parametrize("name", ["arrival", "departure"])
async def test_without_the_guards_an_arrival_or_a_departure_has_two_leaves(
    country: Country, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    where = await desk(country)
    placement = await (where.underway() if name == "arrival" else where.arrived())
    await country.rows("DROP INDEX leaves_once_key")
    await weaken(country, "days_around", ("FOR UPDATE", ""))
    read, both = placement_rows.read, asyncio.Barrier(2)

    async def unlocked(
        tx: Transaction, placement_id: UUID, *, provider_id: UUID, lock: bool = False
    ) -> PlacementRow | None:
        row = await read(tx, placement_id, provider_id=provider_id)
        if lock:
            await both.wait()
        return row

    async def unguarded(
        tx: Transaction, placement_id: UUID, *, expected: str, values: Mapping[str, Any]
    ) -> bool:
        assert expected in {"underway", "arrived"}
        return (
            await tx.run(update(Placement).where(Placement.id == placement_id).values(**values))
            == 1
        )

    monkeypatch.setattr(placement_rows, "read", unlocked)
    monkeypatch.setattr(placement_rows, "change", unguarded)
    answers = await twice(where, placement, name)
    assert [answer.status_code for answer in answers] == [200, 200]
    # The second arrival may find the first one's leaf, and corrects it then.
    assert (
        await country.value(
            "SELECT count(*) FROM leaves WHERE type IN (:type, 'correction')", type=name
        )
        == 2
    )


async def test_a_zone_that_becomes_known_while_an_offer_is_being_held_outdates_it(
    country: Country,
) -> None:
    """The hold waits for the change that is about to be committed, and looks at what it left."""
    where = await desk(country)
    referral = await where.intake.post("/referrals", referral_body())
    wanted = await wish_for(where.intake, referral["id"])
    async with country.owner.transaction() as tx:
        await tx.rows(text("UPDATE referrals SET version = version + 1 RETURNING id"))
        holding = asyncio.create_task(where.intake.ask("POST", "/holds", json=wanted, key=fresh()))
        await waiting(country)
    answer = await holding
    assert (answer.status_code, answer.json()["code"]) == (409, "ranking_outdated")
    assert await country.value(LIVE) == 0


async def test_eight_arrivals_at_once_have_indexes_without_gaps(country: Country) -> None:
    where = await desk(country, places=8)
    coming = [await where.underway() for _ in range(8)]
    answers = await asyncio.gather(
        *(
            where.receiver.post(f"/placements/{placement['id']}/arrival", expect=200)
            for placement in coming
        )
    )
    assert sorted(answer["ledgerLeaf"] for answer in answers) == list(
        range(FIRST_LEAF, FIRST_LEAF + 8)
    )
    rows = await country.rows(
        "SELECT index, placement_id::text FROM leaves WHERE placement_id IS NOT NULL ORDER BY index"
    )
    assert [(row.index, row.placement_id) for row in rows] == sorted(
        (answer["ledgerLeaf"], answer["id"]) for answer in answers
    )
    assert await country.value("SELECT value FROM heads WHERE name = 'ledger'") == FIRST_LEAF + 8
    assert all(datetime.fromisoformat(answer["arrivedAt"]) for answer in answers)
