"""The reference files of a jurisdiction, in a folder that names its sources."""

import csv
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from typing import TypeVar

from pydantic import JsonValue, TypeAdapter

from app.errors import OperatorError
from app.reference.values import (
    CodeList,
    Country,
    DemoWords,
    GeoBounds,
    Municipality,
    MunicipalityClearance,
    ReferenceFiles,
    Region,
    RegionWeight,
    Words,
    clearance_table,
)

__all__ = [
    "CodeList",
    "Country",
    "DemoWords",
    "GeoBounds",
    "Municipality",
    "MunicipalityClearance",
    "ReferenceFiles",
    "Region",
    "RegionWeight",
    "Words",
    "arrivals_by_hour",
    "clearance_table",
    "load",
    "policy_document",
]

DEFAULT_JURISDICTION = "nl"

Row = TypeVar("Row")


@cache
def load(jurisdiction: str = DEFAULT_JURISDICTION) -> ReferenceFiles:
    """Load the reference files of a jurisdiction; OperatorError if there are none."""
    folder = _folder(jurisdiction)
    return ReferenceFiles(
        country=TypeAdapter(Country).validate_json(_text(folder, "country.json")),
        municipalities=_table(folder, "municipalities.csv", TypeAdapter(tuple[Municipality, ...])),
        regions=_table(folder, "regions.csv", TypeAdapter(tuple[Region, ...])),
        weights=_table(folder, "weights.csv", TypeAdapter(tuple[RegionWeight, ...])),
        codes=TypeAdapter(dict[str, CodeList]).validate_json(_text(folder, "codes.json")),
        demo=TypeAdapter(DemoWords).validate_json(_text(folder, "demo.json")),
    )


@cache
def common_words(jurisdiction: str = DEFAULT_JURISDICTION) -> tuple[str, ...]:
    """Return words that passwords in a country are usually made of, municipalities too."""
    words = _text(_folder(jurisdiction), "common_words.txt").split()
    places = (place.name for place in load(jurisdiction).municipalities)
    return tuple(dict.fromkeys((*words, *places)))


def arrivals_by_hour(jurisdiction: str = DEFAULT_JURISDICTION) -> tuple[int, ...]:
    """How many people called for help in each hour of the day; for simulations only."""
    hours = csv.DictReader(StringIO(_text(_folder(jurisdiction), "arrivals.csv"), newline=""))
    return tuple(int(hour["calls"]) for hour in hours)


def policy_document(jurisdiction: str = DEFAULT_JURISDICTION) -> dict[str, JsonValue]:
    """The policy document of a new installation, as parsed JSON.

    `allocation` validates it.
    """
    text = _text(_folder(jurisdiction), "policy.json")
    return TypeAdapter(dict[str, JsonValue]).validate_json(text)


def _folder(jurisdiction: str) -> Traversable:
    folder = files(__name__) / jurisdiction
    if not jurisdiction.isalnum() or not (folder / "country.json").is_file():
        message = f"There are no reference files for the jurisdiction '{jurisdiction}'."
        raise OperatorError(message)
    return folder


def _text(folder: Traversable, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def _table(folder: Traversable, name: str, rows: TypeAdapter[tuple[Row, ...]]) -> tuple[Row, ...]:
    return rows.validate_python(list(csv.DictReader(StringIO(_text(folder, name), newline=""))))
