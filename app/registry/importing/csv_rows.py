"""The columns of each import file, one frozen row a line."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from app.registry.importing.csv_cells import (
    Admission,
    Age,
    BedSpaces,
    Confidence,
    Day,
    ExtentKm,
    Features,
    Genders,
    Latitude,
    Longitude,
    MunicipalityCode,
    MunicipalityCodes,
    Name,
    OutOfServiceReason,
    Phone,
    PlaceKind,
    PlaceStatus,
    Population,
    Postcode,
    Secrecy,
    Sharing,
    Slug,
    Supervision,
    TargetGroups,
    WeightNumber,
    YesOrNo,
)


def _only_where_known(automatic: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic passes it so
    """A confidential site never accepts automatically (DESIGN, section 6, invariant 6)."""
    if automatic and info.data.get("address_secrecy") == "confidential":
        message = "must be no where address_secrecy is confidential"
        raise ValueError(message)
    return automatic


def _only_out_of_service(reason: str | None, info: ValidationInfo) -> str | None:
    if reason is not None and info.data.get("status", "out_of_service") != "out_of_service":
        message = "must be blank unless status is out_of_service"
        raise ValueError(message)
    return reason


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file; `line` is where it begins, counted from 1, the header being line 1."""

    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class RegionRow(Row):
    """A region, named by the code of its lead municipality."""

    code: MunicipalityCode
    name: Name
    lat: Latitude
    lon: Longitude
    population: Population


@dataclass(frozen=True, slots=True)
class MunicipalityRow(Row):
    """A municipality, with the region that it belongs to."""

    code: MunicipalityCode
    name: Name
    region: MunicipalityCode
    lat: Latitude
    lon: Longitude
    extent_km: ExtentKm
    population: Population
    province: Name = ""
    mapping_confidence: Confidence = "high"


@dataclass(frozen=True, slots=True)
class ProviderRow(Row):
    """A shelter organisation; `provider` is its slug, by which the other files name it."""

    provider: Slug
    name: Name
    phone: Phone
    regions: MunicipalityCodes


@dataclass(frozen=True, slots=True)
class SiteRow(Row):
    """A shelter address; `site` is its name, unique within the provider."""

    provider: Slug
    site: Name
    municipality: MunicipalityCode
    street: Name
    city: Name
    address_secrecy: Secrecy
    supervision: Supervision
    postcode: Postcode = ""
    features: Features = ()
    specialisms: TargetGroups = ()
    exclusive_to: TargetGroups = ()
    admission: Admission = "open"
    automatic_acceptance: Annotated[YesOrNo, AfterValidator(_only_where_known)] = False


@dataclass(frozen=True, slots=True)
class PlaceRow(Row):
    """One unit; `label` is unique within the site."""

    provider: Slug
    site: Name
    label: Name
    kind: PlaceKind
    bed_spaces: BedSpaces
    sharing: Sharing
    genders: Genders
    sons_up_to_age: Age
    features: Features = ()
    status: PlaceStatus | None = None
    """None: the file does not say. A new place is then free, one that exists is left as it is."""
    reason: Annotated[OutOfServiceReason | None, AfterValidator(_only_out_of_service)] = None


@dataclass(frozen=True, slots=True)
class WeightRow(Row):
    """The weight of a region from a date on, with its source."""

    region: MunicipalityCode
    weight: WeightNumber
    source: Name
    date: Day
