"""Where somebody may go: the entries of the menu, by role."""

from collections.abc import Collection
from dataclasses import dataclass

from app.database.caller import (
    ADMINISTRATORS,
    COORDINATORS,
    INTAKE_WORKERS,
    OVERSIGHT,
    PEOPLE,
    Caller,
    Role,
)
from app.words import N_


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry: its words, its page, and for whom it is."""

    title: str
    path: str
    roles: frozenset[Role]


SESSIONS = "/session"
"""Where those begin for whom the menu has nothing."""

ENTRIES: tuple[MenuEntry, ...] = (
    MenuEntry(N_("Find a place"), "/find", INTAKE_WORKERS),
    MenuEntry(N_("My places"), "/places", COORDINATORS),
    MenuEntry(N_("Accounts"), "/accounts", ADMINISTRATORS),
    MenuEntry(N_("Providers"), "/provider-list", ADMINISTRATORS),
    MenuEntry(N_("Policies"), "/policies", ADMINISTRATORS),
    MenuEntry(N_("Weights"), "/weights", ADMINISTRATORS),
    MenuEntry(N_("Access review"), "/access-reviews", ADMINISTRATORS),
    MenuEntry(N_("Our share"), "/share", OVERSIGHT),
    MenuEntry(N_("The country"), "/country", PEOPLE),
    MenuEntry(N_("Telephone numbers"), "/providers", PEOPLE),
)
"""In the order in which they are shown."""


def home_of(roles: Collection[str]) -> str:
    """Return where somebody with these roles begins.

    At the first page of the menu that is for them.
    """
    return next((entry.path for entry in ENTRIES if not entry.roles.isdisjoint(roles)), SESSIONS)


def menu_for(caller: Caller | None) -> tuple[MenuEntry, ...]:
    """Return the entries for somebody; nobody has none."""
    if caller is None:
        return ()
    return tuple(entry for entry in ENTRIES if caller.has(*entry.roles))
