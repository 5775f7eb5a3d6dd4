"""Each factor's formula, worked by hand, and the order that bands and points make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.allocation.ranking.points import FACTORS
from app.allocation.ranking.rank import rank
from app.allocation.ranking.safety import coarse_km
from app.allocation.values import Need, PlaceGroup, Points, Register, Situation
from tests.unit.allocation.cases import PLACE, POLICY, QUIET, SAFE_NEED, only_offer, rank_one, zone


def line(
    factor: str, need: Need = SAFE_NEED, place: PlaceGroup = PLACE, situation: Situation = QUIET
) -> Points:
    (found,) = [
        line
        for line in only_offer(rank_one(need, place, situation)).points
        if line.factor == factor
    ]
    return found


def test_every_offer_has_every_factor_in_the_same_order_and_their_sum_is_the_score() -> None:
    offer = only_offer(rank_one())

    assert tuple(line.factor for line in offer.points) == FACTORS
    assert offer.score == sum(line.points for line in offer.points)


# --- nearness ---


@pytest.mark.parametrize(
    "km, points, params",
    [
        (0, 150, {"case": "within", "km": 0}),
        (1, 145, {"case": "within", "km": 5}),
        (40, 110, {"case": "within", "km": 40}),
        (141, 5, {"case": "within", "km": 145}),
        (146, 0, {"case": "beyond", "km": 150}),
        (300, 0, {"case": "beyond", "km": 150}),
    ],
)
def test_nearness_falls_evenly_to_nought_at_the_reach(
    km: int, points: int, params: dict[str, int | str]
) -> None:
    need, situation = (
        replace(SAFE_NEED, near_municipality="school"),
        replace(QUIET, near_km={"away": km}),
    )

    assert line("nearness", need, situation=situation) == Points("nearness", points, params)


def test_nearness_gives_nothing_without_a_wish_or_a_distance() -> None:
    wish = replace(SAFE_NEED, near_municipality="school")

    assert line("nearness", situation=replace(QUIET, near_km={"away": 1})).params == {
        "case": "no_wish"
    }
    assert line("nearness", wish).params == {"case": "unknown"}
    assert line("nearness", wish).points == 0


# --- fit ---


def test_a_crisis_household_fits_a_crisis_place_best() -> None:
    points = {
        kind: line("fit", place=replace(PLACE, kind=kind)).points
        for kind in ("crisis", "regular", "emergency")
    }

    assert points == {"crisis": 150, "regular": 90, "emergency": 60}


def test_a_large_a_scarce_or_a_specialist_place_is_not_spent_on_a_small_need() -> None:
    large = replace(PLACE, bed_spaces=3)
    scarce = replace(PLACE, features=("cots", "pets", "wheelchair"))
    specialist = replace(PLACE, specialisms=("addiction",))

    assert line("fit", place=large).points == 150 - 2 * 15
    assert line("fit", place=scarce).points == 150 - 2 * 15
    assert line("fit", place=specialist).points == 150 - 30
    assert line("fit", place=replace(specialist, features=("pets",))).params == {
        "case": "acute_crisis",
        "spare": 0,
        "scarce": 1,
        "unused": 1,
    }


def test_what_was_asked_for_is_not_wasted() -> None:
    need = replace(SAFE_NEED, needs=("wheelchair",), target_groups=("addiction",))
    place = replace(PLACE, features=("wheelchair",), specialisms=("addiction",))

    assert line("fit", need, place).points == 150


def test_fit_never_falls_below_nought() -> None:
    assert line("fit", place=replace(PLACE, bed_spaces=30)).points == 0


# --- specialism ---


@pytest.mark.parametrize(
    "target_groups, points, case",
    [
        ((), 0, "not_asked"),
        (("d",), 0, "no_match"),
        (("a", "d"), 60, "match"),
        (("a", "b", "c"), 120, "match"),
    ],
)
def test_specialism_counts_target_groups_in_common(
    target_groups: tuple[str, ...], points: int, case: str
) -> None:
    found = line(
        "specialism",
        replace(SAFE_NEED, target_groups=target_groups),
        replace(PLACE, specialisms=("a", "b", "c")),
    )

    assert (found.points, found.params["case"]) == (points, case)


# --- headroom ---


@pytest.mark.parametrize(
    "permille, points, params",
    [
        (1000, 0, {"case": "none"}),
        (850, 0, {"case": "none"}),
        (801, 0, {"case": "none"}),
        (800, 15, {"case": "some", "percent": 5}),
        (640, 60, {"case": "some", "percent": 20}),
        (0, 60, {"case": "some", "percent": 85}),
    ],
)
def test_headroom_counts_whole_steps_under_the_norm(
    permille: int, points: int, params: dict[str, int | str]
) -> None:
    assert line("headroom", situation=replace(QUIET, occupancy={"p1": permille})) == Points(
        "headroom", points, params
    )


def test_an_occupancy_that_is_not_known_earns_nothing() -> None:
    assert line("headroom") == Points("headroom", 0, {"case": "unknown"})


# --- continuity ---


def test_fewer_later_moves_earn_more() -> None:
    points = {
        kind: line("continuity", place=replace(PLACE, kind=kind)).points
        for kind in ("regular", "crisis", "emergency")
    }

    assert points == {"regular": 60, "crisis": 30, "emergency": 0}


# --- freshness ---


@pytest.mark.parametrize(
    "hours, points, freshness",
    [
        (-9, 40, "fresh"),
        (0, 40, "fresh"),
        (24, 26, "fresh"),
        (25, 26, "stale"),
        (72, 0, "stale"),
        (500, 0, "stale"),
        (None, 0, "unknown"),
    ],
)
def test_freshness_fades_and_stale_never_looks_like_fresh(
    hours: int | None, points: int, freshness: str
) -> None:
    offer = only_offer(rank_one(situation=replace(QUIET, confirmed_hours={"s1": hours})))

    assert (offer.points[-1].points, offer.points[-1].params["case"], offer.freshness) == (
        points,
        freshness,
        freshness,
    )


# --- the order ---


def ranked(
    register: tuple[PlaceGroup, ...], need: Need = SAFE_NEED, **changes: object
) -> list[str]:
    situation = replace(QUIET, free={place.id: 1 for place in register}, **changes)  # pyright: ignore[reportArgumentType]
    return [offer.group.id for offer in rank(need, Register(register), situation, POLICY).offers]


def test_ample_safety_goes_before_any_number_of_points() -> None:
    need = replace(SAFE_NEED, danger_zones=(zone(radius_km=50),))
    ample = replace(PLACE, id="ample", municipality="far", kind="emergency", bed_spaces=8)
    sufficient = replace(PLACE, id="sufficient", municipality="near")

    assert ranked((sufficient, ample), need, clearances={"home": {"far": 70, "near": 69}}) == [
        "ample",
        "sufficient",
    ]


def test_known_freshness_goes_before_unknown_within_the_same_safety() -> None:
    stale = replace(PLACE, id="stale", site_id="s1", bed_spaces=8)
    unknown = replace(PLACE, id="unknown", site_id="s2")

    assert ranked((unknown, stale), confirmed_hours={"s1": 900}) == ["stale", "unknown"]


def test_a_policy_may_do_without_the_band_of_freshness() -> None:
    stale, unknown = (
        replace(PLACE, id="stale", site_id="s1", bed_spaces=8),
        replace(PLACE, id="unknown", site_id="s2"),
    )
    situation = replace(QUIET, free={"stale": 1, "unknown": 1}, confirmed_hours={"s1": 900})

    ranking = rank(
        SAFE_NEED, Register((stale, unknown)), situation, replace(POLICY, bands=("safety",))
    )

    assert [offer.group.id for offer in ranking.offers] == ["unknown", "stale"]


def test_points_decide_within_a_band_and_the_id_between_equals() -> None:
    assert ranked(
        (replace(PLACE, id="b"), replace(PLACE, id="c", bed_spaces=2), replace(PLACE, id="a"))
    ) == [
        "a",
        "b",
        "c",
    ]


def test_ranks_count_from_one() -> None:
    ranking = rank(
        SAFE_NEED,
        Register((PLACE, replace(PLACE, id="g2"))),
        replace(QUIET, free={"g1": 1, "g2": 3}),
        POLICY,
    )

    assert [(offer.rank, offer.free) for offer in ranking.offers] == [(1, 1), (2, 3)]


@pytest.mark.parametrize(
    "clearance_km, radius_km, shown, band",
    [
        (74, 50, (70, 20), "ample"),
        (69, 50, (65, 15), "sufficient"),
        (4, 0, (0, 0), "sufficient"),
        (54, 50, (50, 0), "sufficient"),
    ],
)
def test_distances_from_danger_are_shown_rounded_down_to_fives(
    clearance_km: int, radius_km: int, shown: tuple[int, int], band: str
) -> None:
    need = replace(SAFE_NEED, danger_zones=(zone(radius_km=radius_km),))

    offer = only_offer(
        rank_one(need, situation=replace(QUIET, clearances={"home": {"away": clearance_km}}))
    )

    assert ((offer.clearance_km, offer.margin_km), offer.band) == (shown, band)


def test_the_nearest_zone_and_the_tightest_may_be_two() -> None:
    need = replace(
        SAFE_NEED, danger_zones=(zone("home", radius_km=10), zone("work", radius_km=100))
    )

    offer = only_offer(
        rank_one(
            need, situation=replace(QUIET, clearances={"home": {"away": 60}, "work": {"away": 110}})
        )
    )

    assert (offer.clearance_km, offer.margin_km, offer.band) == (60, 10, "sufficient")


def test_a_distance_shown_is_never_below_nought() -> None:
    assert [coarse_km(km) for km in (-7, -1, 0, 4, 5, 99)] == [0, 0, 0, 0, 5, 95]


def test_without_a_zone_there_is_no_distance_and_safety_is_ample() -> None:
    offer = only_offer(rank_one())

    assert (offer.clearance_km, offer.margin_km, offer.band) == (None, None, "ample")
