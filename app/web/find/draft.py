"""What stands in the form of a referral.

Read as it was sent, whatever it is, and turned into what the API takes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from app.web.find.names import Names

MOST_ROWS = 40
"""More rows of one kind than the API takes: what is beyond is refused there, and not lost in
silence here."""
DIGITS = re.compile(r"[0-9]{1,4}")
ROW = re.compile(r"(adult|child|zone)-([0-9]{1,2})-([a-z_]+)")


@dataclass(frozen=True, slots=True)
class AdultRow:
    """One adult, as it was filled in."""

    gender: str = ""
    age: str = ""


@dataclass(frozen=True, slots=True)
class ChildRow:
    """One child, as it was filled in."""

    age: str = ""
    gender: str = ""


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One unsafe area, as it was filled in."""

    municipality: str = ""
    radius: str = ""
    cause: str = ""
    until: str = ""


Row = TypeVar("Row", AdultRow, ChildRow, ZoneRow)


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole form; texts are as they were typed."""

    urgency: str = ""
    origin: str = ""
    adults: tuple[AdultRow, ...] = (AdultRow(),)
    children: tuple[ChildRow, ...] = ()
    pets: str = ""
    pregnant: bool = False
    danger: str = "not_asked"
    zones: tuple[ZoneRow, ...] = ()
    whereabouts: str = ""
    threat: str = ""
    reason: str = "safety"
    groups: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    near: str = ""
    barred: tuple[str, ...] = ()
    safety_plan: bool = False
    call_back: str = ""

    def filled(self) -> "Draft":
        """Return the form without rows that nobody filled in.

        A child of whom nothing is known is still one.
        """
        zones = tuple(zone for zone in self.zones if zone.municipality.strip())
        return replace(
            self, zones=zones, languages=tuple(typed for typed in self.languages if typed.strip())
        )

    def more(self, what: str) -> "Draft":
        """Return the form with one more row of a kind."""
        match what:
            case "adult":
                return replace(self, adults=(*self.adults, AdultRow()))
            case "child":
                return replace(self, children=(*self.children, ChildRow()))
            case "zone":
                return replace(self, danger="assessed", zones=(*self.zones, ZoneRow()))
            case _:
                return self

    def less(self, which: str) -> "Draft":
        """Return the form without one row, named as `child-1`."""
        what, _, position = which.partition("-")
        at = int(position) if DIGITS.fullmatch(position) else MOST_ROWS
        match what:
            case "adult":
                return replace(self, adults=_without(self.adults, at) or (AdultRow(),))
            case "child":
                return replace(self, children=_without(self.children, at))
            case "zone":
                return replace(self, zones=_without(self.zones, at))
            case _:
                return self


def _without(rows: tuple[Row, ...], at: int) -> tuple[Row, ...]:
    return rows[:at] + rows[at + 1 :]


def read(fields: Iterable[tuple[str, str]]) -> Draft:
    """Return the form that was sent.

    Fields that it does not have mean nothing, of one sent twice the last counts.
    """
    single: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    rows: dict[str, dict[int, dict[str, str]]] = {"adult": {}, "child": {}, "zone": {}}
    for name, value in fields:
        single[name] = value
        several.setdefault(name, []).append(value)
        if (row := ROW.fullmatch(name)) and int(row[2]) < MOST_ROWS:
            rows[row[1]].setdefault(int(row[2]), {})[row[3]] = value
    usual = Draft()
    return Draft(
        urgency=single.get("urgency", ""),
        origin=single.get("origin", ""),
        adults=_rows(AdultRow, rows["adult"]) or usual.adults,
        children=_rows(ChildRow, rows["child"]),
        pets=single.get("pets", ""),
        pregnant="pregnant" in single,
        danger=single.get("danger", usual.danger),
        zones=_rows(ZoneRow, rows["zone"]),
        whereabouts=single.get("whereabouts", ""),
        threat=single.get("threat", ""),
        reason=single.get("reason", usual.reason),
        groups=tuple(several.get("groups", ())),
        needs=tuple(several.get("needs", ())),
        languages=tuple(several.get("languages", ())),
        near=single.get("near", ""),
        barred=tuple(several.get("barred", ())),
        safety_plan="safety_plan" in single,
        call_back=single.get("call_back", ""),
    )


def _rows(kind: type[Row], found: Mapping[int, Mapping[str, str]]) -> tuple[Row, ...]:
    known = kind.__slots__
    return tuple(
        kind(**{name: row[name] for name in known if name in row})
        for _, row in sorted(found.items())
    )


def body(draft: Draft, names: Names) -> dict[str, Any]:
    """Return what the API is asked to register.

    What makes no sense is passed on as it is: it is refused there.
    """
    return {
        "urgency": draft.urgency,
        "reason": draft.reason,
        "originMunicipality": names.municipality(draft.origin),
        "household": {
            "adults": [
                {"gender": adult.gender, "age": _number(adult.age)} for adult in draft.adults
            ],
            "children": [
                {"age": _number(child.age), "gender": child.gender or None}
                for child in draft.children
            ],
            "pets": _number(draft.pets) or 0,
            "pregnant": draft.pregnant,
        },
        "dangerAssessment": draft.danger,
        "dangerZones": [_zone(zone, names) for zone in draft.zones],
        "perpetratorWhereabouts": draft.whereabouts or None,
        "threatLevel": _number(draft.threat),
        "targetGroups": list(draft.groups),
        "needs": list(draft.needs),
        "languages": [names.language(typed) for typed in draft.languages],
        "nearMunicipality": names.municipality(draft.near) if draft.near.strip() else None,
        "barredProviders": list(draft.barred),
        "safetyPlan": draft.safety_plan,
        "callBack": draft.call_back.strip() or None,
    }


def _zone(zone: ZoneRow, names: Names) -> dict[str, Any]:
    return {
        "municipality": names.municipality(zone.municipality),
        "radiusKm": _number(zone.radius),
        "cause": zone.cause or "home",
        "until": zone.until.strip() or None,
    }


def _number(text: str) -> int | str | None:
    """Return a number that was typed.

    Nothing where there is nothing, and what is no number as it is.
    """
    bare = text.strip()
    return int(bare) if DIGITS.fullmatch(bare) else (bare or None)


def of_content(content: Mapping[str, Any], names: Names) -> Draft:
    """Return the form of a referral that is there, filled in with what is known of it."""
    household = content["household"]
    return Draft(
        urgency=content["urgency"],
        origin=names.town(content["origin_municipality"]),
        adults=tuple(
            AdultRow(adult["gender"], _text(adult["age"])) for adult in household["adults"]
        ),
        children=tuple(
            ChildRow(_text(child["age"]), child["gender"] or "") for child in household["children"]
        ),
        pets=_text(household["pets"] or None),
        pregnant=household["pregnant"],
        danger=content["danger_assessment"],
        zones=tuple(_zone_row(zone, names) for zone in content["danger_zones"]),
        whereabouts=content["perpetrator_whereabouts"] or "",
        threat=_text(content["threat_level"]),
        reason=content["reason"],
        groups=tuple(content["target_groups"]),
        needs=tuple(content["needs"]),
        languages=_tongues(content["languages"], names),
        near=names.town(content["near_municipality"]) if content["near_municipality"] else "",
        barred=tuple(content["barred_providers"]),
        safety_plan=content["safety_plan"],
        call_back=content["call_back"] or "",
    )


def _zone_row(zone: Mapping[str, Any], names: Names) -> ZoneRow:
    return ZoneRow(
        names.town(zone["municipality"]),
        str(zone["radius_km"]),
        zone["cause"],
        _text(zone["until"]),
    )


def _tongues(codes: Sequence[str], names: Names) -> tuple[str, ...]:
    return tuple(names.tongue(code) for code in codes)


def _text(value: object) -> str:
    return "" if value is None else str(value)
