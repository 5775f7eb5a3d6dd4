"""The columns of each import file, and the values that their cells may hold."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from app.allocation.values import LONGEST_NAME, MOST_BEDS, OLDEST_CHILD
from app.reference import ReferenceFiles
from app.words import N_

WHOLE = re.compile(r"[0-9]{1,12}")
DEGREES = re.compile(r"-?[0-9]{1,3}(?:[.,][0-9]{1,12})?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,23}[0-9]")

LONGEST_SLUG = 60
LONGEST_POSTCODE = 16
INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs"})

# No message repeats the cell: if columns have slipped, it would put an address into a terminal or a
# log.


class CellFault(ValueError):
    """A cell with a value that it may not hold; `values` fill in the English `text`."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text % values if values else text)
        self.text = text
        self.values = values


def _reference(info: ValidationInfo) -> ReferenceFiles:
    if not isinstance(info.context, ReferenceFiles):
        message = "cells are validated with the reference files as context"
        raise TypeError(message)
    return info.context


def _visible(text: str) -> str:
    odd = next((letter for letter in text if unicodedata.category(letter) in INVISIBLE), None)
    if odd is not None:
        raise CellFault(
            N_("contains an invisible character (%(character)s)"), character=f"U+{ord(odd):04X}"
        )
    return text


def _at_most(longest: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > longest:
            raise CellFault(
                N_("has %(long)s characters, at most %(most)s are allowed"),
                long=len(text),
                most=longest,
            )
        return text

    return check


def _matches(pattern: re.Pattern[str], *, fault: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise CellFault(fault)
        return text

    return check


def _whole(least: int, most: int) -> Callable[[object], int]:
    def read(cell: object) -> int:
        # The line number comes as an int; everything else is text.
        text = str(cell)
        if not WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise CellFault(
                N_("must be a whole number from %(least)s to %(most)s, without separators"),
                least=least,
                most=most,
            )
        return int(text)

    return read


def _degrees(*, south_to_north: bool) -> Callable[[object, ValidationInfo], float]:
    def read(cell: object, info: ValidationInfo) -> float:
        bounds = _reference(info).country.bounds
        least, most = (bounds.south, bounds.north) if south_to_north else (bounds.west, bounds.east)
        text = str(cell)
        # Spreadsheets in much of Europe write a decimal comma.
        value = float(text.replace(",", ".")) if DEGREES.fullmatch(text) else None
        if value is None or not least <= value <= most:
            raise CellFault(
                N_("must be degrees from %(least)s to %(most)s, as in %(example)s"),
                least=least,
                most=most,
                example=f"{(least + most) / 2:.3f}",
            )
        return value

    return read


def _day(cell: object) -> date:
    try:
        if DAY.fullmatch(str(cell)):
            return date.fromisoformat(str(cell))
    except ValueError:
        pass
    raise CellFault(N_("must be a date, as in 2025-01-31"))


def _yes_or_no(cell: object, info: ValidationInfo) -> bool:
    country = _reference(info).country
    answer = str(cell).casefold()
    if answer not in country.yes and answer not in country.no:
        raise CellFault(N_("must be %(yes)s or %(no)s"), yes=country.yes[0], no=country.no[0])
    return answer in country.yes


def _split_cell(cell: object) -> tuple[str, ...]:
    return tuple(str(cell).replace("|", " ").split())


def _some(codes: tuple[str, ...]) -> tuple[str, ...]:
    if not codes:
        raise CellFault(N_("must hold at least one value"))
    return codes


def _list_codes(codes: Iterable[str]) -> str:
    return ", ".join(codes)


def _one_of(listed: str, *, but: tuple[str, ...] = ()) -> Callable[[str, ValidationInfo], str]:
    def check(code: str, info: ValidationInfo) -> str:
        known = [known for known in _reference(info).codes[listed].codes if known not in but]
        if code not in known:
            raise CellFault(N_("must be one of %(known)s"), known=_list_codes(known))
        return code

    return check


def _all_of(listed: str) -> Callable[[tuple[str, ...], ValidationInfo], tuple[str, ...]]:
    def check(codes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = _reference(info).codes[listed].codes
        strange = [str(at) for at, code in enumerate(codes, 1) if code not in known]
        if strange:
            raise CellFault(
                N_("value %(which)s of %(all)s is not one of %(known)s"),
                which=_list_codes(strange),
                all=len(codes),
                known=_list_codes(known),
            )
        return tuple(sorted(set(codes)))

    return check


def _municipality(code: str, info: ValidationInfo) -> str:
    country = _reference(info).country
    if not re.fullmatch(country.municipality_pattern, code):
        raise CellFault(
            N_("must be the code of a municipality, as in %(code)s"),
            code=country.municipality_example,
        )
    return code


def _municipalities(codes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return tuple(sorted({_municipality(code, info) for code in codes}))


Name = Annotated[str, AfterValidator(_visible), AfterValidator(_at_most(LONGEST_NAME))]
Postcode = Annotated[str, AfterValidator(_visible), AfterValidator(_at_most(LONGEST_POSTCODE))]
Slug = Annotated[
    str,
    AfterValidator(_at_most(LONGEST_SLUG)),
    AfterValidator(
        _matches(
            SLUG,
            fault=N_("must be small letters, digits and single hyphens, as in de-voorbeeldhof"),
        )
    ),
]
Phone = Annotated[
    str,
    AfterValidator(
        _matches(
            PHONE, fault=N_("must be a telephone number of 6 to 25 digits, spaces and hyphens")
        )
    ),
]
MunicipalityCode = Annotated[str, AfterValidator(_municipality)]
MunicipalityCodes = Annotated[
    tuple[str, ...],
    BeforeValidator(_split_cell),
    AfterValidator(_some),
    AfterValidator(_municipalities),
]
Latitude = Annotated[float, BeforeValidator(_degrees(south_to_north=True))]
Longitude = Annotated[float, BeforeValidator(_degrees(south_to_north=False))]
ExtentKm = Annotated[int, BeforeValidator(_whole(1, 200))]
Population = Annotated[int, BeforeValidator(_whole(1, 100_000_000))]
WeightNumber = Annotated[int, BeforeValidator(_whole(0, 10**12 - 1))]
BedSpaces = Annotated[int, BeforeValidator(_whole(1, MOST_BEDS))]
Age = Annotated[int, BeforeValidator(_whole(0, OLDEST_CHILD))]
Day = Annotated[date, BeforeValidator(_day)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
PlaceKind = Annotated[str, AfterValidator(_one_of("place_kinds"))]
Sharing = Annotated[str, AfterValidator(_one_of("sharing"))]
Secrecy = Annotated[str, AfterValidator(_one_of("address_secrecy"))]
Supervision = Annotated[str, AfterValidator(_one_of("supervision"))]
Admission = Annotated[str, AfterValidator(_one_of("admission"))]
Confidence = Annotated[str, AfterValidator(_one_of("mapping_confidence"))]
# Only a person can hold or place, never a file.
PlaceStatus = Annotated[str, AfterValidator(_one_of("place_statuses", but=("held", "placed")))]
OutOfServiceReason = Annotated[str, AfterValidator(_one_of("out_of_service_reasons"))]
Genders = Annotated[
    tuple[str, ...],
    BeforeValidator(_split_cell),
    AfterValidator(_some),
    AfterValidator(_all_of("genders")),
]
Features = Annotated[
    tuple[str, ...], BeforeValidator(_split_cell), AfterValidator(_all_of("features"))
]
TargetGroups = Annotated[
    tuple[str, ...], BeforeValidator(_split_cell), AfterValidator(_all_of("target_groups"))
]


# --- rows --------------------------------------------------------------------


def _only_where_known(automatic: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic passes it so
    """Refuse automatic acceptance at a confidential site (docs/design.md, invariant 6)."""
    if automatic and info.data.get("address_secrecy") == "confidential":
        raise CellFault(N_("must be no where address_secrecy is confidential"))
    return automatic


def _only_out_of_service(reason: str | None, info: ValidationInfo) -> str | None:
    if reason is not None and info.data.get("status", "out_of_service") != "out_of_service":
        raise CellFault(N_("must be blank unless status is out_of_service"))
    return reason


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A line of a file; `line` is where it begins, counted from 1, the header being line 1."""

    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class CsvRegion(CsvRow):
    """A region, named by the code of its lead municipality."""

    code: MunicipalityCode
    name: Name
    lat: Latitude
    lon: Longitude
    population: Population


@dataclass(frozen=True, slots=True)
class CsvMunicipality(CsvRow):
    """A municipality, with its region."""

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
class CsvProvider(CsvRow):
    """A shelter organisation; `provider` is its slug, which the other files use."""

    provider: Slug
    name: Name
    phone: Phone
    regions: MunicipalityCodes


@dataclass(frozen=True, slots=True)
class CsvSite(CsvRow):
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
class CsvPlace(CsvRow):
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
    """None if the file does not say: then a new place is free, and a known one stays as it is."""
    reason: Annotated[OutOfServiceReason | None, AfterValidator(_only_out_of_service)] = None


@dataclass(frozen=True, slots=True)
class CsvWeight(CsvRow):
    """The weight of a region from a date on, with its source."""

    region: MunicipalityCode
    weight: WeightNumber
    source: Name
    date: Day


# --- kinds of file -----------------------------------------------------------

RowT_co = TypeVar("RowT_co", bound=CsvRow, covariant=True)


@dataclass(frozen=True)
class FileKind(Generic[RowT_co]):
    """A kind of import file: the rows it has, and the columns that identify one."""

    name: str
    row: type[RowT_co]
    key: tuple[str, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column that the file may have."""
        return tuple(column.name for column in fields(self.row) if column.name != "line")

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The columns that the file must have, with no blank cells."""
        required = {column.name for column in fields(self.row) if column.default is MISSING}
        return tuple(column for column in self.columns if column in required)


REGIONS = FileKind("regions", CsvRegion, ("code",))
MUNICIPALITIES = FileKind("municipalities", CsvMunicipality, ("code",))
PROVIDERS = FileKind("providers", CsvProvider, ("provider",))
SITES = FileKind("sites", CsvSite, ("provider", "site"))
PLACES = FileKind("places", CsvPlace, ("provider", "site", "label"))
WEIGHTS = FileKind("weights", CsvWeight, ("region", "date"))

KINDS: Mapping[str, FileKind[CsvRow]] = {
    kind.name: kind for kind in (REGIONS, MUNICIPALITIES, PROVIDERS, SITES, PLACES, WEIGHTS)
}
"""The kinds by their names in `plek import`, in an order in which they can be imported."""
