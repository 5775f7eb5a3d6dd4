import re
from collections import Counter
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message as Entry

from app.reference import load
from app.words import Plural
from app.words.catalogue import SOURCE, catalogues, render, translations
from tests.unit.words.messages import Message, messages

OTHERS = [language for language in load().country.languages if language != SOURCE]
VALUE = re.compile(r"%\(\w+\)[sd]")


def entries(language: str) -> Iterator[tuple[str, Entry]]:
    """Yield every entry of a language's files, with the name of its file."""
    for name, catalogue in catalogues(language):
        yield from ((name, entry) for entry in catalogue if entry.id)


def forms(text: object) -> Message:
    return (text,) if isinstance(text, str) else tuple(text)  # pyright: ignore[reportArgumentType]


def values(text: str) -> set[str]:
    return set(VALUE.findall(text))


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: str) -> None:
    translated = {
        forms(entry.id)
        for _, entry in entries(language)
        if all(forms(entry.string)) and not entry.fuzzy
    }
    missing = sorted(f"{name}: {found}" for name, found in messages() if found not in translated)

    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_takes_the_same_values_as_its_message(language: str) -> None:
    differing = [
        (name, said)
        for name, entry in entries(language)
        for message, said in zip(forms(entry.id), forms(entry.string), strict=True)
        if values(message) != values(said)
    ]

    assert differing == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_is_translated_twice(language: str) -> None:
    times = Counter((entry.context, entry.id) for _, entry in entries(language))

    assert [message for message, count in times.items() if count > 1] == []


def test_the_source_language_needs_no_catalogue() -> None:
    assert translations(SOURCE).gettext("Sign out") == "Sign out"
    assert translations("nl").gettext("Sign out") == "Uitloggen"


def test_a_plural_is_said_in_the_number_that_its_value_asks_for() -> None:
    beds = Plural("%(num)d bed", "%(num)d beds", by="num")

    assert [render(beds, {"num": num}, language="nl") for num in (0, 1, 2)] == [
        "0 bedden",
        "1 bed",
        "2 bedden",
    ]
