"""Holds that run out during an act: each act does harm if it does not look again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.transaction import WORKER, Transaction
from app.models import Claim
from app.placing import holds
from app.placing.store import hold_changes, hold_rows
from app.placing.store.hold_rows import HoldRow
from tests.casework import Desk, desk, fresh, lapse
from tests.country import Country
from tests.rounds import rounds

pytestmark = pytest.mark.race

ROUNDS = rounds(25, soak=500)
ACTS = ("renewals", "acceptance", "decline", "release", "placement")
BODIES = {
    "acceptance": {"by": "person"},
    "decline": {"reason": "staffing"},
    "release": {"reason": "mistake"},
}


def act(where: Desk, hold: dict[str, Any], name: str) -> Callable[[], Awaitable[Any]]:
    """Return an act on a hold, by an account that may do it."""
    if name == "placement":
        return lambda: where.intake.ask(
            "POST", "/placements", json={"holdId": hold["id"]}, key=fresh()
        )
    client = where.receiver if name in {"acceptance", "decline"} else where.intake
    return lambda: client.ask("POST", f"/holds/{hold['id']}/{name}", json=BODIES.get(name))


async def made_for(where: Desk, name: str) -> dict[str, Any]:
    """Return a hold on which an act is possible."""
    return await (where.hold() if name == "acceptance" else where.accepted())


Taking = Callable[[], Awaitable[str]]


async def rival(country: Country, where: Desk, hold: dict[str, Any]) -> Taking:
    """Return an act that lets a hold run out and gives its place to a new hold."""
    wanted = await where.wish(urgency="acute")

    async def take() -> str:
        await country.rows(
            "WITH claim AS (UPDATE claims"
            " SET claimed_until = clock_timestamp() - interval '1 ms' WHERE hold_id = :id)"
            " UPDATE holds SET expires_at = clock_timestamp() - interval '1 ms' WHERE id = :id",
            id=hold["id"],
        )
        return (await where.intake.post("/holds", wanted, key=fresh()))["id"]

    return take


def between(monkeypatch: pytest.MonkeyPatch, take: Taking) -> list[str]:
    """Let the rival take the place once an act has found its hold live, before it changes it."""
    taken: list[str] = []
    read = hold_rows.read

    async def then(
        tx: Transaction, hold_id: UUID, *, provider_id: UUID, lock: bool = False
    ) -> HoldRow | None:
        row = await read(tx, hold_id, provider_id=provider_id, lock=lock)
        if lock and not taken:
            taken.append(await take())
        return row

    monkeypatch.setattr(hold_rows, "read", then)
    return taken


async def ready(country: Country, name: str) -> tuple[Desk, dict[str, Any], Taking]:
    """Return a desk, a hold on the only place, and its rival, registered while it was free."""
    where = await desk(country, places=2)
    hold = await made_for(where, name)
    take = await rival(country, where, hold)
    other = "place_id <> (SELECT place_id FROM claims WHERE hold_id = :id)"
    await country.rows(
        f"UPDATE claims SET kind = 'occupied', claimed_until = 'infinity' WHERE {other}",  # noqa: S608 - see above
        id=hold["id"],
    )
    return where, hold, take


@pytest.mark.parametrize("name", ACTS)
async def test_whoever_acts_too_late_changes_nothing(
    country: Country, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    where, hold, take = await ready(country, name)
    taken = between(monkeypatch, take)

    answer = await act(where, hold, name)()

    assert (answer.status_code, answer.json()["code"]) == (409, "hold_expired")
    claims = await country.rows("SELECT hold_id::text FROM claims WHERE kind = 'hold'")
    assert [claim.hold_id for claim in claims] == taken
    assert await country.value("SELECT count(*) FROM placements") == 0
    assert (await where.intake.get(f"/holds/{taken[0]}"))["status"] == "pending"


@pytest.mark.parametrize("name", ACTS)
async def test_without_its_guard_an_act_that_is_too_late_takes_the_place_away_from_another(
    country: Country, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    where, hold, take = await ready(country, name)
    taken = between(monkeypatch, take)
    place_id = UUID(
        str(await country.value("SELECT place_id FROM claims WHERE hold_id = :id", id=hold["id"]))
    )
    monkeypatch.setattr(hold_changes, "_still_its", lambda _: (Claim.place_id == place_id,))

    async def unlooked(*_: object, **_named: object) -> None:
        """Let an acceptance pass that would find nobody coming.

        The wall behind the guard.
        """

    monkeypatch.setattr(holds, "_check_safe", unlooked)

    answer = await act(where, hold, name)()

    assert answer.status_code in {200, 201}
    untouched = await country.value(
        "SELECT count(*) FROM claims AS c"
        " JOIN holds AS h ON h.id = c.hold_id AND h.expires_at = c.claimed_until"
        " WHERE c.hold_id = :id AND c.kind = 'hold'",
        id=taken[0],
    )
    assert untouched == 0


async def test_confirming_at_the_moment_of_expiry_has_one_outcome_with_another_asking_too(
    country: Country,
) -> None:
    where = await desk(country)
    for round_ in range(ROUNDS):
        wanted = await where.wish()
        hold = await where.accepted()
        await lapse(country, hold["id"], seconds=random.Random(round_).uniform(0, 0.03))
        placed, held = await asyncio.gather(
            act(where, hold, "placement")(),
            where.intake.ask("POST", "/holds", json=wanted, key=fresh()),
        )
        assert {placed.status_code, held.status_code} <= {201, 409}
        assert (placed.status_code, held.status_code) != (201, 201)
        claim = (await country.rows("SELECT * FROM claims"))[0]
        if placed.status_code == 201:
            assert (claim.kind, str(claim.placement_id)) == ("placement", placed.json()["id"])
            assert held.json()["code"] == "offer_gone"
        else:
            assert placed.json()["code"] == "hold_expired"
            assert str(claim.hold_id) == (
                held.json()["id"] if held.status_code == 201 else hold["id"]
            )
        assert await country.value("SELECT count(*) FROM holds WHERE resolved_at IS NULL") <= 1
        await empty(country)


@pytest.mark.parametrize("name", ["renewals", "acceptance", "decline", "release"])
async def test_an_act_at_the_moment_of_expiry_either_happened_or_came_too_late(
    country: Country, name: str
) -> None:
    where = await desk(country)
    for round_ in range(ROUNDS // 2):
        wanted = await where.wish()
        hold = await made_for(where, name)
        await lapse(country, hold["id"], seconds=random.Random(round_).uniform(0, 0.03))
        acted, held, _ = await asyncio.gather(
            act(where, hold, name)(),
            where.intake.ask("POST", "/holds", json=wanted, key=fresh()),
            sweep(country),
        )
        if acted.status_code != 200:
            assert (acted.status_code, acted.json()["code"]) == (409, "hold_expired")
        elif name in {"renewals", "acceptance"}:
            assert held.status_code == 409
        seen = await where.intake.get(f"/holds/{hold['id']}")
        after = {
            "renewals": "accepted",
            "acceptance": "accepted",
            "decline": "declined",
            "release": "released",
        }[name]
        late = "no_answer" if name == "acceptance" else "expired"
        assert seen["status"] == (after if acted.status_code == 200 else late)
        assert await country.value("SELECT count(*) FROM holds WHERE resolved_at IS NULL") <= 1
        await empty(country)


async def sweep(country: Country) -> None:
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await holds.sweep_holds(tx)


async def empty(country: Country) -> None:
    """Make every place free, so that the next round finds what this one found."""
    await country.rows(
        "UPDATE claims"
        " SET kind = NULL, hold_id = NULL, placement_id = NULL, claimed_until = '-infinity'"
    )
    await country.rows(
        "UPDATE holds SET status = 'expired', resolved_at = now() WHERE resolved_at IS NULL"
    )


async def kept_while_swept(country: Country, hold_id: str) -> None:
    """Accept a hold whose claim was found live, though the sweeper thinks that it ran out."""
    receiver = await country.hashed("coordinator", provider="linde")
    async with country.parts.database.transaction(receiver) as tx:
        locked = text(
            "SELECT place_id FROM claims"
            " WHERE hold_id = :id AND claimed_until > clock_timestamp() FOR UPDATE"
        )
        assert len(await tx.rows(locked, {"id": hold_id})) == 1
        await country.rows(
            "UPDATE holds SET expires_at = clock_timestamp() WHERE id = :id", id=hold_id
        )
        await sweep(country)
        until = tx.at + timedelta(hours=2)
        assert await hold_changes.keep(
            tx, UUID(hold_id), until=until, accepted_by="person", renewal=False
        )


async def test_the_sweeper_leaves_alone_a_hold_that_somebody_is_keeping(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = await desk(country, places=2)
    kept, lost = await where.hold(), await where.hold()
    await kept_while_swept(country, kept["id"])
    assert (await where.intake.get(f"/holds/{kept['id']}"))["status"] == "accepted"

    guard = "AND NOT EXISTS (SELECT FROM claims WHERE claims.hold_id = holds.id)"
    assert guard in hold_changes._SWEEP_HOLDS.text
    monkeypatch.setattr(
        hold_changes, "_SWEEP_HOLDS", text(hold_changes._SWEEP_HOLDS.text.replace(guard, ""))
    )
    await kept_while_swept(country, lost["id"])
    assert (await where.intake.get(f"/holds/{lost['id']}"))["status"] == "no_answer"
    assert await country.value(
        "SELECT claimed_until > clock_timestamp() FROM claims WHERE hold_id = :id", id=lost["id"]
    )


async def test_what_a_receiver_began_in_time_is_done_whole_though_the_hold_runs_out_meanwhile(
    country: Country,
) -> None:
    where = await desk(country)
    hold = await where.accepted()
    receiver = await country.hashed("coordinator", provider="linde")

    async with country.parts.database.transaction(receiver) as tx:
        await country.rows(
            "UPDATE holds SET expires_at = clock_timestamp() WHERE id = :id", id=hold["id"]
        )
        assert await hold_changes.resolve(
            tx, UUID(hold["id"]), status="declined", reason="staffing"
        )

    (referral,) = await country.rows(
        "SELECT status, hold_id FROM referrals WHERE id = :id", id=hold["referralId"]
    )
    assert (referral.status, referral.hold_id) == ("open", None)
