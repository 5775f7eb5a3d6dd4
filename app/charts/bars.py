"""Bars: one number for each of a few names."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.frame import Canvas, Frame, hue
from app.charts.scale import scale_over

BETWEEN = 0.35
"""Share of the width of a bar and the room beside it that stays empty."""
LONGEST = 22
"""Letters of a name that fit below a bar; the whole is told by pointing at it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A name and its number; `picked` is shown as the one that the chart is about."""

    name: str
    value: float
    picked: bool = False


def bar_chart(frame: Frame, bars: Sequence[Bar]) -> str:
    """Return a chart of upright bars, each with its number above (below, where it is less than nought)."""
    canvas = Canvas(frame)
    y = scale_over((bar.value for bar in bars), from_nought=True)
    canvas.draw_y_axis(y)
    nought = y.at(0.0, start=canvas.bottom, end=canvas.top)
    room = (canvas.right - canvas.left) / max(1, len(bars))
    for number, bar in enumerate(bars):
        left = canvas.left + room * (number + BETWEEN / 2)
        end = y.at(bar.value, start=canvas.bottom, end=canvas.top)
        look = f"chart-bar {hue(1 if bar.picked else 0)}"
        shape = canvas.draw_shape(
            "rect",
            look,
            x=left,
            y=min(nought, end),
            width=room * (1 - BETWEEN),
            height=abs(nought - end),
        )
        canvas.describe(shape, f"{bar.name}: {frame.y.label(bar.value)}")
        middle = canvas.left + room * (number + 0.5)
        above = end - 6 if bar.value >= 0 else end + 16
        canvas.write_text(frame.y.label(bar.value), "chart-words chart-middle", x=middle, y=above)
        short = bar.name if len(bar.name) <= LONGEST else f"{bar.name[: LONGEST - 1]}…"
        canvas.write_text(short, "chart-words chart-middle", x=middle, y=canvas.bottom + 20)
    canvas.draw_x_axis()
    return canvas.to_svg()
