"""The words of the pages, by language: English as it stands in templates and code, others from a catalogue a page."""

from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = "en"
"""The language in which templates and code are written."""


def catalogues(language: str) -> Iterator[tuple[str, Catalog]]:
    """Return the catalogues of a language, one for each part of the pages, by name."""
    folder = files(__name__) / language
    if language == SOURCE or not folder.is_dir():
        return
    for file in sorted(folder.iterdir(), key=lambda found: found.name):
        if file.name.endswith(".po"):
            with file.open("rb") as content:
                yield file.name.removesuffix(".po"), read_po(content, locale=language)


@cache
def translations(language: str) -> NullTranslations:
    """Return what translates into a language; the source language needs nothing."""
    whole = Catalog(locale=language)
    for _, catalogue in catalogues(language):
        for message in catalogue:
            if message.id:
                whole.add(message.id, message.string, context=message.context)
    if not len(whole):
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)
