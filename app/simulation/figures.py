"""The outcomes as rows of a table, and as pictures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.charts import Axis, Bar, Frame, ScatterPoint, Series, bar_chart, line_chart, scatter_chart
from app.simulation.outcome import YearOutcome
from app.simulation.ways import PLEK

EVERY_DAYS = 7
FIRST_DAYS = 28
"""Before that so few nights have been given that a single one shows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure: its title, its unit, how to find it, and with how many decimals it is told."""

    title: str
    unit: str
    value: Callable[[YearOutcome], float]
    decimals: int = 1

    def write(self, outcome: YearOutcome) -> str:
        """Return the figure as a table has it."""
        return f"{self.value(outcome):,.{self.decimals}f}{self.unit}"


COLUMNS: Mapping[str, Column] = {
    "deviation": Column("Total relative deviation", "%", lambda one: 100 * float(one.deviation), 2),
    "within-hour": Column("Placed within an hour", "%", lambda one: 100 * one.within_hour),
    "placed": Column("Placed at all", "%", lambda one: 100 * one.placed),
    "waiting": Column("Mean wait", " h", lambda one: one.wait_hours),
    "distance": Column("From what is wanted near", " km", lambda one: one.wish_km),
    "from-home": Column("From home", " km", lambda one: one.home_km),
    "moves": Column("Moves a household", "", lambda one: one.moves, 3),
    "left-for-safety": Column(
        "Left region for safety", "%", lambda one: 100 * one.left_region.get("safety", 0.0)
    ),
    "left-for-capacity": Column(
        "Left region for want of room", "%", lambda one: 100 * one.left_region.get("capacity", 0.0)
    ),
    "violations": Column("Safety violations", "", lambda one: sum(one.violations.values()), 0),
}
"""By the name of its file."""


def rows(outcomes: Sequence[YearOutcome]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each figure: its title, and what each way came to."""
    for column in COLUMNS.values():
        yield column.title, *(column.write(outcome) for outcome in outcomes)


def pictures(outcomes: Sequence[YearOutcome]) -> Iterator[tuple[str, str]]:
    """Yield the name and the SVG of each picture of ways side by side."""
    for name, column in COLUMNS.items():
        told = "; ".join(f"{outcome.name}: {column.write(outcome)}" for outcome in outcomes)
        frame = Frame(
            title=column.title,
            description=f"{told}.",
            x=Axis("Way of choosing"),
            y=Axis(column.title, suffix=column.unit),
            width=900,
            standalone=True,
        )
        bars = [
            Bar(one.name, round(column.value(one), column.decimals), picked=one.name == PLEK)
            for one in outcomes
        ]
        yield name, bar_chart(frame, bars)
    yield "deviation-by-day", _by_day(outcomes)


def _by_day(outcomes: Sequence[YearOutcome]) -> str:
    series = [
        Series(
            outcome.name,
            [
                (float(day), 100 * float(deviation))
                for day, deviation in enumerate(outcome.by_day, start=1)
                if day >= FIRST_DAYS and day % EVERY_DAYS == 0
            ],
        )
        for outcome in outcomes
    ]
    told = "; ".join(
        f"{outcome.name} ends at {100 * float(outcome.deviation):.2f}%" for outcome in outcomes
    )
    frame = Frame(
        title="Total relative deviation of all safety nights so far",
        description=f"{told}.",
        x=Axis("Day"),
        y=Axis("Deviation", suffix="%"),
        width=900,
        height=520,
        standalone=True,
    )
    return line_chart(frame, series)


def frontier(outcomes: Sequence[YearOutcome], *, own: int) -> str:
    """Draw what fairness costs in distance: one point for each weight of solidarity."""
    marks = [
        ScatterPoint(
            one.name,
            round(one.wish_km, 2),
            round(100 * float(one.deviation), 2),
            picked=one.name == str(own),
        )
        for one in outcomes
    ]
    told = "; ".join(f"{mark.name} points a stay: {mark.y}% at {mark.x} km" for mark in marks)
    frame = Frame(
        title="What fairness costs in distance, by points for a stay's nights",
        description=f"{told}. The policy has {own} points a stay.",
        x=Axis("Mean distance from what the household wants near", suffix=" km", from_nought=False),
        y=Axis("Total relative deviation", suffix="%"),
        width=900,
        height=520,
        standalone=True,
    )
    return scatter_chart(frame, marks, joined=True)
