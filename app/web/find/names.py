"""Names that people type, and the codes that they mean.

Municipalities and languages.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from babel import Locale

from app.database.reference import KnownMunicipality
from app.reference import load

LANGUAGE_CODE = re.compile(r"[a-z]{2,3}")
NOT_A_LETTER = re.compile(r"[\W_]+")
BEHIND = re.compile(r"\s*\([^)]*\)\s*$")
"""What stands behind a name to tell it from another of the same name."""


@dataclass(frozen=True, slots=True)
class Names:
    """What can be typed, folded, with the code that it means.

    And each code's own name.
    """

    municipalities: Mapping[str, str]
    municipality_names: Mapping[str, str]
    languages: Mapping[str, str]
    language_names: Mapping[str, str]
    also: tuple[str, ...] = ()
    """What some municipalities are called besides."""

    def municipality(self, typed: str) -> str:
        """Return the code that was meant.

        What names none, or more than one, comes back as it was typed.
        """
        return self.municipalities.get(folded(typed), typed.strip())

    def language(self, typed: str) -> str:
        """Likewise for a language."""
        return self.languages.get(folded(typed), typed.strip().lower())

    def town(self, code: str) -> str:
        """Return a municipality's name, or what was typed where it is none."""
        return self.municipality_names.get(code, code)

    def tongue(self, code: str) -> str:
        """Return a language's name, or what was typed where it is none."""
        return self.language_names.get(code, code)


def folded(text: str) -> str:
    """Return text without what people leave out when they type in a hurry.

    Accents, capitals, signs.
    """
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)
    )
    return NOT_A_LETTER.sub(" ", plain.casefold()).strip()


def names(municipalities: Mapping[str, KnownMunicipality], language: str) -> Names:
    """Return the names of current municipalities, and of languages in the reader's own."""
    known = tuple((one.code, one.name) for one in municipalities.values())
    return _names(known, language)


@lru_cache(maxsize=8)
def _names(known: tuple[tuple[str, str], ...], language: str) -> Names:
    also = {
        code: called for code, called in load().country.also_called.items() if code in dict(known)
    }
    means: dict[str, set[str]] = {}
    for typed, code in _typed(known, also):
        means.setdefault(folded(typed), set()).add(code)
    every = cast(
        "Mapping[str, str]", Locale.parse(language).languages
    )  # babel's data have no types
    tongues = {code: name for code, name in every.items() if LANGUAGE_CODE.fullmatch(code)}
    return Names(
        municipalities={
            typed: next(iter(codes)) for typed, codes in means.items() if len(codes) == 1
        },
        municipality_names=dict(known),
        languages={folded(name): code for code, name in tongues.items()}
        | {code: code for code in tongues},
        language_names=tongues,
        also=tuple(name for called in also.values() for name in called),
    )


def _typed(
    known: tuple[tuple[str, str], ...], also: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    exact = {folded(name) for _, name in known}
    for code, name in known:
        yield code, code
        yield name, code
        short = BEHIND.sub("", name)
        if folded(short) not in exact:
            yield short, code
    for code, called in also.items():
        for name in called:
            yield name, code
