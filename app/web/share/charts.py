"""Charts in a page, their numbers written as its reader writes them.

The words come from the template.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.charts import Axis, BarRow, Frame, Series, line_chart, row_chart
from app.web.language import number

WIDTH = 480
"""Narrow, so that it can be read on a phone."""


@dataclass(frozen=True, slots=True)
class SpokenAxis(Axis):
    """An axis whose numbers have the separators of the reader's language."""

    def label(self, value: float) -> str:
        """Return a number as the axis writes it."""
        return f"{number(round(value, 1))}{self.suffix}"


def rows(
    words: Sequence[str],
    bars: Iterable[tuple[str, Sequence[float], bool]],
    *,
    legend: Sequence[str] = (),
    norm: float | None = None,
) -> Markup:
    """Draw lying bars. `words`.

    Title, description, what the numbers are, and what stands behind each if anything.

    Each bar has its name, its numbers, and whether it is the one that the picture is about.
    """
    title, description, axis, suffix = (*words, "")[:4]
    frame = Frame(title, description, SpokenAxis(axis, suffix), Axis(""), width=WIDTH)
    # Our own drawing, in which every word has been escaped.
    return Markup(row_chart(frame, [BarRow(*bar) for bar in bars], legend=legend, norm=norm))  # noqa: S704


def steps(words: Sequence[str], points: Iterable[tuple[float, float]]) -> Markup:
    """Draw a curve that falls in steps.

    `words`: title, description, across, upwards, and what its name is.
    """
    title, description, across, up, name = words
    line: list[tuple[float, float]] = []
    for x, y in points:
        if line:
            line.append((x, line[-1][1]))
        line.append((x, y))
    frame = Frame(title, description, SpokenAxis(across), SpokenAxis(up, "%"), width=WIDTH)
    return Markup(line_chart(frame, [Series(name, line)]))  # noqa: S704 - as above
