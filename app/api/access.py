"""Who may call what, and what the access log calls it: one line a route. One that is not here is open to nobody."""

from collections.abc import Mapping

from app.deps import ANYONE, Look
from app.services.caller import Role

INTAKE = frozenset({Role.INTAKE_WORKER})
COORDINATOR = frozenset({Role.COORDINATOR})
PROVIDER = frozenset({Role.INTAKE_WORKER, Role.COORDINATOR})
REGISTER = frozenset({Role.COORDINATOR, Role.CLIENT_SYSTEM})
READERS = frozenset({Role.INTAKE_WORKER, Role.COORDINATOR, Role.CLIENT_SYSTEM})
CONTROL = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
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
    ("PUT", "/referrals/{id}/shield"): INTAKE,
    ("DELETE", "/referrals/{id}/shield"): INTAKE,
    ("GET", "/referrals/{id}/accesses"): INTAKE,
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
    ("GET", "/placements/{id}/move-agreement"): PROVIDER,
    ("PUT", "/placements/{id}/move-agreement"): PROVIDER,
    ("DELETE", "/placements/{id}/move-agreement"): PROVIDER,
    ("POST", "/swap-searches"): INTAKE,
    ("POST", "/swaps"): INTAKE,
    ("GET", "/swaps"): PROVIDER,
    ("GET", "/swaps/{id}"): PROVIDER,
    ("POST", "/swaps/{id}/consents"): PROVIDER,
    ("POST", "/swaps/{id}/refusal"): PROVIDER,
    ("GET", "/colleagues"): PROVIDER,
    ("POST", "/break-glass-looks"): PROVIDER,
    ("GET", "/access-notices"): COORDINATOR,
    ("GET", "/access-log"): ADMINISTRATOR,
    ("GET", "/access-reviews"): ADMINISTRATOR,
    ("GET", "/ledger/entries"): CONTROL,
    ("GET", "/events"): PROVIDER,
}

LOOKS: Mapping[tuple[str, str], Look] = {
    ("POST", "/sites"): Look("register", "site"),
    ("GET", "/sites"): Look("search", "site"),
    ("GET", "/sites/{id}"): Look("read", "site"),
    ("PATCH", "/sites/{id}"): Look("change", "site"),
    ("POST", "/sites/{id}/confirmations"): Look("confirm", "site", granted=False),
    ("POST", "/sites/{id}/address-reveals"): Look("reveal", "site", granted=False),
    ("POST", "/places"): Look("register", "place", granted=False),
    ("GET", "/places"): Look("search", "place", granted=False),
    ("GET", "/places/{id}"): Look("read", "place", granted=False),
    ("PATCH", "/places/{id}"): Look("change", "place", granted=False),
    ("POST", "/referrals"): Look("register", "referral"),
    ("GET", "/referrals"): Look("search", "referral"),
    ("GET", "/referrals/{id}"): Look("read", "referral"),
    ("PATCH", "/referrals/{id}"): Look("change", "referral"),
    ("POST", "/referrals/{id}/withdrawal"): Look("withdraw", "referral"),
    ("PUT", "/referrals/{id}/shield"): Look("shield", "referral"),
    ("DELETE", "/referrals/{id}/shield"): Look("unshield", "referral"),
    ("GET", "/referrals/{id}/accesses"): Look("read", "access_log"),
    ("POST", "/referrals/{id}/rankings"): Look("rank", "referral"),
    ("GET", "/rankings/{id}"): Look("read", "ranking"),
    ("POST", "/rankings/{id}/replays"): Look("replay", "ranking"),
    ("POST", "/holds"): Look("hold", "hold", granted=False),
    ("GET", "/holds"): Look("search", "hold"),
    ("GET", "/holds/{id}"): Look("read", "hold"),
    ("DELETE", "/holds/{id}"): Look("release", "hold"),
    ("POST", "/holds/{id}/release"): Look("release", "hold"),
    ("POST", "/holds/{id}/renewals"): Look("renew", "hold"),
    ("POST", "/holds/{id}/acceptance"): Look("accept", "hold"),
    ("POST", "/holds/{id}/decline"): Look("decline", "hold"),
    ("POST", "/placements"): Look("confirm", "placement"),
    ("GET", "/placements"): Look("search", "placement"),
    ("GET", "/placements/{id}"): Look("read", "placement"),
    ("PATCH", "/placements/{id}"): Look("change", "placement"),
    ("POST", "/placements/{id}/arrival"): Look("arrive", "placement"),
    ("POST", "/placements/{id}/no-show"): Look("no_show", "placement"),
    ("POST", "/placements/{id}/departure"): Look("depart", "placement"),
    ("GET", "/placements/{id}/move-agreement"): Look("read", "move_agreement"),
    ("PUT", "/placements/{id}/move-agreement"): Look("agree", "move_agreement"),
    ("DELETE", "/placements/{id}/move-agreement"): Look("withdraw", "move_agreement"),
    ("POST", "/swap-searches"): Look("search_swaps", "referral"),
    ("POST", "/swaps"): Look("propose", "swap"),
    ("GET", "/swaps"): Look("search", "swap"),
    ("GET", "/swaps/{id}"): Look("read", "swap"),
    ("POST", "/swaps/{id}/consents"): Look("consent", "swap"),
    ("POST", "/swaps/{id}/refusal"): Look("refuse", "swap"),
    ("GET", "/colleagues"): Look("search", "account", granted=False),
    ("POST", "/break-glass-looks"): Look("break_glass", "referral", granted=False),
    ("GET", "/access-notices"): Look("search", "access_log"),
    ("GET", "/access-log"): Look("search", "access_log"),
    ("GET", "/access-reviews"): Look("search", "access_log"),
    ("GET", "/ledger/entries"): Look("export", "ledger"),
    ("GET", "/events"): Look("follow", "events", granted=False),
}
"""What is not here has nothing of anybody: reference data, and counts in bands.

A hold and a reveal write their own entries, each in the very statement or transaction that the act is in. A provider's
own places are told to its own machines all day long; only refusals are logged there.
"""
