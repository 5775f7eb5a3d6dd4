"""Bars that lie: one number or a few for each of many names, which stand to their left and can be long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.charts.frame import BOTTOM, LEGEND_LINE, TOP, Canvas, Frame, hue
from app.charts.scale import scale_over

NAMES, NUMBERS = 176.0, 40.0
"""Room for the names to the left of the bars, and for the number behind the longest of them."""
THICK, BETWEEN = 16.0, 10.0
LONGEST = 20
"""Letters of a name that fit beside a bar; the whole is told by pointing at it."""


@dataclass(frozen=True, slots=True)
class BarRow:
    """A name and its numbers, one for each name in the legend; `picked` is shown as the one that it is about."""

    name: str
    values: Sequence[float]
    picked: bool = False


def row_chart(
    frame: Frame, rows: Sequence[BarRow], *, legend: Sequence[str] = (), norm: float | None = None
) -> str:
    """Return a chart as high as it needs to be, its numbers along `frame.x`; `norm` is a line across all rows."""
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
        short = row.name if len(row.name) <= LONGEST else f"{row.name[: LONGEST - 1]}…"
        look = "chart-words chart-strong chart-end" if row.picked else "chart-words chart-end"
        canvas.write_text(short, look, x=NAMES - 12, y=top + room / 2)
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
            # Beside its bar, or out of the way of the line across.
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
