import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from babel.messages.extract import extract_from_dir
from jinja2 import nodes
from jinja2.ext import babel_extract

from app.reference import load
from app.words.pages import SOURCE, catalogues, translations

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted((ROOT / "app" / "web" / "templates").rglob("*.html"))
NAMES = {"Plek", "OpenAPI", "PostgreSQL", "API"}
"""What has the same name in every language."""
MARKUP = re.compile(r"<(script|style|pre)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
SPOKEN = re.compile(
    r"""\b(?:aria-label|title|placeholder|alt)=(["'])(?P<words>[^"'{]*[^\W\d_][^"'{]*)\1"""
)
OTHERS = [language for language in load().country.languages if language != SOURCE]


def messages() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every sentence of templates and code, with its plural where it has one."""
    for path in TEMPLATES:
        with path.open("rb") as template:
            for _, function, found, _ in babel_extract(
                template, ("_", "gettext", "ngettext"), (), {"silent": "false"}
            ):
                if found is not None:  # what is said elsewhere is marked there
                    yield path.name, _forms(function, found)
    for name, _, found, _, _ in extract_from_dir(
        ROOT / "app" / "web",
        [("**.py", "python")],
        keywords={"_": None, "N_": None, "ngettext": (1, 2)},
    ):
        yield name, (found,) if isinstance(found, str) else tuple(found)


def _forms(function: str | None, found: object) -> tuple[str, ...]:
    if isinstance(found, str):
        return (found,)
    assert isinstance(found, tuple)
    return tuple(form for form in found if isinstance(form, str))[
        : 2 if function == "ngettext" else 1
    ]


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_pages_is_translated(language: str) -> None:
    known = {
        message.id if isinstance(message.id, str) else message.id[0]: message
        for _, catalogue in catalogues(language)
        for message in catalogue
    }
    missing = sorted(
        f"{name}: {forms[0]}"
        for name, forms in messages()
        if forms[0] not in known
        or not all(_strings(known[forms[0]].string))
        or known[forms[0]].fuzzy
    )

    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_takes_the_same_values_as_its_sentence(language: str) -> None:
    differing = [
        (message.id, message.string)
        for _, catalogue in catalogues(language)
        for message in catalogue
        if message.id
        for string in _strings(message.string)
        if set(re.findall(r"%\(\w+\)[sd]", string))
        - set(re.findall(r"%\(\w+\)[sd]", "".join(_strings(message.id))))
    ]

    assert differing == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_translated_twice_in_different_words(language: str) -> None:
    seen: dict[object, object] = {}
    for _, catalogue in catalogues(language):
        for message in catalogue:
            if message.id:
                assert (
                    seen.setdefault((message.context, message.id), message.string) == message.string
                )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_words_stand_in_a_template_untranslated(path: Path) -> None:
    assert list(untranslated(path.read_text(encoding="utf-8"))) == []


def test_words_that_stand_there_untranslated_are_found() -> None:
    assert list(
        untranslated('<p>Goedenavond {{ _("Good evening") }}</p><a title="weg">{{ x }}</a>')
    ) == [
        "Goedenavond",
        "weg",
    ]


def untranslated(template: str) -> Iterator[str]:
    """Yield the words of a template that no catalogue translates."""
    parsed = jinja2.Environment(
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True
    ).parse(template)
    whole = "\N{OBJECT REPLACEMENT CHARACTER}".join(
        node.data for node in parsed.find_all(nodes.TemplateData)
    )
    for text in MARKUP.sub("\N{OBJECT REPLACEMENT CHARACTER}", whole).split(
        "\N{OBJECT REPLACEMENT CHARACTER}"
    ):
        words = text.strip()
        if (
            any(letter.isalpha() for letter in words)
            and not set(re.findall(r"[^\W\d_]+", words)) <= NAMES
        ):
            yield words
    yield from (found["words"] for found in SPOKEN.finditer(whole))


def _strings(found: object) -> tuple[str, ...]:
    return (found,) if isinstance(found, str) else tuple(found)  # pyright: ignore[reportArgumentType]


def test_the_source_language_needs_no_catalogue() -> None:
    assert translations(SOURCE).gettext("Sign out") == "Sign out"
    assert translations("nl").gettext("Sign out") == "Uitloggen"
