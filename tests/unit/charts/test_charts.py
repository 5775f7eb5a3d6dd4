"""Charts are sound XML whatever they say, say what they show, and bring no colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charts import (
    Axis,
    Bar,
    BarRow,
    Frame,
    ScatterPoint,
    Series,
    bar_chart,
    line_chart,
    row_chart,
    scatter_chart,
)
from app.charts.frame import style_sheet
from app.charts.scale import scale_over

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SVG = "{http://www.w3.org/2000/svg}"


def frame(
    title: str = "Nights", *, description: str = "How many.", standalone: bool = False
) -> Frame:
    return Frame(title, description, Axis("Day"), Axis("Nights", suffix="%"), standalone=standalone)


def parsed(svg: str) -> Element:
    return fromstring(svg)  # noqa: S314 - our own


def words(svg: Element) -> str:
    return "".join(svg.itertext())


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), NUMBERS), max_size=8))
def test_a_chart_is_sound_xml_whatever_is_written_in_it(
    title: str, name: str, bars: list[tuple[str, float]]
) -> None:
    shown = frame(title, description=name)

    for svg in (
        bar_chart(shown, [Bar(said, value) for said, value in bars]),
        line_chart(
            shown, [Series(name, [(float(at), value) for at, (_, value) in enumerate(bars)])]
        ),
        scatter_chart(
            shown, [ScatterPoint(said, value, -value) for said, value in bars], joined=True
        ),
        row_chart(
            shown,
            [BarRow(said, (value, -value)) for said, value in bars],
            legend=[name, title],
            norm=2,
        ),
    ):
        assert parsed(svg).tag == f"{SVG}svg"


def test_words_are_escaped_and_stay_what_they_were() -> None:
    svg = bar_chart(frame("<script>alert(1)</script> & more"), [Bar('"a" < b', 1)])

    assert "<script" not in svg
    assert "<script>alert(1)</script> & more" in words(parsed(svg))


def test_a_chart_is_named_and_described_for_those_who_cannot_see_it() -> None:
    svg = parsed(line_chart(frame(), [Series("A", [(0, 1), (1, 2)])]))
    titled, told = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")

    assert titled is not None
    assert told is not None
    assert (titled.text, told.text) == ("Nights", "How many.")
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == f"{titled.get('id')} {told.get('id')}"


def test_two_charts_on_a_page_share_no_id() -> None:
    one, other = bar_chart(frame("One"), []), bar_chart(frame("Other"), [])

    assert set(re.findall(r' id="(\w+)"', one)).isdisjoint(re.findall(r' id="(\w+)"', other))


def test_colours_stand_in_the_style_sheet_for_light_and_for_dark_and_nowhere_else() -> None:
    svg = scatter_chart(frame(), [ScatterPoint("A", 1, 2, picked=True)])

    assert not re.search(r"fill=|stroke=|style=|#[0-9a-f]{3}", svg)
    assert "prefers-color-scheme: dark" in style_sheet()
    used = set(re.findall(r'class="([^"]+)"', svg + bar_chart(frame(), [Bar("A", 1)]) + lying(3)))
    assert {look for looks in used for look in looks.split()} <= set(
        re.findall(r"\.(chart[\w-]*)", style_sheet())
    )


def lying(value: float) -> str:
    """Return lying bars of a name with two numbers, and a norm."""
    return row_chart(
        frame(),
        [BarRow("A rather long name of a region", (value, 1), picked=True)],
        legend="ab",
        norm=2,
    )


def test_a_longer_bar_is_a_larger_number_and_one_below_nought_goes_the_other_way() -> None:
    rows = [BarRow("A", (2, 4)), BarRow("B", (-2, 0))]
    bars = parsed(row_chart(frame(), rows, legend="ab")).findall(f"{SVG}rect")[3:]
    two, four, below, _ = [(float(bar.attrib["x"]), float(bar.attrib["width"])) for bar in bars]

    assert four[1] == pytest.approx(2 * two[1], abs=0.02)
    assert below[1] == pytest.approx(two[1], abs=0.02)
    assert below[0] + below[1] == pytest.approx(two[0], abs=0.02)


def test_a_chart_of_rows_is_as_high_as_it_needs_to_be() -> None:
    heights = [
        float(parsed(row_chart(frame(), [BarRow("A", (1,))] * rows)).attrib["height"])
        for rows in (1, 35)
    ]

    assert heights[1] - heights[0] == pytest.approx(34 * 26)
    assert "A rather long name of a region: 3" in words(parsed(lying(3)))


def test_a_file_of_its_own_has_the_style_with_it_and_a_page_has_it_already() -> None:
    assert "<style>" in bar_chart(frame(standalone=True), [])
    assert "<style>" not in bar_chart(frame(), [])


def test_every_bar_line_and_point_says_what_it_is() -> None:
    bars = parsed(bar_chart(frame(), [Bar("A very long name for such a small bar", -2)]))
    lines = parsed(line_chart(frame(), [Series("A", [(0, 1)]), Series("B", [(0, 2)])]))
    points = parsed(scatter_chart(frame(), [ScatterPoint("A", 1, 2), ScatterPoint("B", 9, 2)]))

    assert "A very long name for such a small bar: -2%" in words(bars)
    assert len(lines.findall(f"{SVG}polyline")) == 2
    assert words(lines).count("B") >= 2
    assert "A: 1, 2%" in words(points)


def test_a_higher_number_is_drawn_higher() -> None:
    low, high = parsed(bar_chart(frame(), [Bar("low", 1), Bar("high", 3)])).findall(f"{SVG}rect")[
        1:
    ]

    assert float(high.attrib["height"]) == pytest.approx(3 * float(low.attrib["height"]), abs=0.02)
    assert float(high.attrib["y"]) < float(low.attrib["y"])


@given(st.lists(NUMBERS), st.booleans())
def test_a_scale_has_room_for_every_number_between_its_ends(
    values: list[float],
    nought: bool,  # noqa: FBT001
) -> None:
    scale = scale_over(values, from_nought=nought)

    assert scale.least < scale.most
    assert (scale.least, scale.most) == (scale.ticks[0], scale.ticks[-1])
    assert 2 <= len(scale.ticks) <= 9
    for value in values:
        assert -0.001 <= scale.at(value, start=0, end=1) <= 1.001
    assert not nought or scale.least <= 0 <= scale.most


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        scale_over([1, float("nan")], from_nought=True)
