"""Households and their danger zones on the wire, in referrals and in holds."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from app.allocation.values import OLDEST_CHILD
from app.api.kit import known_codes
from app.api.kit.wire import Day, In, Line, Out

OLDEST_ADULT = 120

Age = Annotated[int, Field(strict=True, ge=0, le=OLDEST_ADULT)]
ChildAge = Annotated[int, Field(strict=True, ge=0, le=OLDEST_CHILD)]
ThreatLevel = Annotated[int, Field(strict=True, ge=1, le=3)]
Pets = Annotated[int, Field(strict=True, ge=0, le=20)]
Flag = Annotated[bool, Field(strict=True)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Languages = Annotated[list[Language], Field(max_length=20)]


class AdultIn(In, title="Adult"):
    """One adult."""

    gender: known_codes.Gender
    age: Annotated[int, Field(strict=True, ge=12, le=OLDEST_ADULT)] | None = None


class ChildIn(In, title="Child"):
    """One child."""

    age: ChildAge | None = None
    gender: known_codes.ChildGender | None = None


class HouseholdIn(In, title="Household"):
    """The people who come together."""

    adults: Annotated[list[AdultIn], Field(min_length=1, max_length=10)]
    children: Annotated[list[ChildIn], Field(max_length=20)] = []
    pets: Pets = 0
    pregnant: Flag = False


class DangerZoneIn(In, title="DangerZone"):
    """A municipality to stay clear of, and by how much."""

    municipality: known_codes.MunicipalityCode
    radius_km: known_codes.RadiusKm
    cause: known_codes.ZoneCause = "home"
    until: Day | None = None


class AdultOut(Out):
    """One adult."""

    gender: str
    age: int | None


class ChildOut(Out):
    """One child."""

    age: int | None
    gender: str | None


class HouseholdOut(Out):
    """The people who come together."""

    adults: list[AdultOut]
    children: list[ChildOut]
    pets: int
    pregnant: bool


class DangerZoneOut(Out):
    """A municipality to stay clear of, and by how much."""

    municipality: str
    radius_km: int
    cause: str
    until: date | None


def _one_of_each(zones: list[DangerZoneIn]) -> list[DangerZoneIn]:
    if len({(zone.municipality, zone.cause) for zone in zones}) != len(zones):
        message = "names the same municipality and cause twice"
        raise ValueError(message)
    return zones


DangerZones = Annotated[list[DangerZoneIn], Field(max_length=20), AfterValidator(_one_of_each)]
CallBack = Annotated[Line, Field(max_length=40, pattern=r"^[0-9+() .-]+$")]
