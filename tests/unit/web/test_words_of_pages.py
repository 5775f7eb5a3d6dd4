import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from tests.unit.words.messages import TEMPLATES

NAMES = {"Plek", "OpenAPI", "PostgreSQL", "API"}
"""Words that are the same in every language."""
MARKUP = re.compile(r"<(script|style|pre)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL)
SPOKEN = re.compile(
    r"""\b(?:aria-label|title|placeholder|alt)=(["'])(?P<words>[^"'{]*[^\W\d_][^"'{]*)\1"""
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
