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
}

LOOKS: Mapping[tuple[str, str], Look] = {}
"""Pages that show something of anybody; each look at them is logged, and so is each refusal."""
