"""Input that must name a known code, municipality, region, radius or provider.

Checked while the body is being read, so that every fault is named at once.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from app.deps import PROVIDERS, REFERENCE
from app.reference import load


@dataclass(frozen=True, slots=True)
class Code:
    """A code of one of some lists; the description names them all."""

    lists: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check a string once it is one."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Name the codes."""
        return handler(schema) | {
            "enum": sorted({code for listed in self.lists for code in load().codes_of(listed)})
        }

    def _check(self, code: str) -> str:
        if not any(code in load().codes_of(listed) for listed in self.lists):
            message = f"is not one of the {' or '.join(self.lists).replace('_', ' ')}"
            raise ValueError(message)
        return code


def _code(*lists: str) -> Code:
    return Code(lists)


def _municipality(code: str) -> str:
    if code not in REFERENCE.get().municipalities:
        message = "is not a known municipality"
        raise ValueError(message)
    return code


def _region(code: str) -> str:
    if code not in REFERENCE.get().regions:
        message = "is not a known region"
        raise ValueError(message)
    return code


def _provider(id_: str) -> str:
    if id_ not in PROVIDERS.get():
        message = "is not a known provider"
        raise ValueError(message)
    return id_


def _radius(km: int) -> int:
    radii = REFERENCE.get().policy.radii_km
    if km not in radii:
        message = f"must be one of {', '.join(str(radius) for radius in radii)} (km)"
        raise ValueError(message)
    return km


def once_each(codes: list[str]) -> list[str]:
    """Refuse a list that names something twice; return it in order."""
    if len(set(codes)) != len(codes):
        message = "names something twice"
        raise ValueError(message)
    return sorted(codes)


Text = Annotated[str, Field(max_length=60)]
MunicipalityCode = Annotated[Text, AfterValidator(_municipality), Field(examples=["GM0518"])]
RegionCode = Annotated[str, AfterValidator(_region)]
RadiusKm = Annotated[int, AfterValidator(_radius), Field(strict=True, examples=[50])]
Feature = Annotated[Text, _code("features")]
Features = Annotated[list[Feature], AfterValidator(once_each), Field(max_length=50)]
TargetGroup = Annotated[Text, _code("target_groups")]
TargetGroups = Annotated[list[TargetGroup], AfterValidator(once_each), Field(max_length=50)]
Gender = Annotated[Text, _code("genders")]
ChildGender = Annotated[Text, _code("child_genders")]
Genders = Annotated[list[Gender], AfterValidator(once_each), Field(min_length=1, max_length=3)]
Needs = Annotated[
    list[Annotated[Text, _code("features", "extra_needs")]],
    AfterValidator(once_each),
    Field(max_length=50),
]
PlaceKind = Annotated[Text, _code("place_kinds")]
Sharing = Annotated[Text, _code("sharing")]
AddressSecrecy = Annotated[Text, _code("address_secrecy")]
Supervision = Annotated[Text, _code("supervision")]
Admission = Annotated[Text, _code("admission")]
AlarmCause = Annotated[Text, _code("alarm_causes")]
Urgency = Annotated[Text, _code("urgencies")]
ReferralReason = Annotated[Text, _code("referral_reasons")]
DangerAssessment = Annotated[Text, _code("danger_assessments")]
ZoneCause = Annotated[Text, _code("zone_causes")]
Whereabouts = Annotated[Text, _code("perpetrator_whereabouts")]
OverrideReason = Annotated[Text, _code("override_reasons")]
ReleaseReason = Annotated[Text, _code("release_reasons")]
DeclineReason = Annotated[Text, _code("decline_reasons")]
ClosingReason = Annotated[Text, _code("closing_reasons")]
CapReason = Annotated[Text, _code("cap_reasons")]
RevealPurpose = Annotated[Text, _code("reveal_purposes")]
BudgetReason = Annotated[Text, _code("budget_reasons")]
ReviewAnswer = Annotated[Text, _code("review_answers")]
DangerLookReason = Annotated[Text, _code("danger_look_reasons")]
BreakGlassReason = Annotated[Text, _code("break_glass_reasons")]
OutOfServiceReason = Annotated[Text, _code("out_of_service_reasons")]
Destination = Annotated[Text, _code("departure_destinations")]
CorrectionCode = Annotated[Text, _code("corrections")]
Blocker = Annotated[Text, _code("blockers")]
Blockers = Annotated[list[Blocker], AfterValidator(once_each), Field(max_length=50)]
ContactKind = Annotated[Text, _code("contact_kinds")]
AlternativeKind = Annotated[Text, _code("alternative_kinds")]
CheckOutcome = Annotated[Text, _code("check_outcomes")]
AlternativeEnding = Annotated[Text, _code("alternative_endings")]
ReferralStatus = Annotated[Text, _code("referral_statuses")]
HoldStatus = Annotated[Text, _code("hold_statuses")]
SwapStatus = Annotated[Text, _code("swap_statuses")]
SwapRefusal = Annotated[Text, _code("swap_refusal_reasons")]
PlacementStatus = Annotated[Text, _code("placement_statuses")]
ProviderId = Annotated[Text, AfterValidator(_provider)]
"""Of a known provider: a mistyped id would bar nobody."""
