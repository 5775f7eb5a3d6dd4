from math import hypot
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.allocation.ranking.safety import clearance_km, distance_km
from app.reference import GeoBounds, load
from app.web.country.map import MOST_LABELS, Drawing, Label, MapRegion, Projection, UnsafeArea, draw
from app.web.language import in_language
from app.web.page import TEMPLATES

BOUNDS = GeoBounds(south=50.0, north=54.0, west=3.0, east=8.0)
SQUARE = [[[3.5, 50.5], [7.5, 50.5], [7.5, 53.5], [3.5, 53.5]]]
MIDDLE = (52.0, 5.5)


def region(name: str = "Bos", *, lat: float = 52.0, lon: float = 5.5, **more: Any) -> MapRegion:
    return MapRegion(code=name, name=name, lat=lat, lon=lon, **more)


def draw_square(*regions: MapRegion, areas: tuple[UnsafeArea, ...] = ()) -> Drawing:
    return draw(SQUARE, BOUNDS, regions, areas)


@pytest.mark.parametrize("to", [(52.0 + 50 / 111.195, 5.5), (52.0, 5.5 + 50 / 68.459)])
def test_fifty_kilometres_are_fifty_kilometres_in_the_middle_of_the_country(
    to: tuple[float, float],
) -> None:
    projection = Projection(BOUNDS)
    here, there = projection.at(*MIDDLE), projection.at(*to)

    assert distance_km(*MIDDLE, *to) == pytest.approx(50, rel=0.001)
    assert hypot(there[0] - here[0], there[1] - here[1]) == pytest.approx(50, rel=0.01)


@pytest.mark.parametrize("lat", [50.2, 52.0, 53.8])
def test_an_unsafe_area_reaches_as_far_on_paper_as_it_does_in_the_country(lat: float) -> None:
    zone = draw_square(areas=(UnsafeArea("Veen", lat, 5.5, extent_km=10, radius_km=50),)).zones[0]
    projection = Projection(BOUNDS)
    north, east = (
        (lat + 60 / 111.195, 5.5),
        (lat, 5.5 + zone.outer[0] / (projection.shrink * 111.195)),
    )

    assert distance_km(lat, 5.5, *north) == pytest.approx(zone.outer[1], rel=0.01)
    assert distance_km(lat, 5.5, *east) == pytest.approx(60, rel=0.01)
    assert zone.inner[1] == 10


def test_whatever_is_drawn_inside_an_unsafe_area_is_unlawful() -> None:
    projection = Projection(BOUNDS)
    area = UnsafeArea("Veen", 52.0, 5.5, extent_km=10, radius_km=50)
    zone = draw_square(areas=(area,)).zones[0]

    for steps in range(1, 120):
        lat = 52.0 + steps / 100
        x, y = projection.at(lat, 5.5)
        inside = ((x - zone.x) / zone.outer[0]) ** 2 + ((y - zone.y) / zone.outer[1]) ** 2 < 1
        lawful = clearance_km(52.0, 5.5, area.extent_km, lat, 5.5, 5) >= area.radius_km
        assert not (inside and lawful), lat


@pytest.mark.parametrize(
    "known, shape",
    [
        ({"free": "3+", "freshness": "fresh"}, "many"),
        ({"free": "1-2", "freshness": "stale"}, "few"),
        ({"free": "0", "freshness": "fresh"}, "full"),
        ({"free": "0", "freshness": "unknown"}, "unknown"),
        ({"free": "3+", "freshness": "unknown"}, "unknown"),
        ({"free": None, "freshness": "fresh"}, "unknown"),
        ({}, "none"),
        ({"free": "3+", "freshness": "fresh", "lawful": False}, "out"),
        ({"free": "3+", "freshness": "fresh", "lawful": True}, "offered"),
        ({"freshness": "unknown", "lawful": True}, "unknown"),
    ],
)
def test_each_state_has_a_mark_of_its_own_and_unknown_is_neither_full_nor_free(
    known: dict[str, Any], shape: str
) -> None:
    assert [mark.shape for mark in draw_square(region(**known)).marks] == [shape]


def test_no_name_stands_over_another_or_over_a_mark_or_off_the_paper() -> None:
    country = load().country
    regions = [
        MapRegion(known.code, known.name, known.lat, known.lon, "1-2", "fresh")
        for known in sorted(load().regions, key=lambda known: -known.population)
    ]

    drawing = draw([], country.bounds, regions)

    boxes = [_box(label) for label in drawing.labels]
    assert len(boxes) == MOST_LABELS
    assert not any(_meet(one, other) for at, one in enumerate(boxes) for other in boxes[:at])
    marks = [
        (m.x - m.radius * 0.7, m.y - m.radius * 0.7, m.x + m.radius * 0.7, m.y + m.radius * 0.7)
        for m in drawing.marks
    ]
    assert not any(_meet(box, mark) for box in boxes for mark in marks)
    assert all(left >= 0 and right <= drawing.width and top >= 0 for left, top, right, _ in boxes)
    assert regions[1].name in {label.text for label in drawing.labels}


def test_the_large_marks_lie_under_the_small_ones() -> None:
    drawing = draw_square(
        region("A", free="0", freshness="fresh"), region("B", free="3+", freshness="fresh")
    )

    assert [mark.region.name for mark in drawing.marks] == ["B", "A"]


def test_names_cannot_break_out_of_the_drawing() -> None:
    evil = '"/><script>alert(1)</script>'
    drawing = draw_square(
        region(evil, free="3+", freshness="fresh", lawful=True),
        region("Dal", lat=51.0, lawful=False, why=("danger", "cap")),
        areas=(UnsafeArea(evil, 53.0, 6.0, 5, 20),),
    )

    with in_language("nl"):
        html = TEMPLATES.get_template("map/_map.html").render(drawing=drawing)

    assert "<script" not in html
    svg = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + len("</svg>")])  # noqa: S314 - our own
    said = [title.text for title in svg.iter("title")]
    assert f"Onveilig: {evil} en 20 km daaromheen" in said
    assert (
        "Dal: valt af: te dicht bij een onveilig gebied; regio zit aan haar maximum (geldt "
        "nooit bij onveiligheid)" in [" ".join((text or "").split()) for text in said]
    )


def test_the_map_takes_no_focus_and_says_what_is_on_it() -> None:
    drawing = draw_square(
        region(free="1-2", freshness="fresh"), region("Dal", free="0", freshness="unknown")
    )

    with in_language("en"):
        html = TEMPLATES.get_template("map/_map.html").render(drawing=drawing)

    assert "tabindex" not in html
    assert "<a " not in html
    assert 'role="img"' in html
    assert "0 regions with 3 or more free, 1 with 1 or 2, 0 full, 1 not known" in html
    assert "style=" not in html


Box = tuple[float, float, float, float]


def _box(label: Label) -> Box:
    length = len(label.text) * 5.0
    left = {"start": label.x, "end": label.x - length, "middle": label.x - length / 2}[label.anchor]
    return left, label.y - 6, left + length, label.y + 2


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]
