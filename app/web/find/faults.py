"""The faults of a referral's form: for each field, the words that say what to do about it."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from app.errors import Fault
from app.words import N_

FIELDS: Mapping[str, str] = {
    "urgency": "urgency",
    "reason": "reason",
    "originMunicipality": "origin",
    "dangerAssessment": "danger",
    "dangerZones": "zones",
    "perpetratorWhereabouts": "whereabouts",
    "threatLevel": "threat",
    "targetGroups": "groups",
    "needs": "needs",
    "languages": "languages",
    "nearMunicipality": "near",
    "barredProviders": "barred",
    "safetyPlan": "safety_plan",
    "callBack": "call_back",
}
"""The field of the form that asks for a fact, by the API's name of the fact."""

ROWS: Mapping[str, str] = {"adults": "adult", "children": "child", "dangerZones": "zone"}
IN_ROWS: Mapping[str, str] = {"radiusKm": "radius"}

WORDS: Mapping[str, str] = {
    "urgency": N_("Choose how urgent it is."),
    "reason": N_("Choose the reason."),
    "origin": N_(
        "Choose the municipality that they come from: type its name, and take it from the list."
    ),
    "adults": N_("At least one adult, and at most ten."),
    "adult-gender": N_("Choose woman, man or other."),
    "adult-age": N_(
        "An adult's age is a number from 12 to 120. Leave it empty where nobody knows."
    ),
    "children": N_("At most twenty children."),
    "child-age": N_("A child's age is a number from 0 to 25. Leave it empty where nobody knows."),
    "child-gender": N_("Choose girl, boy or not known."),
    "pets": N_("How many animals: a number from 0 to 20."),
    "danger": N_("Choose whether somebody asked where it is unsafe."),
    "zones": N_("Name at least one unsafe area, each only once; or say that none is known."),
    "zone-municipality": N_(
        "Choose the unsafe municipality: type its name, and take it from the list."
    ),
    "zone-radius": N_("Choose how far away is safe."),
    "zone-cause": N_("Choose why it is unsafe there."),
    "zone-until": N_(
        "The day until which it is unsafe there, today or later. Leave it empty where nobody knows."
    ),
    "whereabouts": N_("Choose what is known of the perpetrator."),
    "threat": N_("Choose the level of threat."),
    "groups": N_("Choose each at most once."),
    "needs": N_("Choose each at most once."),
    "languages": N_("Choose languages from the list, at most twenty."),
    "near": N_(
        "Choose the municipality that they want to be near: type its name, and take it from the "
        "list."
    ),
    "barred": N_("Choose providers from the list."),
    "call_back": N_("A telephone number: digits, spaces and + ( ) . - only."),
    "form": N_("Something in the form cannot be read."),
}
"""The words that say what to do about a fault, by field."""


def faults_of(refused: ValidationError) -> dict[str, str]:
    """Return the words for each field that the API refuses, in the form's order."""
    return {
        field: WORDS[_kind(field)] for field in (_field(error["loc"]) for error in refused.errors())
    }


def faults_at(faults: Sequence[Fault]) -> dict[str, str]:
    """Return the words for each field that an act refuses, as `faults_of` does."""
    fields = (_field([_step(name) for name in fault.pointer.split("/")[1:]]) for fault in faults)
    return {field: WORDS[_kind(field)] for field in fields}


def _step(name: str) -> int | str:
    return int(name) if name.isdecimal() else name


def _field(where: Sequence[int | str]) -> str:
    match [*where]:
        case ["household", "adults" | "children" as rows, int(row), str(name), *_]:
            return f"{ROWS[rows]}-{row}-{name}"
        case ["dangerZones", int(row), str(name), *_]:
            return f"zone-{row}-{IN_ROWS.get(name, name)}"
        case ["household", "adults" | "children" | "pets" as name, *_]:
            return name
        case [str(name), *_]:
            return FIELDS.get(name, "form")
        case _:
            return "form"


def _kind(field: str) -> str:
    """Return a field's name without the number of its row."""
    what, _, rest = field.partition("-")
    kind = f"{what}-{rest.partition('-')[2]}" if rest else field
    return kind if kind in WORDS else "form"
