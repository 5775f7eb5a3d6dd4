"""Bar charts: upright bars for a few names, or rows of bars for many long ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.charts.frame import BOTTOM, LEGEND_LINE, TOP, Canvas, Frame, hue
from app.charts.scale import scale_over

GAP = 0.35
"""The share of a bar's slot that stays empty."""
LONGEST_BELOW, LONGEST_BESIDE = 22, 20
"""Letters of a name that fit below an upright bar or beside a row; a tooltip has all of it."""
NAMES, NUMBERS = 176.0, 40.0
"""Room for the names to the left of the rows, and for the number after the longest bar."""
THICK, BETWEEN = 16.0, 10.0
"""How thick a bar in a row is, and the room between two rows."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A name and its number; `picked` marks the one that the chart is about."""

    name: str
    value: float
    picked: bool = False


@dataclass(frozen=True, slots=True)
class BarRow:
    """A name and a number for each class in the legend; `picked` as for `Bar`."""

    name: str
    values: Sequence[float]
    picked: bool = False


def bar_chart(frame: Frame, bars: Sequence[Bar]) -> str:
    """Draw upright bars, each with its number above it, or below where it is negative."""
    canvas = Canvas(frame)
    y = scale_over((bar.value for bar in bars), from_nought=True)
    canvas.draw_y_axis(y)
    nought = y.at(0.0, start=canvas.bottom, end=canvas.top)
    room = (canvas.right - canvas.left) / max(1, len(bars))
    for number, bar in enumerate(bars):
        left = canvas.left + room * (number + GAP / 2)
        end = y.at(bar.value, start=canvas.bottom, end=canvas.top)
        shape = canvas.draw_shape(
            "rect",
            f"chart-bar {hue(1 if bar.picked else 0)}",
            x=left,
            y=min(nought, end),
            width=room * (1 - GAP),
            height=abs(nought - end),
        )
        canvas.describe(shape, f"{bar.name}: {frame.y.label(bar.value)}")
        middle = canvas.left + room * (number + 0.5)
        above = end - 6 if bar.value >= 0 else end + 16
        canvas.write_text(frame.y.label(bar.value), "chart-words chart-middle", x=middle, y=above)
        canvas.write_text(
            _shorten(bar.name, LONGEST_BELOW),
            "chart-words chart-middle",
            x=middle,
            y=canvas.bottom + 20,
        )
    canvas.draw_x_axis()
    return canvas.to_svg()


def row_chart(
    frame: Frame, rows: Sequence[BarRow], *, legend: Sequence[str] = (), norm: float | None = None
) -> str:
    """Draw rows of bars along `frame.x`; `norm` is a line across all of them.

    The chart is as high as its rows need, whatever the frame's height.
    """
    thick = [THICK * len(row.values) + BETWEEN for row in rows]
    high = round(TOP + LEGEND_LINE * len(legend) + sum(thick) + BOTTOM)
    canvas = Canvas(replace(frame, height=high), legend=legend)
    canvas.draw_legend(bars=True)
    known = [value for row in rows for value in row.values]
    x = scale_over(known if norm is None else [*known, norm], from_nought=True)
    start, end = NAMES, canvas.right - NUMBERS
    nought = x.at(0.0, start=start, end=end)
    top = canvas.top
    for row, room in zip(rows, thick, strict=True):
        look = "chart-words chart-strong chart-end" if row.picked else "chart-words chart-end"
        canvas.write_text(_shorten(row.name, LONGEST_BESIDE), look, x=NAMES - 12, y=top + room / 2)
        for number, value in enumerate(row.values):
            there, y = x.at(value, start=start, end=end), top + THICK * number
            bar = canvas.draw_shape(
                "rect",
                f"chart-bar {hue(number)}",
                x=min(nought, there),
                y=y,
                width=abs(there - nought),
                height=THICK - 3,
            )
            canvas.describe(bar, f"{row.name}: {frame.x.label(value)}")
            # Beside its bar, or out of the way of the norm's line.
            at = max(nought, there) if norm is None else end
            canvas.write_text(frame.x.label(value), "chart-words", x=at + 6, y=y + THICK - 5)
        top += room
    canvas.draw_shape("line", "chart-axis", x1=nought, y1=canvas.top - 4, x2=nought, y2=top)
    if norm is not None:
        at = x.at(norm, start=start, end=end)
        canvas.draw_shape("line", "chart-norm", x1=at, y1=canvas.top - 4, x2=at, y2=top)
        canvas.write_text(frame.x.label(norm), "chart-words chart-middle", x=at, y=top + 16)
    canvas.write_text(frame.x.title, "chart-words", x=NAMES, y=top + 36)
    return canvas.to_svg()


def _shorten(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
