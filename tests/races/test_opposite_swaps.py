"""Opposite swaps at once.

Always whole or not at all, and no deadlock reaches a caller.
"""

import asyncio
from collections.abc import Collection
from uuid import UUID

import pytest
from sqlalchemy import Uuid as UuidType
from sqlalchemy import bindparam, text

from app.database import transaction
from app.database.transaction import Transaction
from app.placing.store import swap_reservations
from tests.country import Country
from tests.rounds import rounds
from tests.swaps import Cycle, cycle

pytestmark = pytest.mark.race

ROUNDS = rounds(10, soak=1000)
MOVING = "SELECT count(*) FROM placements WHERE status = 'underway'"
RESERVED = "SELECT count(*) FROM claims WHERE successor_id IS NOT NULL"
LIVE = "SELECT count(DISTINCT swap_id) FROM swap_legs WHERE live"


async def opposite(country: Country) -> tuple[Cycle, list[dict[str, object]]]:
    """Return two households in stay, and for each a search that found the same two moves."""
    it = await cycle(country)
    await it.residents[0].agrees()
    found = [await it.at.search(resident.referral_id) for resident in it.residents]
    assert [search["swaps"][0]["moves"] for search in found] == [2, 2]
    return it, [{"searchId": search["id"], "rank": 1} for search in found]


async def fired(it: Cycle, wanted: list[dict[str, object]]) -> list[tuple[int, str]]:
    """Propose both at once; return status, and id or code."""
    answers = await asyncio.gather(
        *(it.at.desk.ask("POST", "/swaps", json=body) for body in wanted)
    )
    return sorted(
        (answer.status_code, answer.json().get("id") or answer.json()["code"]) for answer in answers
    )


async def test_opposite_swaps_are_whole_or_not_at_all(country: Country) -> None:
    it, wanted = await opposite(country)
    ends: set[str] = set()
    for round_ in range(ROUNDS):
        (taken, swap_id), lost = await fired(it, wanted if round_ % 2 else wanted[::-1])
        assert (taken, lost) == (201, (409, "swap_gone"))
        last = await it.at.consent(swap_id, but=2)
        turns = [
            client.ask("POST", f"/swaps/{swap_id}/consents", json=body) for client, body in last
        ]
        if round_ % 3:
            no = it.at.desk.ask("POST", f"/swaps/{swap_id}/refusal", json={"reason": "other"})
            turns.insert(round_ % 3 - 1, no)
        answers = await asyncio.gather(*turns)
        refused = {answer.json()["code"] for answer in answers if answer.status_code != 200}
        assert refused <= {"swap_resolved"}

        status = await it.at.status(swap_id)
        ends.add(status)
        moving, reserved = await country.value(MOVING), await country.value(RESERVED)
        assert (moving, reserved) == ((2, 2) if status == "reserved" else (0, 0))
        if status == "reserved":
            first = (await it.at.going(swap_id))[round_ % 2]
            await it.at.desk.post(
                f"/placements/{first}/no-show", {"safetyChecked": True}, expect=200
            )
            assert await it.at.status(swap_id) == "broken"
            assert (await country.value(MOVING), await country.value(RESERVED)) == (0, 0)
    assert ends <= {"reserved", "refused"}
    assert "reserved" in ends
    assert await country.value("SELECT count(*) FROM placements WHERE status = 'arrived'") == 2


async def test_without_locks_and_indexes_both_of_two_opposite_swaps_are_proposed(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, wanted = await opposite(country)
    both, fit = asyncio.Barrier(2), swap_reservations.check_moves
    for index in ("swap_legs_live_referral_key", "swap_legs_live_place_key"):
        await country.rows(f"DROP INDEX {index}")

    async def unlocked(
        tx: Transaction, *, referrals: Collection[UUID], places: Collection[UUID]
    ) -> None:
        assert (tx.identity, bool(referrals), bool(places)) != (None, False, False)

    async def together(*given: object, **named: object) -> object:
        found = await fit(*given, **named)  # type: ignore[arg-type]
        await both.wait()
        return found

    monkeypatch.setattr(swap_reservations, "lock_all", unlocked)
    monkeypatch.setattr(swap_reservations, "check_moves", together)
    assert [status for status, _ in await fired(it, wanted)] == [201, 201]
    assert await country.value(LIVE) == 2


@pytest.mark.parametrize("tries", [1, transaction.TRIES])
async def test_locked_in_no_fixed_order_they_deadlock_and_even_then_trying_again_hides_it(
    country: Country, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    it, wanted = await opposite(country)
    both, waited = asyncio.Barrier(2), set[int]()
    one = text("SELECT id FROM referrals WHERE id = :id FOR UPDATE").bindparams(
        bindparam("id", type_=UuidType())
    )

    async def as_given(
        tx: Transaction, *, referrals: Collection[UUID], places: Collection[UUID]
    ) -> None:
        assert places
        for id_ in referrals:
            await tx.rows(one, {"id": id_})
            if id(tx) not in waited:
                waited.add(id(tx))
                await both.wait()

    monkeypatch.setattr(swap_reservations, "lock_all", as_given)
    monkeypatch.setattr(transaction, "TRIES", tries)
    codes = [code for status, code in await fired(it, wanted) if status != 201]
    assert codes == (["busy"] if tries == 1 else ["swap_gone"])
    assert await country.value(LIVE) == 1
