"""The gettext catalogue of each language, compiled from its .po files beside this module."""

from collections.abc import Iterator, Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.words import Plural

SOURCE = "en"
"""The language of the code; its catalogue rewords what is worded for programs and terminals."""


def catalogues(language: str) -> Iterator[tuple[str, Catalog]]:
    """Yield the .po files of a language, each with its name."""
    folder = files("app.words") / language
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir(), key=lambda found: found.name):
        if file.name.endswith(".po"):
            with file.open("rb") as content:
                yield file.name.removesuffix(".po"), read_po(content, locale=language)


@cache
def translations(language: str) -> NullTranslations:
    """Return what translates into a language, compiled from all of its files."""
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


def render(text: str | Plural, values: Mapping[str, object], *, language: str) -> str:
    """Return a text in a language with its values filled in, singular or plural by its count."""
    spoken = translations(language)
    if isinstance(text, Plural):
        count = values[text.by]
        assert isinstance(count, int)  # noqa: S101 - what is counted is a whole number
        return spoken.ngettext(text.one, text.many, count) % values
    return spoken.gettext(text) % values
