"""How often a race is run and how many cases a search tries.

Few with every change, many by `make soak`.
"""

import os


def rounds(few: int, *, soak: int) -> int:
    """Return how many rounds a race, or cases a search, has in this run."""
    return soak if os.environ.get("PLEK_SOAK") else few
