"""Build what Plek's pages are made of from npm packages.

The result lies in app/web/built, which is not committed.

The look is that of the NL Design System: the structure of its components, and its example tokens,
as far as something asks for them. In the dark each scale of colours is turned
round.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
BUILT = ROOT / "app" / "web" / "built"
OWN = ROOT / "app" / "web" / "static"
CHARTS = ROOT / "app" / "charts"
COUNTRIES = ROOT / "app" / "reference"
COMPONENTS = (
    "alert",
    "button",
    "button-group",
    "checkbox",
    "document",
    "form-field",
    "form-field-description",
    "form-field-error-message",
    "form-fieldset",
    "form-label",
    "heading-1",
    "heading-2",
    "heading-3",
    "link",
    "paragraph",
    "radio-button",
    "select",
    "separator",
    "skip-link",
    "status-badge",
    "table",
    "textarea",
    "textbox",
    "unordered-list",
)
COPIED = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "sse.js": "htmx-ext-sse/dist/sse.min.js",
}
TOKENS = "@nl-design-system-unstable/voorbeeld-design-tokens/dist/theme.css"
CALM = ("-violet-", "-blauw-")
"""Actions are blue here: a colour that people under stress read as a link or a button, and never as
a warning."""
SCALE = ("50", "100", "200", "300", "400", "500", "600", "700")
NIGHT = "#0d1520"
"""What white becomes in the dark: not black, on which letters seem to glow."""
DECLARATION = re.compile(r"(--[\w-]+):\s*([^;]+);")
USE = re.compile(r"var\(\s*(--[\w-]+)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
THINNEST_DEGREES = 0.004
"""Points of the outline that are nearer to each other than this, about 400 m, are one on a
screen."""
FEWEST_POINTS = 4
"""Of a ring that encloses something."""


def squeeze(css: str) -> str:
    """Return a style sheet without comments and spaces that nobody reads."""
    return (
        re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", COMMENT.sub("", css)))
        .replace(";}", "}")
        .strip()
    )


def components() -> str:
    """Return the styles of the components that the pages use."""
    return "".join(
        squeeze((PACKAGES / "@utrecht" / f"{name}-css" / "dist" / "index.css").read_text())
        for name in COMPONENTS
    )


def wanted(tokens: dict[str, str], css: str) -> dict[str, str]:
    """Return the tokens that a style sheet uses, and those that they use in turn."""
    found: dict[str, str] = {}
    asked = set(USE.findall(css))
    while asked:
        name = asked.pop()
        if name in tokens and name not in found:
            found[name] = tokens[name]
            asked.update(USE.findall(tokens[name]))
    return found


def turned_round(tokens: dict[str, str]) -> dict[str, str]:
    """Return the colours of the scales for the dark: the lightest for the darkest."""
    opposite = dict(zip(SCALE, reversed(SCALE), strict=True))
    dark: dict[str, str] = {}
    for name, value in tokens.items():
        scale, _, step = name.rpartition("-")
        if name == "--voorbeeld-kleuren-wit":
            dark[name] = NIGHT
        elif scale.startswith("--voorbeeld-kleuren-") and step in opposite:
            dark[name] = tokens.get(f"{scale}-{opposite[step]}", value)
    return dark


def look() -> str:
    """Return the whole style sheet: tokens, components, and Plek's own."""
    own = squeeze(
        "".join(path.read_text() for path in sorted((*OWN.glob("*.css"), *CHARTS.glob("*.css"))))
    )
    every = {
        name: value.strip().replace(*CALM)
        for name, value in DECLARATION.findall(COMMENT.sub("", (PACKAGES / TOKENS).read_text()))
    }
    parts = components()
    light = wanted(every, parts + own)
    # A scale is turned round whole, also where only a part of it is used by day.
    scales = {
        name: value for name, value in every.items() if name.startswith("--voorbeeld-kleuren-")
    }
    dark = {name: value for name, value in turned_round(scales).items() if name in light}
    return (
        f":root{{{_declared(light)}}}@media "
        f"(prefers-color-scheme:dark){{:root{{{_declared(dark)}}}}}" + parts + own
    )


def _declared(tokens: dict[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in sorted(tokens.items()))


def outline(country: dict[str, Any]) -> list[list[list[float]]]:
    """Return a country's outline.

    Rings of [longitude, latitude], those within the bounds that the country names.
    """
    world = json.loads((PACKAGES / "world-atlas" / "countries-10m.json").read_text())
    shape = next(
        found
        for found in world["objects"]["countries"]["geometries"]
        if found.get("id") == country["iso_numeric"]
    )
    polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
    rings = [_ring(world, arcs) for polygon in polygons for arcs in polygon]
    return [
        ring for ring in rings if _within(ring, country["bounds"]) and len(ring) >= FEWEST_POINTS
    ]


def _ring(world: dict[str, Any], arcs: list[int]) -> list[list[float]]:
    """Return one ring of a TopoJSON topology.

    Arcs are differences, and a negative one runs backwards.
    """
    scale, translate = world["transform"]["scale"], world["transform"]["translate"]
    points: list[list[float]] = []
    for arc in arcs:
        x = y = 0
        line: list[list[float]] = []
        for dx, dy in world["arcs"][arc if arc >= 0 else ~arc]:
            x, y = x + dx, y + dy
            line.append([x * scale[0] + translate[0], y * scale[1] + translate[1]])
        points += line if arc >= 0 else line[::-1]
    thinned: list[list[float]] = []
    for longitude, latitude in points:
        if (
            thinned
            and max(abs(longitude - thinned[-1][0]), abs(latitude - thinned[-1][1]))
            < THINNEST_DEGREES
        ):
            continue
        thinned.append([round(longitude, 4), round(latitude, 4)])
    return thinned


def _within(ring: list[list[float]], bounds: dict[str, float]) -> bool:
    return all(
        bounds["west"] - 1 <= longitude <= bounds["east"] + 1
        and bounds["south"] - 1 <= latitude <= bounds["north"] + 1
        for longitude, latitude in ring
    )


def build() -> None:
    """Write everything anew."""
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir(parents=True)
    (BUILT / "plek.css").write_text(look())
    for name, source in COPIED.items():
        shutil.copyfile(PACKAGES / source, BUILT / name)
    for file in COUNTRIES.glob("*/country.json"):
        rings = outline(json.loads(file.read_text()))
        (BUILT / f"outline-{file.parent.name}.json").write_text(
            json.dumps(rings, separators=(",", ":"))
        )


if __name__ == "__main__":
    build()
