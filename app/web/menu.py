"""Where somebody may go: the entries of the menu, by role."""

from dataclasses import dataclass

from app.services.caller import Caller, Role
from app.web.access import CONTROL, PEOPLE


def N_(text: str) -> str:  # noqa: N802 - the name by which tools for catalogues find what is translated later
    """Mark a sentence that is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its words, its page, and for whom it is."""

    title: str
    path: str
    roles: frozenset[Role]


ENTRIES: tuple[Entry, ...] = (
    Entry(N_("The country"), "/country", PEOPLE),
    Entry(N_("Our share"), "/share", CONTROL),
    Entry(N_("Telephone numbers"), "/providers", PEOPLE),
)
"""In the order in which they are shown."""


def menu_for(caller: Caller | None) -> tuple[Entry, ...]:
    """Return the entries for somebody; nobody has none."""
    if caller is None:
        return ()
    return tuple(entry for entry in ENTRIES if caller.has(*entry.roles))
