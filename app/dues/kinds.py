"""The kinds of dues: whose work each is, and when it rings again."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from app.allocation.policy.policy import Policy
from app.database.caller import ADMINISTRATORS, COORDINATORS, INTAKE_WORKERS, STAFF, Role


@dataclass(frozen=True, slots=True)
class DueKind:
    """A row of the table of kinds.

    `migrations/sql/dues.sql` says when it is due and for which organisation, and the list `dues` of
    the codes has its words.
    """

    roles: frozenset[Role]
    """Whose work it is in that organisation."""
    again_hours: Callable[[Policy], int] | None = None
    """After how many hours it rings again while nobody has done it; none: it rings once."""


def _daily(_: Policy) -> int:
    return 24


def _as_missed(policy: Policy) -> int:
    return policy.arrival_alarm_again_hours


KINDS: Mapping[str, DueKind] = {
    "hold_to_answer": DueKind(STAFF),
    "expected_arrival": DueKind(STAFF, _as_missed),
    "no_show_unchecked": DueKind(STAFF, _as_missed),
    "swap_consent": DueKind(STAFF),
    "alternative_check": DueKind(STAFF, _daily),
    "alternative_nights": DueKind(STAFF, _daily),
    "safety_plan": DueKind(INTAKE_WORKERS),
    "contact": DueKind(INTAKE_WORKERS),
    "planned_return": DueKind(STAFF),
    "site_to_confirm": DueKind(COORDINATORS),
    "site_to_approve": DueKind(COORDINATORS | ADMINISTRATORS, _daily),
}
"""By the code of the kind, as `DUE_KINDS` of the model has them."""


def kinds_of(roles: Collection[str]) -> list[str]:
    """Return the kinds that are the work of an account with these roles."""
    return [code for code, kind in KINDS.items() if not kind.roles.isdisjoint(roles)]
