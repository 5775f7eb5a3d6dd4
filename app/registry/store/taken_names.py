"""What is said where the database finds that a name of a site, or a label, is taken.

It stands alone because every door asks it: pages, calls and files.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import asyncpg

from app.errors import Conflict
from app.words import N_

TAKEN: Mapping[str, tuple[str, str]] = {
    "place_secrets_label_hash_key": (
        "label_taken",
        N_("Another place at this site has this label already."),
    ),
    "site_secrets_name_hash_key": (
        "name_taken",
        N_("Another site of yours has this name already."),
    ),
}
"""The code and the sentence of the refusal for each unique index."""


@contextmanager
def refuse_taken_names() -> Generator[None]:
    """Say in the domain's words that a name or a label is taken: its index alone decides that."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        found: Any = error
        if found.constraint_name not in TAKEN:
            raise
        code, text = TAKEN[found.constraint_name]
        raise Conflict(code, text) from error
