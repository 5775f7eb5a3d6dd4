"""Who may call what: one line a route, as the wire contract has it. A route that is not here is open to nobody."""

from collections.abc import Mapping

from app.deps import ANYONE
from app.services.caller import Role

INTAKE = frozenset({Role.INTAKE_WORKER})
COORDINATOR = frozenset({Role.COORDINATOR})
PROVIDER = frozenset({Role.INTAKE_WORKER, Role.COORDINATOR})
REGISTER = frozenset({Role.COORDINATOR, Role.CLIENT_SYSTEM})
READERS = frozenset({Role.INTAKE_WORKER, Role.COORDINATOR, Role.CLIENT_SYSTEM})
CONTROL = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
PEOPLE = frozenset(Role) - {Role.CLIENT_SYSTEM}
ANY = frozenset(Role)

ACCESS: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/openapi.json"): ANYONE,
    ("GET", "/regions"): ANY,
    ("GET", "/municipalities"): ANY,
    ("GET", "/providers"): ANY,
    ("GET", "/availability"): PEOPLE,
    ("POST", "/sites"): COORDINATOR,
    ("GET", "/sites"): COORDINATOR,
    ("GET", "/sites/{id}"): COORDINATOR,
    ("PATCH", "/sites/{id}"): COORDINATOR,
    ("POST", "/sites/{id}/confirmations"): REGISTER,
    ("POST", "/sites/{id}/address-reveals"): PROVIDER,
    ("POST", "/places"): REGISTER,
    ("GET", "/places"): REGISTER,
    ("GET", "/places/{id}"): REGISTER,
    ("PATCH", "/places/{id}"): REGISTER,
    ("POST", "/referrals"): INTAKE,
    ("GET", "/referrals"): INTAKE,
    ("GET", "/referrals/{id}"): INTAKE,
    ("PATCH", "/referrals/{id}"): INTAKE,
    ("POST", "/referrals/{id}/withdrawal"): INTAKE,
    ("POST", "/referrals/{id}/rankings"): INTAKE,
    ("GET", "/rankings/{id}"): INTAKE,
    ("POST", "/rankings/{id}/replays"): frozenset({Role.INTAKE_WORKER, Role.AUDITOR}),
    ("POST", "/holds"): INTAKE,
    ("GET", "/holds"): PROVIDER,
    ("GET", "/holds/{id}"): PROVIDER,
    ("DELETE", "/holds/{id}"): INTAKE,
    ("POST", "/holds/{id}/release"): INTAKE,
    ("POST", "/holds/{id}/renewals"): INTAKE,
    ("POST", "/holds/{id}/acceptance"): PROVIDER,
    ("POST", "/holds/{id}/decline"): PROVIDER,
    ("POST", "/placements"): INTAKE,
    ("GET", "/placements"): READERS,
    ("GET", "/placements/{id}"): READERS,
    ("PATCH", "/placements/{id}"): PROVIDER,
    ("POST", "/placements/{id}/arrival"): PROVIDER,
    ("POST", "/placements/{id}/no-show"): PROVIDER,
    ("POST", "/placements/{id}/departure"): PROVIDER,
    ("GET", "/ledger/entries"): CONTROL,
    ("GET", "/events"): PROVIDER,
}
