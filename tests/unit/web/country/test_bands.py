from app.database.reference import KnownRegion
from app.registry.availability import Availability
from app.web.country.bands import BandRow, map_regions, rows_of, states_by_kind

REGIONS = [
    KnownRegion("A", "'s-Berg", 52.0, 5.0, 10),
    KnownRegion("B", "Meer", 52.5, 5.5, 30),
    KnownRegion("C", "Zand", 53.0, 6.0, 20),
]


def available(region: str, kind: str, free: str, freshness: str = "fresh") -> Availability:
    return Availability(region=region, kind=kind, free=free, total=9, freshness=freshness, own=None)


def rows(
    *known: Availability, kinds: tuple[str, ...] = ("crisis", "regular")
) -> dict[str, BandRow]:
    return {row.region.code: row for row in rows_of(known, REGIONS, kinds)}


def test_every_region_has_a_row_by_its_letters_and_what_it_lacks_is_not_nought() -> None:
    found = rows(available("B", "crisis", "0"))

    assert [row.region.name for row in found.values()] == ["Meer", "'s-Berg", "Zand"]
    assert [cell.state for cell in found["B"].cells] == ["full", "none"]
    assert [cell.free for cell in found["A"].cells] == [None, None]


def test_what_was_never_confirmed_is_not_full() -> None:
    found = rows(available("B", "crisis", "0", "unknown"), available("B", "regular", "0"))

    assert [cell.state for cell in found["B"].cells] == ["unknown", "full"]


def test_the_map_shows_what_a_region_has_most_of_and_the_largest_first() -> None:
    found = rows(
        available("A", "crisis", "0"),
        available("A", "regular", "3+", "unknown"),
        available("B", "crisis", "1-2"),
        available("B", "regular", "3+", "stale"),
    )

    shown = map_regions(found.values())

    assert [(one.code, one.free, one.freshness) for one in shown] == [
        ("B", "3+", "stale"),
        ("C", None, None),
        ("A", "0", "fresh"),
    ]


def test_a_peak_counts_regions_and_only_those_that_have_such_places() -> None:
    crisis, regular = states_by_kind(
        [
            available("A", "crisis", "0"),
            available("B", "crisis", "0", "unknown"),
            available("C", "crisis", "3+", "stale"),
            available("C", "regular", "1-2"),
        ],
        ("crisis", "regular"),
    )

    assert crisis.regions == {"many": 1, "few": 0, "full": 1, "unknown": 1}
    assert (crisis.region_count, regular.region_count) == (3, 1)
