"""Ids on the wire: opaque strings. One that cannot exist is looked for like any other, and not found like any other."""

from uuid import UUID

NOTHING = UUID(int=0)
"""The id of nothing."""


def parse(text: str) -> UUID:
    """Return the id that a string is, or the id of nothing."""
    try:
        read = UUID(text)
    except ValueError:
        return NOTHING
    return read if str(read) == text else NOTHING


def parse_optional(text: str | None) -> UUID | None:
    """Return the id that a string is, the id of nothing, or None where there is no string."""
    return None if text is None else parse(text)


def text_of(id_: UUID | None) -> str | None:
    """Return an id as it is sent."""
    return None if id_ is None else str(id_)
