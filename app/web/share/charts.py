"""Charts in a page, with words from its template and numbers in its reader's language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.charts import Axis, BarRow, Frame, Series, line_chart, row_chart
from app.web.language import number

WIDTH = 480
"""The width of charts, narrow enough for a phone."""


@dataclass(frozen=True, slots=True)
class SpokenAxis(Axis):
    """An axis whose numbers have the separators of the reader's language."""

    def label(self, value: float) -> str:
        """Return the label of a number on the axis."""
        return f"{number(round(value, 1))}{self.suffix}"


def rows(
    words: Sequence[str],
    bars: Iterable[tuple[str, Sequence[float], bool]],
    *,
    legend: Sequence[str] = (),
    norm: float | None = None,
) -> Markup:
    """Draw horizontal bars.

    `words` has the title, the description, the axis and, if there is one, the suffix of numbers.
    Each bar has its name, its numbers, and whether it is the one that the chart is about.
    """
    title, description, axis, suffix = (*words, "")[:4]
    frame = Frame(title, description, SpokenAxis(axis, suffix), Axis(""), width=WIDTH)
    # The chart is our own, and every word in it has been escaped.
    return Markup(row_chart(frame, [BarRow(*bar) for bar in bars], legend=legend, norm=norm))  # noqa: S704


def steps(words: Sequence[str], points: Iterable[tuple[float, float]]) -> Markup:
    """Draw a curve that falls in steps.

    `words` has the title, the description, the two axes, and the name of the curve.
    """
    title, description, across, up, name = words
    line: list[tuple[float, float]] = []
    for x, y in points:
        if line:
            line.append((x, line[-1][1]))
        line.append((x, y))
    frame = Frame(title, description, SpokenAxis(across), SpokenAxis(up, "%"), width=WIDTH)
    return Markup(line_chart(frame, [Series(name, line)]))  # noqa: S704 - as above
