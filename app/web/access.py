"""Who may open which page, and what the access log calls it: one line a route. Without a line: nobody."""

from collections.abc import Mapping

from app.deps import ANYONE, Look
from app.services.caller import Role

INTAKE = frozenset({Role.INTAKE_WORKER})
COORDINATOR = frozenset({Role.COORDINATOR})
PROVIDER = frozenset({Role.INTAKE_WORKER, Role.COORDINATOR})
AUDITOR = frozenset({Role.AUDITOR})
CONTROL = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
PEOPLE = frozenset(Role) - {Role.CLIENT_SYSTEM}

PAGES: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/"): ANYONE,
    ("GET", "/language/{language}"): ANYONE,
    ("GET", "/static/{version}/{name}"): ANYONE,
    ("GET", "/live"): PROVIDER,
    ("GET", "/find"): INTAKE,
    ("GET", "/find/board"): INTAKE,
    ("GET", "/find/new"): INTAKE,
    ("POST", "/find/rows"): INTAKE,
    ("POST", "/find/map"): INTAKE,
    ("POST", "/find/plan"): INTAKE,
    ("POST", "/find/new"): INTAKE,
    ("POST", "/find/{id}"): INTAKE,
    ("POST", "/find/{id}/withdrawal"): INTAKE,
    ("POST", "/find/{id}/shield"): INTAKE,
    ("GET", "/find/{id}"): INTAKE,
    ("GET", "/find/{id}/now"): INTAKE,
    ("POST", "/find/{id}/rankings"): INTAKE,
    ("POST", "/find/{id}/why"): INTAKE,
    ("POST", "/find/{id}/answers"): INTAKE,
    ("POST", "/find/{id}/holds"): INTAKE,
    ("POST", "/find/{id}/renewal"): INTAKE,
    ("POST", "/find/{id}/release"): INTAKE,
    ("POST", "/find/{id}/placement"): INTAKE,
    ("POST", "/find/{id}/no-show"): INTAKE,
    ("POST", "/find/{id}/address"): INTAKE,
    ("POST", "/find/{id}/safety-plan"): INTAKE,
    ("POST", "/find/{id}/contacts"): INTAKE,
    ("POST", "/find/{id}/alternatives"): INTAKE,
    ("POST", "/find/{id}/checks"): INTAKE,
    ("POST", "/find/{id}/endings"): INTAKE,
    ("POST", "/find/{id}/swap-searches"): INTAKE,
    ("POST", "/find/{id}/swaps"): INTAKE,
    ("POST", "/find/{id}/consents"): INTAKE,
    ("POST", "/find/{id}/refusals"): INTAKE,
    ("GET", "/country"): PEOPLE,
    ("GET", "/country/board"): PEOPLE,
    ("GET", "/country/kept"): PEOPLE,
    ("GET", "/country/nothing-kept"): ANYONE,
    ("POST", "/country/peaks"): ADMINISTRATOR,
    ("GET", "/country/peaks/{id}"): ADMINISTRATOR,
    ("GET", "/providers"): PEOPLE,
    ("GET", "/service-worker.js"): ANYONE,
}

LOOKS: Mapping[tuple[str, str], Look] = {
    ("GET", "/find"): Look("search", "referral"),
    ("GET", "/find/board"): Look("follow", "referral", granted=False),
    ("POST", "/find/plan"): Look("rank", "peak_plan"),
    ("POST", "/find/new"): Look("register", "referral"),
    ("POST", "/find/{id}"): Look("change", "referral"),
    ("POST", "/find/{id}/withdrawal"): Look("withdraw", "referral"),
    ("POST", "/find/{id}/shield"): Look("shield", "referral"),
    ("GET", "/find/{id}"): Look("read", "referral"),
    ("GET", "/find/{id}/now"): Look("follow", "referral", granted=False),
    ("POST", "/find/{id}/rankings"): Look("rank", "referral"),
    ("POST", "/find/{id}/why"): Look("read", "ranking"),
    ("POST", "/find/{id}/answers"): Look("change", "referral"),
    ("POST", "/find/{id}/holds"): Look("hold", "hold", granted=False),
    ("POST", "/find/{id}/renewal"): Look("renew", "hold"),
    ("POST", "/find/{id}/release"): Look("release", "hold"),
    ("POST", "/find/{id}/placement"): Look("confirm", "placement"),
    ("POST", "/find/{id}/no-show"): Look("no_show", "placement"),
    ("POST", "/find/{id}/address"): Look("reveal", "site", granted=False),
    ("POST", "/find/{id}/safety-plan"): Look("change", "referral"),
    ("POST", "/find/{id}/contacts"): Look("note", "contact_log"),
    ("POST", "/find/{id}/alternatives"): Look("arrange", "alternative"),
    ("POST", "/find/{id}/checks"): Look("check", "alternative"),
    ("POST", "/find/{id}/endings"): Look("end", "alternative"),
    ("POST", "/find/{id}/swap-searches"): Look("search_swaps", "referral"),
    ("POST", "/find/{id}/swaps"): Look("propose", "swap"),
    ("POST", "/find/{id}/consents"): Look("consent", "swap"),
    ("POST", "/find/{id}/refusals"): Look("refuse", "swap"),
    ("POST", "/country/peaks"): Look("rank", "peak_plan"),
    ("GET", "/country/peaks/{id}"): Look("read", "peak_plan"),
}
"""Pages that show something of anybody; each look at them is logged, and so is each refusal."""
