"""How long the database may take to answer, by what asks."""

import math
from dataclasses import dataclass

from app.config import Settings

WORK_STATEMENTS = 10
"""How many times as long as one statement a whole piece of work beside the requests may take."""
COMMAND_S = 3600.0
"""How long one statement of a command may take: an import, a migration's lock, an export."""
SOONER = 0.9
"""The server gives up this much sooner than Plek, and then says so itself."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds after which the database counts as lost, and its connection is thrown away."""

    wait_s: float
    """For a connection."""
    statement_s: float
    """For one statement."""
    whole_s: float
    """From asking for a connection to the commit."""

    @property
    def on_server(self) -> dict[str, str]:
        """The same bounds as PostgreSQL's settings, for servers that are 17 or newer."""
        statement = _milliseconds(self.statement_s)
        whole = _milliseconds(self.whole_s)
        return {
            "statement_timeout": statement,
            "idle_in_transaction_session_timeout": whole,
            "transaction_timeout": whole,
        }


def for_requests(settings: Settings) -> Bounds:
    """Return the bounds of a request: it is answered, if only with 503."""
    return Bounds(settings.answer_s, settings.statement_s, settings.answer_s)


def for_work(settings: Settings) -> Bounds:
    """Return the bounds of work that recurs, and may take longer."""
    return Bounds(settings.answer_s, settings.work_s, settings.work_s * WORK_STATEMENTS)


def for_commands(settings: Settings) -> Bounds:
    """Return the bounds of a command at a terminal, which a person can end."""
    return Bounds(settings.answer_s, COMMAND_S, math.inf)


def _milliseconds(seconds: float) -> str:
    return "0" if math.isinf(seconds) else str(max(1, int(seconds * SOONER * 1000)))
