"""What every chart has: a title and a description that are read aloud, axes with their units, and room around."""

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
"""How many classes of series the style sheet tells apart, by colour and by dash."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, with its unit, for example `km`; `unit` also stands behind its numbers where `after`."""

    title: str
    suffix: str = ""
    from_nought: bool = True

    def label(self, value: float) -> str:
        """Return a number as the axis writes it."""
        return f"{value:,.10g}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Frame:
    """A chart's words and size. `description` says in a sentence or two what the picture shows, for who cannot see it.

    `standalone`: with a style of its own, for a file; a page has the style sheet already
    (`style_sheet`).
    """

    title: str
    description: str
    x: Axis
    y: Axis
    width: int = 720
    height: int = 420
    standalone: bool = False


def style_sheet() -> str:
    """Return the style of every chart, in light and in dark."""
    return (files(__name__.rpartition(".")[0]) / "chart.css").read_text(encoding="utf-8")


@dataclass(slots=True)
class Canvas:
    """An SVG that is being drawn; `legend` names what its classes stand for, if there is more than one."""

    frame: Frame
    legend: Sequence[str] = ()
    root: Element = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what is read aloud, and the style where there is no page around."""
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
        """Where the picture begins."""
        return LEFT

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.frame.width - RIGHT

    @property
    def top(self) -> float:
        """Below the title and the legend."""
        return TOP + LEGEND_LINE * len(self.legend)

    @property
    def bottom(self) -> float:
        """Above the numbers of the horizontal axis."""
        return self.frame.height - BOTTOM

    def _words(self, tag: str, words: str, **attributes: str) -> Element:
        element = SubElement(self.root, tag, attributes)
        element.text = printable(words)
        return element

    def draw_shape(self, tag: str, look: str, **numbers: float | str) -> Element:
        """Draw a shape: its class, and numbers as its attributes."""
        attributes = {
            name: value if isinstance(value, str) else _number(value)
            for name, value in numbers.items()
        }
        return SubElement(self.root, tag, {"class": look, **attributes})

    def write_text(self, words: str, look: str, *, x: float, y: float) -> None:
        """Write some words."""
        self._words("text", words, **{"class": look, "x": _number(x), "y": _number(y)})

    def describe(self, element: Element, words: str) -> None:
        """Let a shape say what it is, when somebody points at it."""
        SubElement(element, "title").text = printable(words)

    def draw_legend(self, *, bars: bool = False) -> None:
        """Name each class in a line below the title, marked as it is drawn: by a line, or by a bar."""
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
        """Draw a line across for each tick, with its number, and say what the axis shows."""
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
        """Draw the line below, with a number for each tick where it has a scale, and say what the axis shows."""
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
        """Return the SVG as text."""
        return tostring(self.root, encoding="unicode")


def hue(number: int) -> str:
    """Return the class by which one series is told from the others."""
    return f"chart-{number % HUES + 1}"


def printable(words: str) -> str:
    """Return the words without what XML cannot hold; everything else is escaped as it is written."""
    return "".join(letter for letter in words if _is_allowed(ord(letter)))


def _is_allowed(code: int) -> bool:
    # XML 1.0, section 2.2; carriage returns would come back as line feeds.
    return (
        code in {0x9, 0xA} or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000  # noqa: PLR2004
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
