"""The canvas of a chart: title and description for screen readers, axes and legend."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from app.charts.scale import Scale

SVG = "http://www.w3.org/2000/svg"
LEFT, RIGHT, TOP, BOTTOM = 76.0, 40.0, 52.0, 56.0
LEGEND_LINE = 22.0
TICK = 6.0
HUES = 6
"""How many series the style sheet tells apart by colour and dash."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: its title, and a suffix (a unit) behind each of its numbers."""

    title: str
    suffix: str = ""
    from_nought: bool = True

    def label(self, value: float) -> str:
        """Write a number as the axis shows it."""
        return f"{value:,.10g}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Frame:
    """The words and the size of a chart.

    `description` says in a sentence or two what the picture shows, for readers who cannot see it.
    `standalone` charts carry their own style, for a file; on a page the style sheet is there
    already.
    """

    title: str
    description: str
    x: Axis
    y: Axis
    width: int = 720
    height: int = 420
    standalone: bool = False


def style_sheet() -> str:
    """The style sheet of every chart, in light and in dark."""
    return (files(__name__.rpartition(".")[0]) / "chart.css").read_text(encoding="utf-8")


@dataclass(slots=True)
class Canvas:
    """An SVG being drawn; `legend` names its series where there is more than one."""

    frame: Frame
    legend: Sequence[str] = ()
    root: Element = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the words for screen readers, and with the style in a standalone chart."""
        frame = self.frame
        mark = sha256(f"{frame.title}\0{frame.description}".encode(errors="replace")).hexdigest()[
            :12
        ]
        size = {
            "viewBox": f"0 0 {frame.width} {frame.height}",
            "width": str(frame.width),
            "height": str(frame.height),
        }
        named = {"role": "img", "aria-labelledby": f"t{mark} d{mark}"}
        self.root = Element("svg", {"xmlns": SVG, "class": "chart", **size, **named})
        self._words("title", frame.title, id=f"t{mark}")
        self._words("desc", frame.description, id=f"d{mark}")
        if frame.standalone:
            self._words("style", style_sheet())
        self.draw_shape("rect", "chart-ground", x=0, y=0, width=frame.width, height=frame.height)
        self.write_text(frame.title, "chart-title", x=LEFT, y=26)

    @property
    def left(self) -> float:
        """The left edge of the plot."""
        return LEFT

    @property
    def right(self) -> float:
        """The right edge of the plot."""
        return self.frame.width - RIGHT

    @property
    def top(self) -> float:
        """The top of the plot, below the title and the legend."""
        return TOP + LEGEND_LINE * len(self.legend)

    @property
    def bottom(self) -> float:
        """The bottom of the plot, above the labels of the horizontal axis."""
        return self.frame.height - BOTTOM

    def _words(self, tag: str, words: str, **attributes: str) -> Element:
        element = SubElement(self.root, tag, attributes)
        element.text = printable(words)
        return element

    def draw_shape(self, tag: str, look: str, **numbers: float | str) -> Element:
        """Draw a shape with a class, and with numbers as its attributes."""
        attributes = {
            name: value if isinstance(value, str) else _number(value)
            for name, value in numbers.items()
        }
        return SubElement(self.root, tag, {"class": look, **attributes})

    def write_text(self, words: str, look: str, *, x: float, y: float) -> None:
        """Write words at a position."""
        self._words("text", words, **{"class": look, "x": _number(x), "y": _number(y)})

    def describe(self, element: Element, words: str) -> None:
        """Give a shape a tooltip."""
        SubElement(element, "title").text = printable(words)

    def draw_legend(self, *, bars: bool = False) -> None:
        """Name each series on a line below the title, beside a sample of its line or bar."""
        for number, name in enumerate(self.legend):
            y = TOP + LEGEND_LINE * number + 2
            if bars:
                self.draw_shape(
                    "rect", f"chart-bar {hue(number)}", x=self.left, y=y - 6, width=30, height=12
                )
            else:
                self.draw_shape(
                    "line", f"chart-line {hue(number)}", x1=self.left, y1=y, x2=self.left + 30, y2=y
                )
            self.write_text(name, "chart-words", x=self.left + 38, y=y + 5)

    def draw_y_axis(self, scale: Scale) -> None:
        """Draw a grid line and a number for each tick, and the title of the vertical axis."""
        for tick in scale.ticks:
            y = scale.at(tick, start=self.bottom, end=self.top)
            self.draw_shape("line", "chart-grid", x1=self.left, y1=y, x2=self.right, y2=y)
            self.write_text(
                self.frame.y.label(tick), "chart-words chart-end", x=self.left - TICK - 2, y=y + 4
            )
        middle = _number((self.top + self.bottom) / 2)
        title = self._words("text", self.frame.y.title, **{"class": "chart-words chart-middle"})
        title.set("transform", f"translate(16 {middle}) rotate(-90)")

    def draw_x_axis(self, scale: Scale | None = None) -> None:
        """Draw the horizontal axis with its title, and a number for each tick of its scale."""
        self.draw_shape(
            "line", "chart-axis", x1=self.left, y1=self.bottom, x2=self.right, y2=self.bottom
        )
        for tick in scale.ticks if scale is not None else ():
            x = scale.at(tick, start=self.left, end=self.right) if scale is not None else 0.0
            self.draw_shape("line", "chart-axis", x1=x, y1=self.bottom, x2=x, y2=self.bottom + TICK)
            self.write_text(
                self.frame.x.label(tick), "chart-words chart-middle", x=x, y=self.bottom + 20
            )
        self.write_text(
            self.frame.x.title,
            "chart-words chart-middle",
            x=(self.left + self.right) / 2,
            y=self.bottom + 44,
        )

    def to_svg(self) -> str:
        """The SVG as text."""
        return tostring(self.root, encoding="unicode")


def hue(number: int) -> str:
    """The class by which the style sheet tells one series from the others."""
    return f"chart-{number % HUES + 1}"


def printable(words: str) -> str:
    """The words without the characters that XML cannot hold.

    Writing escapes the others.
    """
    return "".join(letter for letter in words if _is_allowed(ord(letter)))


def _is_allowed(code: int) -> bool:
    # XML 1.0, section 2.2; carriage returns would come back as line feeds.
    return (
        code in {0x9, 0xA} or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000  # noqa: PLR2004
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
