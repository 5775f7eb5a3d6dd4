"""What will happen to each arrival, drawn with a seed before anything begins.

Pure but for reading the file.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.reference import ReferenceFiles
from app.simulation.country.households import Households
from app.simulation.country.luck import Luck
from app.simulation.country.values import DemoCase

DECLINED, SILENT = 0.06, 0.03
"""Shares of the holds that the receiving provider declines, and of those that it lets run out."""
SECOND_CHOICE = 0.1
NO_SHOW = 0.04
MEAN_STAY = 60
LONGEST_STAY = 400
"""In arrivals: places come free again in the pace in which people come."""
ANSWERS = 12
"""More than any arrival needs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One arrival: who, and how those concerned will answer."""

    number: int
    case: DemoCase
    answers: tuple[str, ...]
    """Of the receiving providers, in turn: accept, decline or silent."""
    decline_reason: str
    second_choice: bool
    override_reason: str
    comes: bool
    stay: int
    """In arrivals."""
    destination: str
    blockers: tuple[str, ...]


def read_times(file: Path) -> tuple[str, ...]:
    """Return the moments of the arrivals, in order."""
    with file.open(encoding="utf-8", newline="") as opened:
        return tuple(sorted(row["time"] for row in csv.DictReader(opened)))


def draw(reference: ReferenceFiles, *, count: int, seed: int) -> Iterator[Plan]:
    """Yield the plans of as many arrivals; the same seed gives the same ones."""
    households = Households(reference, seed=seed)
    luck = Luck(seed, subject="replay")
    codes = {name: tuple(listed.codes) for name, listed in reference.codes.items()}
    for number in range(count):
        yield Plan(
            number=number,
            case=households.draw(),
            answers=tuple(_answer(luck) for _ in range(ANSWERS)),
            decline_reason=luck.one(codes["decline_reasons"]),
            second_choice=luck.happens(SECOND_CHOICE),
            override_reason=luck.one(codes["override_reasons"]),
            comes=not luck.happens(NO_SHOW),
            stay=1 + luck.about(MEAN_STAY, most=LONGEST_STAY),
            destination=luck.one(codes["departure_destinations"]),
            blockers=tuple(sorted(luck.some(codes["blockers"], count=luck.between(0, 2)))),
        )


def _answer(luck: Luck) -> str:
    if luck.happens(DECLINED):
        return "decline"
    return "silent" if luck.happens(SILENT) else "accept"


def referral_body(case: DemoCase) -> Mapping[str, Any]:
    """Return the body with which an intake worker registers a case."""
    return {
        "urgency": case.urgency,
        "reason": case.reason,
        "originMunicipality": case.origin,
        "household": {
            "adults": [
                {"gender": adult.gender, "age": adult.age} for adult in case.household.adults
            ],
            "children": [
                {"age": child.age, "gender": child.gender} for child in case.household.children
            ],
            "pets": case.household.pets,
            "pregnant": case.household.pregnant,
        },
        "dangerAssessment": case.danger_assessment,
        "dangerZones": [
            {"municipality": zone.municipality, "radiusKm": zone.radius_km, "cause": zone.cause}
            for zone in case.danger_zones
        ],
        "perpetratorWhereabouts": case.perpetrator_whereabouts,
        "threatLevel": case.threat_level,
        "targetGroups": list(case.target_groups),
        "needs": list(case.needs),
        "languages": list(case.languages),
        "nearMunicipality": case.near_municipality,
        "safetyPlan": True,
        "callBack": "000-555 01 01",
    }
