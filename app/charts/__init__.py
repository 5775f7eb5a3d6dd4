"""SVG charts drawn on the server: accessible, and coloured by the style sheet alone."""

from app.charts.bars import Bar, BarRow, bar_chart, row_chart
from app.charts.frame import Axis, Frame
from app.charts.plots import ScatterPoint, Series, line_chart, scatter_chart

__all__ = [
    "Axis",
    "Bar",
    "BarRow",
    "Frame",
    "ScatterPoint",
    "Series",
    "bar_chart",
    "line_chart",
    "row_chart",
    "scatter_chart",
]
