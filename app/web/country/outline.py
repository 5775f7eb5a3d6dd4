"""The country's outline, as set-up built it from public map data."""

import json
from collections.abc import Sequence
from functools import cache

from app.errors import OperatorError
from app.web.assets import HERE

Ring = Sequence[Sequence[float]]
"""Points of [longitude, latitude], in degrees; the last joins the first."""


@cache
def outline_of(jurisdiction: str) -> Sequence[Ring]:
    """Return the rings of a country: its mainland, its islands, and holes in them."""
    file = HERE / "built" / f"outline-{jurisdiction}.json"
    if not file.exists():
        message = "The country's outline is missing: run `make setup`, which builds it."
        raise OperatorError(message)
    rings: Sequence[Ring] = json.loads(file.read_text(encoding="utf-8"))
    return rings
