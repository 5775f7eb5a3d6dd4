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
class Entry:
    """One entry: its words, its page, and for whom it is."""

    title: str
    path: str
    roles: frozenset[Role]


SESSIONS = "/session"
"""Where those begin for whom the menu has nothing."""

ENTRIES: tuple[Entry, ...] = (
    Entry(N_("Find a place"), "/find", INTAKE_WORKERS),
    Entry(N_("My places"), "/places", COORDINATORS),
    Entry(N_("Accounts"), "/accounts", ADMINISTRATORS),
    Entry(N_("Providers"), "/provider-list", ADMINISTRATORS),
    Entry(N_("Policies"), "/policies", ADMINISTRATORS),
    Entry(N_("Weights"), "/weights", ADMINISTRATORS),
    Entry(N_("Access review"), "/access-reviews", ADMINISTRATORS),
    Entry(N_("Our share"), "/share", OVERSIGHT),
    Entry(N_("The country"), "/country", PEOPLE),
    Entry(N_("Telephone numbers"), "/providers", PEOPLE),
)
"""In the order in which they are shown."""


def home_of(roles: Collection[str]) -> str:
    """Return where somebody with these roles begins.

    At the first page of the menu that is for them.
    """
    return next((entry.path for entry in ENTRIES if not entry.roles.isdisjoint(roles)), SESSIONS)


def menu_for(caller: Caller | None) -> tuple[Entry, ...]:
    """Return the entries for somebody; nobody has none."""
    if caller is None:
        return ()
    return tuple(entry for entry in ENTRIES if caller.has(*entry.roles))
