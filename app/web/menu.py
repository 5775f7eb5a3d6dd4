"""The menu: its entries, and the roles that see each."""

from collections.abc import Collection
from dataclasses import dataclass

from app.database.caller import (
    ADMINISTRATORS,
    COORDINATORS,
    INTAKE_WORKERS,
    OVERSIGHT,
    PEOPLE,
    STAFF,
    Caller,
    Role,
)
from app.words import N_


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of the menu: its words, its page, and its roles."""

    title: str
    path: str
    roles: frozenset[Role]


FALLBACK = "/session"
"""The first page of a person for whom the menu has no entry."""

ENTRIES: tuple[MenuEntry, ...] = (
    MenuEntry(N_("Find a place"), "/find", INTAKE_WORKERS),
    MenuEntry(N_("My places"), "/places", COORDINATORS),
    MenuEntry(N_("Accounts"), "/accounts", ADMINISTRATORS | COORDINATORS),
    MenuEntry(N_("Approvals"), "/approvals", ADMINISTRATORS),
    MenuEntry(N_("Providers"), "/provider-list", ADMINISTRATORS),
    MenuEntry(N_("Policies"), "/policies", ADMINISTRATORS),
    MenuEntry(N_("Weights"), "/weights", ADMINISTRATORS),
    MenuEntry(N_("Records"), "/records", ADMINISTRATORS),
    MenuEntry(N_("Access review"), "/access-reviews", COORDINATORS | ADMINISTRATORS),
    MenuEntry(N_("Budgets"), "/budgets", STAFF | ADMINISTRATORS),
    MenuEntry(N_("Colleagues"), "/colleagues", STAFF),
    MenuEntry(N_("Our share"), "/share", OVERSIGHT),
    MenuEntry(N_("The country"), "/country", PEOPLE),
    MenuEntry(N_("Telephone numbers"), "/providers", PEOPLE),
)
"""The entries in the order of the menu."""


def home_of(roles: Collection[str]) -> str:
    """Return the first page of a person with these roles: their first entry of the menu."""
    return next((entry.path for entry in ENTRIES if not entry.roles.isdisjoint(roles)), FALLBACK)


def menu_for(caller: Caller | None) -> tuple[MenuEntry, ...]:
    """Return the menu of a caller; without one it is empty."""
    if caller is None:
        return ()
    return tuple(entry for entry in ENTRIES if caller.has(*entry.roles))
