"""Whole quarters on the wire: by name, or by the days with which they begin and end."""

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

from app.allocation.quarters import Quarter, quarter_named, quarter_of
from app.api.wire import YEARS


def _begun(text: str) -> str:
    day = _day(text)
    if _named(text) is None and (day is None or quarter_of(day).first != day):
        message = "must be a quarter, as 2026-Q1, or its first day"
        raise ValueError(message)
    return text


def _over(text: str) -> str:
    day = _day(text)
    if _named(text) is None and (day is None or quarter_of(day).last != day):
        message = "must be a quarter, as 2026-Q1, or its last day"
        raise ValueError(message)
    return text


def _named(text: str) -> Quarter | None:
    try:
        found = quarter_named(text)
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text and day.year in YEARS else None


def quarter(text: str) -> Quarter:
    """Return the quarter that a checked parameter names."""
    day = _day(text)
    return quarter_named(text) if day is None else quarter_of(day)


FromQuarter = Annotated[
    str,
    AfterValidator(_begun),
    Query(alias="from", max_length=10, description="The first quarter, or its first day.", examples=["2026-Q1"]),
]
ToQuarter = Annotated[
    str,
    AfterValidator(_over),
    Query(alias="to", max_length=10, description="The last quarter, or its last day.", examples=["2026-03-31"]),
]
