"""Line charts over a measure, and scatter charts of two measures."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.frame import Canvas, Frame, hue
from app.charts.scale import Scale, scale_over

RADIUS = 5.0
APART = 12.0


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart, with its points from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class ScatterPoint:
    """A point with its name; `picked` marks the one that the chart is about."""

    name: str
    x: float
    y: float
    picked: bool = False


def line_chart(frame: Frame, series: Sequence[Series]) -> str:
    """Draw lines, told apart by colour and dash and named in a legend."""
    canvas = Canvas(frame, legend=[one.name for one in series])
    points = [point for one in series for point in one.points]
    x, y = _axes(canvas, points)
    for number, one in enumerate(series):
        path = " ".join(
            f"{across:.1f},{up:.1f}" for across, up in _points_on(canvas, one.points, x=x, y=y)
        )
        line = canvas.draw_shape("polyline", f"chart-line {hue(number)}", points=path)
        canvas.describe(line, one.name)
    canvas.draw_legend()
    return canvas.to_svg()


def scatter_chart(frame: Frame, marks: Sequence[ScatterPoint], *, joined: bool = False) -> str:
    """Draw named points; `joined` connects them by a line in their order."""
    canvas = Canvas(frame)
    places = [(mark.x, mark.y) for mark in marks]
    x, y = _axes(canvas, places)
    placed = _points_on(canvas, places, x=x, y=y)
    if joined:
        canvas.draw_shape(
            "polyline", "chart-line chart-1", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
        )
    for mark, (across, up) in zip(marks, placed, strict=True):
        look = "chart-dot chart-picked" if mark.picked else "chart-dot"
        dot = canvas.draw_shape("circle", look, cx=across, cy=up, r=RADIUS + 2 * mark.picked)
        canvas.describe(dot, f"{mark.name}: {frame.x.label(mark.x)}, {frame.y.label(mark.y)}")
        canvas.write_text(mark.name, "chart-words chart-middle", x=across, y=up - APART)
    return canvas.to_svg()


def _axes(canvas: Canvas, points: Sequence[tuple[float, float]]) -> tuple[Scale, Scale]:
    x = scale_over((across for across, _ in points), from_nought=canvas.frame.x.from_nought)
    y = scale_over((up for _, up in points), from_nought=canvas.frame.y.from_nought)
    canvas.draw_y_axis(y)
    canvas.draw_x_axis(x)
    return x, y


def _points_on(
    canvas: Canvas, points: Sequence[tuple[float, float]], *, x: Scale, y: Scale
) -> Sequence[tuple[float, float]]:
    return [
        (
            x.at(across, start=canvas.left, end=canvas.right),
            y.at(up, start=canvas.bottom, end=canvas.top),
        )
        for across, up in points
    ]
