"""The reader's language: texts, refusals, days and numbers in that language."""

import datetime as dt
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from babel import Locale, dates, numbers
from fastapi import Request

from app.api.kit.reasons import TextOut
from app.clock import now
from app.errors import Refusal
from app.reference import load
from app.words.catalogue import translations
from app.words.ranking import rule_text

LANGUAGE_COOKIE = "plek-language"

STATUSES: Mapping[str, str] = {
    "hold_status": "hold_statuses",
    "placement_status": "placement_statuses",
    "swap_status": "swap_statuses",
}
"""The list with words for the codes of a value, by the value's name in a refusal."""

_LANGUAGE: ContextVar[str] = ContextVar("language")


def language_of(request: Request) -> str:
    """Return the language that the reader chose, else the country's first."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    languages = load().country.languages
    return chosen if chosen in languages else languages[0]


def set_language(language: str) -> None:
    """Make this the language of all texts from here on, within one request."""
    _LANGUAGE.set(language)


@contextmanager
def in_language(language: str) -> Generator[None]:
    """Make this the language of all texts within the context."""
    token = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(token)


def _(text: str) -> str:
    """Return a text in the reader's language."""
    return translations(_LANGUAGE.get()).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """Return a text in the reader's language, in the singular or plural for a number."""
    return translations(_LANGUAGE.get()).ngettext(one, many, number)


def sentence(refusal: Refusal) -> str:
    """Return the sentence of a refusal in the reader's language, with words for its codes."""
    values = {
        name: label(str(value), STATUSES[name]) if name in STATUSES else value
        for name, value in refusal.values.items()
    }
    if rules := getattr(refusal, "rules", ()):
        values["rules"] = "; ".join(rule(code) for code in rules)
    return _(refusal.text) % values if values else _(refusal.text)


def words(text: TextOut) -> str:
    """Return a text of the API in the reader's language."""
    return getattr(text, _LANGUAGE.get())


def rule(code: str) -> str:
    """Return the reason why a rule leaves places out."""
    return rule_text(code, language=_LANGUAGE.get())


def label(code: str, listed: str) -> str:
    """Return the words for a code of one of the country's lists."""
    return load().label(listed, code=code, language=_LANGUAGE.get())


def language_name(code: str) -> str:
    """Return the name of a language."""
    names = cast("Mapping[str, str]", Locale(_LANGUAGE.get()).languages)
    return names.get(code, code)


def moment(at: dt.datetime, form: str = "") -> str:
    """Return a moment by the country's clock, with the day unless that is today."""
    if form:
        return dates.format_datetime(at, form, tzinfo=load().country.zone, locale=_locale())
    country = load().country
    on, today = country.day_of(at), country.day_of(now())
    if on == today:
        return clock(at)
    near = dates.format_skeleton("MMMd", on, locale=_locale())
    return f"{near if on.year == today.year else day(on, 'medium')}, {clock(at)}"


def when(at: dt.datetime) -> str:
    """Return a moment with its preposition: `at` a time of today, `on` another day."""
    country = load().country
    today = country.day_of(at) == country.day_of(now())
    return (_("at %(time)s") if today else _("on %(time)s")) % {"time": moment(at)}


def clock(at: dt.datetime) -> str:
    """Return the time of day by the country's clock."""
    return dates.format_time(at, "short", tzinfo=load().country.zone, locale=_locale())


def day(on: dt.date, form: str = "long") -> str:
    """Return a day."""
    return dates.format_date(on, form, locale=_locale())


def as_day(text: str, form: str = "long") -> str:
    """Return a day that a document has in ISO format."""
    return day(dt.date.fromisoformat(text), form)


def number(value: float) -> str:
    """Return a number with the separators of the language."""
    return numbers.format_decimal(value, locale=_LANGUAGE.get())


def percent(permille: int) -> str:
    """Return thousandths as a percentage with one decimal."""
    return numbers.format_percent(permille / 1000, "#,##0.0 %", locale=_LANGUAGE.get())


def _locale() -> Locale:
    """Return the reader's language as the country writes it: 24 hours, the day first."""
    return Locale(_LANGUAGE.get(), load().country.jurisdiction.upper())


FILTERS: Mapping[str, Callable[..., str]] = {
    "as_day": as_day,
    "clock": clock,
    "day": day,
    "label": label,
    "language": language_name,
    "moment": moment,
    "number": number,
    "percent": percent,
    "rule": rule,
    "sentence": sentence,
    "when": when,
    "words": words,
}
"""The filters of templates, by their names there."""
