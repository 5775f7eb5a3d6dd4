"""How often a race is run: a few times with every change, many times by `make soak`."""

import os


def rounds(few: int, *, soak: int) -> int:
    """Return how many rounds a race has in this run."""
    return soak if os.environ.get("PLEK_SOAK") else few
