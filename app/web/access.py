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
    ("GET", "/share"): CONTROL,
    ("GET", "/share/settlement"): AUDITOR,
    ("GET", "/share/ledger"): CONTROL,
    ("GET", "/share/ledger/proof"): CONTROL,
    ("GET", "/share/ledger/checkpoint"): CONTROL,
    ("GET", "/share/ledger/export"): CONTROL,
    ("GET", "/share/caps"): CONTROL,
    ("POST", "/share/caps"): AUDITOR,
    ("POST", "/share/caps/confirmation"): AUDITOR,
    ("POST", "/share/caps/{id}/withdrawal"): AUDITOR,
    ("GET", "/share/decisions"): AUDITOR,
    ("GET", "/share/decisions/report"): AUDITOR,
    ("GET", "/share/decisions/{id}"): AUDITOR,
    ("GET", "/share/figures"): CONTROL,
    ("GET", "/share/figures/download"): CONTROL,
}

LOOKS: Mapping[tuple[str, str], Look] = {
    ("POST", "/country/peaks"): Look("rank", "peak_plan"),
    ("GET", "/country/peaks/{id}"): Look("read", "peak_plan"),
    ("GET", "/share/settlement"): Look("export", "settlement"),
    ("GET", "/share/ledger"): Look("search", "ledger"),
    ("GET", "/share/ledger/export"): Look("export", "ledger"),
    ("POST", "/share/caps"): Look("register", "cap"),
    ("POST", "/share/caps/{id}/withdrawal"): Look("withdraw", "cap"),
    ("GET", "/share/decisions"): Look("search", "decision"),
    ("GET", "/share/decisions/report"): Look("replay", "ranking"),
    ("GET", "/share/decisions/{id}"): Look("read", "decision"),
}
"""Pages that show something of anybody; each look at them is logged, and so is each refusal."""
