"""A past that ends with the register of today.

Who lives where, and that nobody ever shared a place.
"""

from collections import defaultdict
from itertools import pairwise
from uuid import UUID

import pytest

from app.allocation.values import Register
from app.demo.past.live import live_through
from app.policy import policies
from app.reference import load, policy_document
from app.simulation.assumptions import DAY, HOUR
from app.simulation.country.past import Past, PastSetting, PlaceNow
from app.simulation.country.register import build_country
from app.simulation.world import demo_world

DAYS = 20
REFERENCE = load()
POLICY = policies.parse_document(policy_document(REFERENCE.country.jurisdiction))


def _ground() -> PastSetting:
    """Return the demo country as it is on a day, in the groups of a simulated year."""
    world, country = demo_world(REFERENCE, seed=1), build_country(REFERENCE, seed=1)
    left = {group.id: group.places for group in world.register.groups}
    now = DAYS * DAY + 10 * HOUR
    places: list[PlaceNow] = []
    for place in country.places:
        group = next(
            one
            for one in world.register.groups
            if one.site_id == str(place.site_id) and left[one.id]
        )
        left[group.id] -= 1
        places.append(PlaceNow(place.id, group.id, place.status, now - place.status_hours * HOUR))
    return PastSetting(Register(world.register.groups), places, DAYS, now)


GROUND = _ground()


@pytest.fixture(scope="module")
def past() -> Past:
    """Live through it once."""
    return live_through(REFERENCE, POLICY, GROUND, seed=1)


def test_nobody_ever_shares_a_place_and_nobody_is_in_two(past: Past) -> None:
    spans = defaultdict[UUID, list[tuple[int, int]]](list)
    for life in past.lives:
        ends = [visit.left for visit in life.visits[:-1]]
        assert ends == [visit.came for visit in life.visits[1:]]
        for visit in life.visits:
            spans[visit.place_id].append(
                (visit.came, (DAYS + 1) * DAY if visit.left is None else visit.left)
            )

    for lived in spans.values():
        lived.sort()
        assert all(left <= came for (_, left), (came, _) in pairwise(lived))
    assert sum(map(len, spans.values())) > 200


def test_it_ends_with_the_register_of_today(past: Past) -> None:
    today = {place.id: place for place in GROUND.places}
    there = {life.visits[-1].place_id for life in past.lives if life.over is None}

    assert there
    assert {today[place].status for place in there} == {"occupied"}
    for life in past.lives:
        for visit in life.visits:
            if visit.place_id not in there:
                since = past.since.get(visit.place_id, today[visit.place_id].since)
                assert visit.left is not None
                assert visit.left <= since


def test_places_in_use_are_never_more_than_there_are(past: Past) -> None:
    of = defaultdict[tuple[str, str], int](int)
    for group in GROUND.register.groups:
        of[group.provider_id, group.region] += group.places

    assert all(0 <= count <= of[where] for where, days in past.in_use.items() for count in days)
    assert all(len(days) == DAYS for days in past.in_use.values())


def test_the_same_seed_gives_the_same_past(past: Past) -> None:
    again = live_through(REFERENCE, POLICY, GROUND, seed=1)
    other = live_through(REFERENCE, POLICY, GROUND, seed=2)

    assert (again.lives, again.since, again.in_use) == (past.lives, past.since, past.in_use)
    assert other.in_use != past.in_use
