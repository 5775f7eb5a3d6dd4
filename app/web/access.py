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
    ("GET", "/country"): PEOPLE,
    ("GET", "/country/board"): PEOPLE,
    ("GET", "/country/kept"): PEOPLE,
    ("GET", "/country/nothing-kept"): ANYONE,
    ("POST", "/country/peaks"): ADMINISTRATOR,
    ("GET", "/country/peaks/{id}"): ADMINISTRATOR,
    ("GET", "/providers"): PEOPLE,
    ("GET", "/service-worker.js"): ANYONE,
    ("GET", "/sign-in"): ANYONE,
    ("POST", "/sign-in"): ANYONE,
    ("POST", "/demo-sign-in"): ANYONE,
    ("GET", "/invitation"): ANYONE,
    ("POST", "/invitation"): ANYONE,
    ("POST", "/invitation/acceptance"): ANYONE,
    ("GET", "/session"): PEOPLE,
    ("GET", "/session/state"): PEOPLE,
    ("POST", "/session/seen"): PEOPLE,
    ("POST", "/session/end"): PEOPLE,
    ("POST", "/session/end-all"): PEOPLE,
    ("POST", "/sign-out"): PEOPLE,
    ("GET", "/accounts"): ADMINISTRATOR,
    ("POST", "/accounts"): ADMINISTRATOR,
    ("GET", "/accounts/new"): ADMINISTRATOR,
    ("GET", "/accounts/{id}"): ADMINISTRATOR,
    ("POST", "/accounts/{id}"): ADMINISTRATOR,
    ("POST", "/accounts/{id}/disabling"): ADMINISTRATOR,
    ("POST", "/accounts/{id}/enabling"): ADMINISTRATOR,
    ("POST", "/accounts/{id}/reset"): ADMINISTRATOR,
    ("GET", "/provider-list"): ADMINISTRATOR,
    ("GET", "/weights"): ADMINISTRATOR,
    ("GET", "/policies"): ADMINISTRATOR,
    ("POST", "/policies"): ADMINISTRATOR,
    ("GET", "/policies/differences"): ADMINISTRATOR,
    ("GET", "/policies/{id}"): ADMINISTRATOR,
    ("GET", "/access-reviews"): ADMINISTRATOR,
}

LOOKS: Mapping[tuple[str, str], Look] = {
    ("POST", "/country/peaks"): Look("rank", "peak_plan"),
    ("GET", "/country/peaks/{id}"): Look("read", "peak_plan"),
    ("GET", "/accounts"): Look("search", "account"),
    ("GET", "/accounts/{id}"): Look("read", "account"),
    ("POST", "/accounts"): Look("invite", "account", granted=False),
    ("POST", "/accounts/{id}"): Look("change", "account", granted=False),
    ("POST", "/accounts/{id}/disabling"): Look("disable", "account", granted=False),
    ("POST", "/accounts/{id}/enabling"): Look("enable", "account", granted=False),
    ("POST", "/accounts/{id}/reset"): Look("reset", "account", granted=False),
    ("POST", "/policies"): Look("publish", "policy", granted=False),
    ("GET", "/access-reviews"): Look("search", "access_log"),
}
"""Pages that show something of anybody; each look at them is logged, and so is each refusal."""
