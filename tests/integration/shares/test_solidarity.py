"""Balances: computed once a day, in nights, from a ledger with all its corrections."""

from datetime import UTC, datetime, timedelta

from app.database.transaction import WORKER
from app.reference import policy_document
from app.shares import fair_shares
from tests.casework import Desk, desk
from tests.country import FAR, THERE, Country, shelter

NIGHT = 1_000_000
AHEAD = 30
"""The policy's `nights_ahead`."""
CAPACITY = {"reason": "capacity", "dangerAssessment": "none_known", "dangerZones": []}


async def tomorrow(country: Country) -> None:
    """Let the worker take the first step of a new day."""
    await country.rows("UPDATE shares SET shown_on = shown_on - 1")
    await country.step()


async def elsewhere(country: Country) -> None:
    """Add another region that could have taken them, with nothing free."""
    other = await shelter(country, "wilg", site={"municipality": FAR})
    await other.coordinator.patch(f"/places/{other.place_ids[0]}", {"status": "occupied"})


async def sums(country: Country) -> tuple[int, int, int]:
    """Return the nights given by all regions, their quotas, and their deficits."""
    (row,) = await country.rows("SELECT sum(given), sum(quota), sum(deficit) FROM shares")
    return tuple(row)


async def there(country: Country) -> tuple[int, int]:
    """Return the nights that the receiving region gave, and its deficit."""
    (row,) = await country.rows(
        "SELECT given, deficit FROM shares WHERE region = :region", region=THERE
    )
    return tuple(row)


async def staying(country: Country, *, nights: int, **wishes: object) -> tuple[Desk, str]:
    """Let a household be there for some days.

    Return the desk and the path of its placement.
    """
    await elsewhere(country)
    where = await desk(country)
    arrived = await where.arrived(**wishes)
    await country.rows("UPDATE placements SET created_at = created_at - interval '99 days'")
    path = f"/placements/{arrived['id']}"
    at = (datetime.now(UTC) - timedelta(days=nights)).isoformat()
    await where.receiver.post(f"{path}/corrections", {"code": "arrived_other_day", "at": at})
    return where, path


async def test_the_policy_has_the_nights_that_these_claims_count_on() -> None:
    weights = policy_document()["points"]
    assert isinstance(weights, dict)
    assert isinstance(weights["solidarity"], dict)
    assert weights["solidarity"]["nights_ahead"] == AHEAD


async def test_nights_so_far_are_given_and_owed_and_a_running_stay_counts_ahead(
    country: Country,
) -> None:
    await country.step()
    assert await sums(country) == (0, 0, 0)
    await staying(country, nights=5)

    await country.step()
    # Not today: nobody can watch them arrive.
    assert await sums(country) == (0, 0, 0)
    await tomorrow(country)

    given, deficit = await there(country)
    assert await sums(country) == (5 * NIGHT, 5 * NIGHT, 0)
    assert given == 5 * NIGHT
    assert -(5 + AHEAD) * NIGHT < deficit < 0
    await tomorrow(country)
    assert await there(country) == (given, deficit)


async def test_a_stay_that_has_ended_keeps_its_nights_and_counts_no_longer_ahead(
    country: Country,
) -> None:
    where, path = await staying(country, nights=5)
    await where.receiver.post(f"{path}/departure", {"destination": "new_home"}, expect=200)

    await country.step()

    given, deficit = await there(country)
    assert await sums(country) == (5 * NIGHT, 5 * NIGHT, 0)
    assert given == 5 * NIGHT
    assert -5 * NIGHT < deficit < 0


async def test_an_arrival_that_never_was_leaves_nothing_behind(country: Country) -> None:
    where, path = await staying(country, nights=5)
    await country.step()
    await where.receiver.post(f"{path}/corrections", {"code": "not_arrived"})

    await tomorrow(country)

    assert (
        await country.value(
            "SELECT sum(abs(given)) + sum(abs(quota)) + sum(abs(deficit)) FROM shares"
        )
        == 0
    )


async def test_a_stay_for_want_of_capacity_is_in_no_share(country: Country) -> None:
    await staying(country, nights=5, **CAPACITY)

    await country.step()

    assert (
        await country.value(
            "SELECT sum(abs(given)) + sum(abs(quota)) + sum(abs(deficit)) FROM shares"
        )
        == 0
    )


async def test_whoever_comes_second_on_a_day_reckons_nothing(country: Country) -> None:
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await fair_shares.show_balances(tx)
        assert not await fair_shares.show_balances(tx)
