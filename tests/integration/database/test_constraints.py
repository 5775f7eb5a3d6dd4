"""Constraints on what is always true: the database refuses, even its owner."""

from typing import Any

import pytest
from asyncpg import PostgresError

from tests.casework import Desk, desk, fresh
from tests.country import Country

ON_BOTH = True


async def refused(country: Country, statement: str, **values: object) -> str:
    """Claim that the owner may not do this.

    Return the name of what forbids it, or the message.
    """
    with pytest.raises(PostgresError) as caught:
        await country.rows(statement, **values)
    original: Any = caught.value
    return getattr(original, "constraint_name", None) or str(original)


async def copied(country: Country, table: str, id_: str, **changes: str) -> str:
    """Claim that a row may not be there twice with these columns (SQL) changed.

    Return what forbids it.
    """
    columns = await country.rows(
        "SELECT column_name AS name FROM information_schema.columns WHERE table_name = :table",
        table=table,
    )
    names = [f'"{row.name}"' for row in columns]
    values = [changes.get(row.name, f'"{row.name}"') for row in columns]
    return await refused(
        country,
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} WHERE id = :id",  # noqa: S608 - from the catalogue
        id=id_,
    )


@pytest.fixture
async def where(country: Country) -> Desk:
    """Return a desk with two free places."""
    return await desk(country, places=2)


NEW = "gen_random_uuid()"
OTHER_PLACE = (
    "(SELECT p.id FROM places p WHERE p.id NOT IN (SELECT h.place_id FROM holds h) LIMIT 1)"
)


async def test_a_place_has_one_live_hold(country: Country, where: Desk) -> None:
    hold = await where.hold()
    other = (await where.wish())["referralId"]
    assert (
        await copied(country, "holds", hold["id"], id=NEW, referral_id=f"'{other}'::uuid")
        == "holds_live_place_key"
    )


async def test_a_referral_has_one_live_hold(country: Country, where: Desk) -> None:
    hold = await where.hold()
    assert (
        await copied(country, "holds", hold["id"], id=NEW, place_id=OTHER_PLACE)
        == "holds_live_referral_key"
    )
    other = (await where.wish())["referralId"]
    second = (
        "UPDATE referrals SET status = 'held', hold_id = :hold, held_until = now() WHERE id = :id"
    )
    assert await refused(country, second, hold=hold["id"], id=other) == "referrals_hold_id_key"


async def test_a_referral_is_held_exactly_while_it_names_a_hold(
    country: Country, where: Desk
) -> None:
    hold = await where.hold()
    open_ = "UPDATE referrals SET status = 'open' WHERE id = :id"
    assert await refused(country, open_, id=hold["referralId"]) == "referrals_held_check"
    unnamed = "UPDATE referrals SET hold_id = NULL, held_until = NULL WHERE id = :id"
    assert await refused(country, unnamed, id=hold["referralId"]) == "referrals_held_check"


async def test_a_place_has_one_claim_and_a_hold_one_place(country: Country, where: Desk) -> None:
    hold = await where.hold()
    twice = "INSERT INTO claims (place_id, group_id) SELECT place_id, group_id FROM claims"
    assert await refused(country, twice) == "claims_pkey"
    spread = "UPDATE claims SET kind = 'hold', hold_id = :id, claimed_until = now()"
    assert await refused(country, spread, id=hold["id"]) == "claims_hold_id_key"


async def test_a_place_has_one_reserved_successor_who_has_no_other(
    country: Country, where: Desk
) -> None:
    placement, held = await where.underway(), await where.accepted()
    reserve = "UPDATE claims SET successor_id = :id"
    assert (
        await refused(country, reserve, id=placement["id"]) == "claims_successor_check"
    )  # nobody lives in the second
    await where.intake.post("/placements", {"holdId": held["id"]}, key=fresh())
    assert await refused(country, reserve, id=placement["id"]) == "claims_successor_id_key"


@pytest.mark.parametrize(
    "change",
    [
        "claimed_until = 'infinity'",
        "kind = NULL",
        "kind = 'placement'",
        "kind = 'occupied', claimed_until = 'infinity'",
        "kind = 'borrowed'",
        "hold_id = NULL",
    ],
)
async def test_a_claim_of_a_hold_is_nothing_else_as_well(
    country: Country, where: Desk, change: str
) -> None:
    hold = await where.hold()
    statement = f"UPDATE claims SET {change} WHERE hold_id = :id"  # noqa: S608 - named above
    assert await refused(country, statement, id=hold["id"]) == "claims_kind_check"


@pytest.mark.parametrize(
    "change,constraint",
    [
        ("status = 'placed'", "holds_resolved_check"),
        ("resolved_at = now()", "holds_resolved_check"),
        ("status = 'forgotten', resolved_at = now()", "holds_status_check"),
        ("renewals_left = -1", "holds_renewals_left_check"),
    ],
)
async def test_a_hold_is_live_or_resolved_and_never_both(
    country: Country, where: Desk, change: str, constraint: str
) -> None:
    hold = await where.hold()
    assert (
        await refused(country, f"UPDATE holds SET {change} WHERE id = :id", id=hold["id"])  # noqa: S608 - named above
        == constraint
    )


async def test_a_stay_has_one_placement_under_way_and_one_arrived(
    country: Country, where: Desk
) -> None:
    underway = await where.underway()
    spare = (await where.hold())["id"]
    changes = {"id": NEW, "hold_id": f"'{spare}'::uuid"}
    assert (
        await copied(country, "placements", underway["id"], **changes)
        == "placements_stay_underway_key"
    )
    await where.receiver.post(f"/placements/{underway['id']}/arrival", expect=200)
    assert (
        await copied(country, "placements", underway["id"], **changes)
        == "placements_stay_arrived_key"
    )


async def test_a_hold_becomes_one_placement_and_a_placement_has_one_place(
    country: Country, where: Desk
) -> None:
    underway = await where.underway()
    copy = await copied(
        country, "placements", underway["id"], id=NEW, status="'no_show'", no_show_at="now()"
    )
    assert copy == "placements_hold_id_key"
    spread = (
        "UPDATE claims SET kind = 'placement', hold_id = NULL, placement_id = :id, "
        "claimed_until = 'infinity'"
    )
    assert await refused(country, spread, id=underway["id"]) == "claims_placement_id_key"


@pytest.mark.parametrize(
    "change,constraint",
    [
        ("status = 'ended'", "placements_departed_check"),
        ("departed_at = now()", "placements_departed_check"),
        ("status = 'ended', departed_at = arrived_at - interval '1 s'", "placements_order_check"),
        ("arrived_at = NULL", "placements_arrived_check"),
        ("status = 'no_show', arrived_at = NULL", "placements_no_show_check"),
    ],
)
async def test_a_placements_moments_agree_with_its_status(
    country: Country, where: Desk, change: str, constraint: str
) -> None:
    arrived = await where.arrived()
    statement = f"UPDATE placements SET {change} WHERE id = :id"  # noqa: S608 - named above
    assert await refused(country, statement, id=arrived["id"]) == constraint


COPY_LEAF = (
    "INSERT INTO leaves (index, type, content, placement_id) SELECT {index}, {type}, content, "
    "placement_id FROM leaves"
    " WHERE index = 2"
)


async def another_leaf(country: Country, *, index: int, type_: str) -> str:
    """Return what refuses a second leaf with an index that the head gave out."""
    await country.rows("UPDATE heads SET value = :next WHERE name = 'ledger'", next=index + 1)
    return await refused(country, COPY_LEAF.format(index=index, type=type_))


async def test_an_arrival_has_one_leaf_and_an_index_one_too(country: Country, where: Desk) -> None:
    await where.arrived()
    assert await another_leaf(country, index=3, type_="type") == "leaves_once_key"
    assert await another_leaf(country, index=0, type_="'departure'") == "leaves_pkey"
    assert await another_leaf(country, index=-1, type_="'departure'") == "leaves_index_check"
    assert await another_leaf(country, index=3, type_="'rumour'") == "leaves_type_check"


@pytest.mark.parametrize("index", [2, 4, 99])
async def test_a_leaf_takes_no_index_but_the_one_that_the_head_gave_out(
    country: Country, where: Desk, index: int
) -> None:
    await where.arrived()
    await country.rows("UPDATE heads SET value = 4 WHERE name = 'ledger'")
    said = await refused(country, COPY_LEAF.format(index=index, type="'departure'"))
    assert "the head gave out" in said


CHANGES = ("UPDATE {} SET index = index", "DELETE FROM {}", "TRUNCATE {} CASCADE")


@pytest.mark.parametrize("table", ["leaves", "openings"])
@pytest.mark.parametrize("change", CHANGES)
async def test_the_ledger_only_grows_for_every_caller(
    country: Country, where: Desk, table: str, change: str
) -> None:
    await where.arrived()
    statement = change.format(table)
    assert "only ever grows" in await refused(country, statement)
    with pytest.raises(PostgresError, match="permission denied"):
        async with country.parts.database.transaction() as tx:
            await tx.connection.execute(statement)
    assert await country.value("SELECT count(*) FROM leaves JOIN openings USING (index)") == 1


async def test_a_confidential_site_never_accepts_automatically(
    country: Country, where: Desk
) -> None:
    statement = "UPDATE sites SET automatic_acceptance = true WHERE id = :id"
    assert (
        await refused(country, statement, id=where.there.site_id)
        == "sites_confidential_never_automatic_check"
    )
