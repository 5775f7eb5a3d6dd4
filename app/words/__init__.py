"""All texts for people: English in the code, other languages in catalogues."""

from typing import NamedTuple

__all__ = ["N_", "Plural"]


def N_(text: str) -> str:  # noqa: N802 - the name by which gettext's tools know it
    """Mark a sentence that is translated where it is shown."""
    return text


class Plural(NamedTuple):
    """A sentence in singular and plural, to be translated; `by` names the counted value."""

    one: str
    many: str
    by: str
