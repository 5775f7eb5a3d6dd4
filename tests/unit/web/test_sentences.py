import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import errors
from app.errors import Conflict
from app.reference import load
from app.web.page import _LANGUAGE, sentence
from app.web.sentences import BY_CODE
from app.words.catalogue import SOURCE, translations

APP = Path(__file__).parents[3] / "app"
WITH_CODES = {"Conflict", "Forbidden", "Invalid", "Refusal", "_refuse", "__init__"}
OTHERS = [language for language in load().country.languages if language != SOURCE]


def codes() -> Iterator[str]:
    """Yield every code of a refusal that stands in the code."""
    rooms = {path.parent for path in APP.glob("*/store")} | {APP / "database", APP / "api"}
    for path in (
        *(path for room in sorted(rooms) for path in room.rglob("*.py")),
        APP / "errors.py",
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in WITH_CODES:
                words = [*node.args[:1], *(kw.value for kw in node.keywords if kw.arg == "code")]
                yield from (
                    word.value
                    for word in words
                    if isinstance(word, ast.Constant)
                    and isinstance(word.value, str)
                    and word.value.replace("_", "").isalpha()
                    and word.value.islower()
                )


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def test_every_code_of_a_refusal_has_a_sentence_for_people() -> None:
    found = set(codes())

    assert len(found) > 30
    assert sorted(found - BY_CODE.keys()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_for_a_code_is_translated(language: str) -> None:
    assert [
        words for words in BY_CODE.values() if translations(language).gettext(words) == words
    ] == []


def test_who_reads_another_language_meets_no_sentence_that_is_not_translated() -> None:
    refusal = Conflict("offer_gone", "A sentence that names what nobody foresaw.")

    said = {}
    for language in ("nl", "en"):
        _LANGUAGE.set(language)
        said[language] = sentence(refusal)

    assert said["en"] == "A sentence that names what nobody foresaw."
    assert said["nl"] == translations("nl").gettext(BY_CODE["offer_gone"])
    assert issubclass(Conflict, errors.Refusal)
