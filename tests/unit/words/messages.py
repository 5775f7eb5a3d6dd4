"""All messages that the code can show: what the catalogues have to translate."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.extract import extract_from_dir
from jinja2.ext import babel_extract

from tests.unit.words.refusals import sentences

APP = Path(__file__).parents[3] / "app"
TEMPLATES = sorted((APP / "web" / "templates").rglob("*.html"))
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "Plural": (1, 2)}

Message = tuple[str, ...]
"""A sentence, or its singular and its plural."""


@cache
def messages() -> tuple[tuple[str, Message], ...]:
    """Return every message of templates, code and refusals, with the file that has it."""
    refusals = ((name, (sentence,)) for name, sentence in sentences(APP))
    return (*_of_templates(), *_of_code(), *refusals)


def _of_code() -> Iterator[tuple[str, Message]]:
    for name, _, found, _, _ in extract_from_dir(APP, [("**.py", "python")], keywords=KEYWORDS):
        yield name, (found,) if isinstance(found, str) else tuple(found)


def _of_templates() -> Iterator[tuple[str, Message]]:
    for path in TEMPLATES:
        with path.open("rb") as template:
            for _, function, found, _ in babel_extract(
                template, ("_", "gettext", "ngettext"), (), {"silent": "false"}
            ):
                if found is not None:  # a variable, which is marked where it is given its text
                    yield path.name, _forms(function, found)


def _forms(function: str | None, found: object) -> Message:
    if isinstance(found, str):
        return (found,)
    assert isinstance(found, tuple)
    return tuple(form for form in found if isinstance(form, str))[
        : 2 if function == "ngettext" else 1
    ]
