"""The draft of a referral: its form as it was sent, and the request to the API from it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from app.web.find.names import Names

MOST_ROWS = 40
"""More rows of a kind than the API takes, so that it refuses them and none gets lost here."""
DIGITS = re.compile(r"[0-9]{1,4}")
ROW = re.compile(r"(adult|child|zone)-([0-9]{1,2})-([a-z_]+)")


@dataclass(frozen=True, slots=True)
class AdultRow:
    """The row of one adult, as typed."""

    gender: str = ""
    age: str = ""


@dataclass(frozen=True, slots=True)
class ChildRow:
    """The row of one child, as typed."""

    age: str = ""
    gender: str = ""


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """The row of one unsafe area, as typed."""

    municipality: str = ""
    radius: str = ""
    cause: str = ""
    until: str = ""


Row = TypeVar("Row", AdultRow, ChildRow, ZoneRow)


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole form, with its texts as typed."""

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

    def without_blanks(self) -> "Draft":
        """Return the draft without blank areas and languages; a child without facts stays one."""
        zones = tuple(zone for zone in self.zones if zone.municipality.strip())
        return replace(
            self, zones=zones, languages=tuple(typed for typed in self.languages if typed.strip())
        )

    def with_row(self, what: str) -> "Draft":
        """Return the draft with one more row of a kind."""
        match what:
            case "adult":
                return replace(self, adults=(*self.adults, AdultRow()))
            case "child":
                return replace(self, children=(*self.children, ChildRow()))
            case "zone":
                return replace(self, danger="assessed", zones=(*self.zones, ZoneRow()))
            case _:
                return self

    def without_row(self, which: str) -> "Draft":
        """Return the draft without one row, which is named as `child-1`."""
        what, _, position = which.partition("-")
        at = int(position) if DIGITS.fullmatch(position) else MOST_ROWS
        match what:
            case "adult":
                return replace(self, adults=_drop(self.adults, at) or (AdultRow(),))
            case "child":
                return replace(self, children=_drop(self.children, at))
            case "zone":
                return replace(self, zones=_drop(self.zones, at))
            case _:
                return self


def _drop(rows: tuple[Row, ...], at: int) -> tuple[Row, ...]:
    return rows[:at] + rows[at + 1 :]


def read(fields: Iterable[tuple[str, str]]) -> Draft:
    """Return the draft from the fields of a form.

    Unknown fields are ignored; if a field was sent twice, the last one counts.
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
    """Return the body for the API to register, which refuses values that make no sense."""
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
    """Return a typed number; None if blank, and the text itself if it is no number."""
    bare = text.strip()
    return int(bare) if DIGITS.fullmatch(bare) else (bare or None)


def of_content(content: Mapping[str, Any], names: Names) -> Draft:
    """Return the draft that has the content of a registered referral."""
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
        languages=_language_names(content["languages"], names),
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


def _language_names(codes: Sequence[str], names: Names) -> tuple[str, ...]:
    return tuple(names.tongue(code) for code in codes)


def _text(value: object) -> str:
    return "" if value is None else str(value)
