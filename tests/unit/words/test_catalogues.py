import ast
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message as Entry

from app.reference import load
from app.words import Plural
from app.words.catalogue import SOURCE, catalogues, render, translations
from tests.unit.words.messages import APP, Message, messages
from tests.unit.words.refusals import arguments

LANGUAGES = load().country.languages
OTHERS = [language for language in LANGUAGES if language != SOURCE]
VALUE = re.compile(r"%\(\w+\)[sd]")


def entries(language: str) -> Iterator[tuple[str, Entry]]:
    """Yield every entry of a language's files, with the name of its file."""
    for name, catalogue in catalogues(language):
        yield from ((name, entry) for entry in catalogue if entry.id)


def forms(text: object) -> Message:
    return (text,) if isinstance(text, str) else tuple(text)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: str) -> None:
    translated = {
        forms(entry.id)
        for _, entry in entries(language)
        if all(forms(entry.string)) and not entry.fuzzy
    }

    assert [f"{name}: {text}" for name, text in messages() if text not in translated] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_unused(language: str) -> None:
    used = {text for _, text in messages()}

    assert [
        f"{name}: {entry.id}" for name, entry in entries(language) if forms(entry.id) not in used
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_translated_twice(language: str) -> None:
    times = Counter((entry.context, entry.id) for _, entry in entries(language))

    assert [message for message, count in times.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_takes_the_same_values_as_its_message(language: str) -> None:
    assert [
        f"{name}: {said}"
        for name, entry in entries(language)
        for text, said in zip(forms(entry.id), forms(entry.string), strict=True)
        if set(VALUE.findall(text)) != set(VALUE.findall(said))
    ] == []


def test_english_rewords_only_what_is_worded_for_programs_and_terminals() -> None:
    found = {(name, forms(entry.id)) for name, entry in entries(SOURCE)}

    assert {name for name, _ in found} == {"imports", "refusals"}
    for language in OTHERS:
        assert found <= {(name, forms(entry.id)) for name, entry in entries(language)}


def test_no_value_is_formatted_into_the_sentence_of_a_refusal() -> None:
    found = [*arguments(APP)]

    assert len(found) > 100
    assert [
        f"{name}: {ast.unparse(given)}"
        for name, given in found
        if isinstance(given, ast.JoinedStr | ast.BinOp)
    ] == []


def test_a_message_without_a_translation_is_said_in_english() -> None:
    assert translations(SOURCE).gettext("Sign out") == "Sign out"
    assert translations("nl").gettext("Sign out") == "Uitloggen"
    assert translations("nl").gettext("Nobody wrote this.") == "Nobody wrote this."


def test_a_plural_is_said_in_the_number_that_its_value_asks_for() -> None:
    beds = Plural("%(num)d bed", "%(num)d beds", by="num")

    assert [render(beds, {"num": num}, language="nl") for num in (0, 1, 2)] == [
        "0 bedden",
        "1 bed",
        "2 bedden",
    ]
