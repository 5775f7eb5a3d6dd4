"""Names of municipalities and languages that people type, and the codes that they mean."""

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
"""A suffix in brackets, which tells a name from another that is the same."""


@dataclass(frozen=True, slots=True)
class Names:
    """The code for each name that can be typed, folded, and the name of each code."""

    municipalities: Mapping[str, str]
    municipality_names: Mapping[str, str]
    languages: Mapping[str, str]
    language_names: Mapping[str, str]
    also: tuple[str, ...] = ()
    """Further names of some municipalities."""

    def municipality(self, typed: str) -> str:
        """Return the code of a municipality; a name of none or of several comes back as typed."""
        return self.municipalities.get(fold(typed), typed.strip())

    def language(self, typed: str) -> str:
        """Return the code of a language; a name of none comes back as typed, in lower case."""
        return self.languages.get(fold(typed), typed.strip().lower())

    def town(self, code: str) -> str:
        """Return a municipality's name; what is no code comes back as it is."""
        return self.municipality_names.get(code, code)

    def tongue(self, code: str) -> str:
        """Return a language's name; what is no code comes back as it is."""
        return self.language_names.get(code, code)


def fold(text: str) -> str:
    """Return text without accents, capitals and signs, which people in a hurry leave out."""
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)
    )
    return NOT_A_LETTER.sub(" ", plain.casefold()).strip()


def names(municipalities: Mapping[str, KnownMunicipality], language: str) -> Names:
    """Return the names of current municipalities, and of languages in the reader's language."""
    known = tuple((one.code, one.name) for one in municipalities.values())
    return _build_names(known, language)


@lru_cache(maxsize=8)
def _build_names(known: tuple[tuple[str, str], ...], language: str) -> Names:
    also = {
        code: called for code, called in load().country.also_called.items() if code in dict(known)
    }
    means: dict[str, set[str]] = {}
    for typed, code in _spellings(known, also):
        means.setdefault(fold(typed), set()).add(code)
    every = cast(
        "Mapping[str, str]", Locale.parse(language).languages
    )  # babel's data have no types
    tongues = {code: name for code, name in every.items() if LANGUAGE_CODE.fullmatch(code)}
    return Names(
        municipalities={
            typed: next(iter(codes)) for typed, codes in means.items() if len(codes) == 1
        },
        municipality_names=dict(known),
        languages={fold(name): code for code, name in tongues.items()}
        | {code: code for code in tongues},
        language_names=tongues,
        also=tuple(name for called in also.values() for name in called),
    )


def _spellings(
    known: tuple[tuple[str, str], ...], also: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    exact = {fold(name) for _, name in known}
    for code, name in known:
        yield code, code
        yield name, code
        short = BEHIND.sub("", name)
        if fold(short) not in exact:
            yield short, code
    for code, called in also.items():
        for name in called:
            yield name, code
