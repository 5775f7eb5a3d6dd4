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
    ("GET", "/places"): COORDINATOR,
    ("GET", "/places/incoming"): COORDINATOR,
    ("GET", "/places/sites"): COORDINATOR,
    ("GET", "/places/moves"): COORDINATOR,
    ("GET", "/places/swaps"): COORDINATOR,
    ("GET", "/places/others"): COORDINATOR,
    ("POST", "/places/holds/{id}/acceptance"): COORDINATOR,
    ("POST", "/places/holds/{id}/decline"): COORDINATOR,
    ("GET", "/places/place/{id}"): COORDINATOR,
    ("POST", "/places/place/{id}"): COORDINATOR,
    ("POST", "/places/place/{id}/free"): COORDINATOR,
    ("POST", "/places/place/{id}/occupied"): COORDINATOR,
    ("POST", "/places/place/{id}/out-of-service"): COORDINATOR,
    ("POST", "/places/place/{id}/undo"): COORDINATOR,
    ("GET", "/places/site"): COORDINATOR,
    ("POST", "/places/site"): COORDINATOR,
    ("GET", "/places/site/{id}"): COORDINATOR,
    ("POST", "/places/site/{id}"): COORDINATOR,
    ("POST", "/places/site/{id}/confirmation"): COORDINATOR,
    ("POST", "/places/site/{id}/admission"): COORDINATOR,
    ("POST", "/places/site/{id}/alarm"): COORDINATOR,
    ("POST", "/places/site/{id}/address"): COORDINATOR,
    ("GET", "/places/site/{id}/place"): COORDINATOR,
    ("POST", "/places/site/{id}/place"): COORDINATOR,
    ("GET", "/places/stay/{id}"): COORDINATOR,
    ("POST", "/places/stay/{id}"): COORDINATOR,
    ("POST", "/places/stay/{id}/arrival"): COORDINATOR,
    ("POST", "/places/stay/{id}/no-show"): COORDINATOR,
    ("POST", "/places/stay/{id}/departure"): COORDINATOR,
    ("POST", "/places/stay/{id}/agreement"): COORDINATOR,
    ("POST", "/places/swaps/{id}/consent"): COORDINATOR,
    ("POST", "/places/swaps/{id}/refusal"): COORDINATOR,
    ("POST", "/places/alternatives/{id}/check"): COORDINATOR,
    ("POST", "/places/alternatives/{id}/ending"): COORDINATOR,
    ("GET", "/places/capacity"): COORDINATOR,
    ("POST", "/places/capacity"): COORDINATOR,
    ("GET", "/places/import"): COORDINATOR,
    ("POST", "/places/import"): COORDINATOR,
}

LOOKS: Mapping[tuple[str, str], Look] = {
    ("GET", "/places"): Look("search", "hold"),
    ("GET", "/places/incoming"): Look("search", "hold"),
    ("GET", "/places/sites"): Look("search", "place", granted=False),
    ("GET", "/places/moves"): Look("search", "placement"),
    ("GET", "/places/swaps"): Look("search", "swap"),
    ("GET", "/places/others"): Look("search", "alternative"),
    ("POST", "/places/holds/{id}/acceptance"): Look("accept", "hold"),
    ("POST", "/places/holds/{id}/decline"): Look("decline", "hold"),
    ("GET", "/places/place/{id}"): Look("read", "place", granted=False),
    ("POST", "/places/place/{id}"): Look("change", "place", granted=False),
    ("POST", "/places/place/{id}/free"): Look("change", "place", granted=False),
    ("POST", "/places/place/{id}/occupied"): Look("change", "place", granted=False),
    ("POST", "/places/place/{id}/out-of-service"): Look("change", "place", granted=False),
    ("POST", "/places/place/{id}/undo"): Look("change", "place", granted=False),
    ("POST", "/places/site"): Look("register", "site"),
    ("GET", "/places/site/{id}"): Look("read", "site"),
    ("POST", "/places/site/{id}"): Look("change", "site"),
    ("POST", "/places/site/{id}/confirmation"): Look("confirm", "site", granted=False),
    ("POST", "/places/site/{id}/admission"): Look("change", "site"),
    ("POST", "/places/site/{id}/alarm"): Look("change", "site"),
    ("POST", "/places/site/{id}/address"): Look("reveal", "site", granted=False),
    ("GET", "/places/site/{id}/place"): Look("read", "site", granted=False),
    ("POST", "/places/site/{id}/place"): Look("register", "place", granted=False),
    ("GET", "/places/stay/{id}"): Look("read", "placement"),
    ("POST", "/places/stay/{id}"): Look("change", "placement"),
    ("POST", "/places/stay/{id}/arrival"): Look("arrive", "placement"),
    ("POST", "/places/stay/{id}/no-show"): Look("no_show", "placement"),
    ("POST", "/places/stay/{id}/departure"): Look("depart", "placement"),
    ("POST", "/places/stay/{id}/agreement"): Look("agree", "move_agreement"),
    ("POST", "/places/swaps/{id}/consent"): Look("consent", "swap"),
    ("POST", "/places/swaps/{id}/refusal"): Look("refuse", "swap"),
    ("POST", "/places/alternatives/{id}/check"): Look("check", "alternative"),
    ("POST", "/places/alternatives/{id}/ending"): Look("end", "alternative"),
    ("POST", "/places/capacity"): Look("change", "capacity", granted=False),
    ("POST", "/places/import"): Look("register", "site"),
}
"""Pages that show something of anybody; each look at them is logged, and so is each refusal."""
