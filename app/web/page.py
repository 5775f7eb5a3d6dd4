"""How a page is made: a template, the reader's language, and what every page has."""

import datetime as dt
import gzip
import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from fastapi import Depends, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.accounts import sessions
from app.clock import now
from app.database.caller import Caller
from app.deps import REFERENCE, Tx, parts_of, token_hash
from app.errors import Refusal
from app.reference import load
from app.web import assets
from app.web.credential import SAFE, csrf_of
from app.web.menu import menu_for
from app.web.sentences import code_sentence
from app.words.catalogue import SOURCE, translations
from app.words.ranking import rule_text

LANGUAGE_COOKIE = "plek-language"
QUICKLY = 4
"""How hard a page is compressed: harder takes twice the time for a twentieth less."""
WORTHWHILE = 2000
"""Bytes. How long a compressed page is would tell whoever can put words into it, and measure it, what else it says;
but nobody else can ask for a page with its reader's cookie, and none repeats what its address says."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load: its own files, and nothing that stands in the page itself."""
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Vary": "Accept-Encoding, Cookie, HX-Request",
}


_LANGUAGE: ContextVar[str] = ContextVar("language")


@contextmanager
def in_language(language: str) -> Generator[None]:
    """Let templates that are rendered within speak a language."""
    token = _LANGUAGE.set(language)
    try:
        yield
    finally:
        _LANGUAGE.reset(token)


def language_of(request: Request) -> str:
    """Return the language that the reader chose, else the country's first."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    languages = load().country.languages
    return chosen if chosen in languages else languages[0]


def _(text: str) -> str:
    """Return a sentence in the language of the page that is being made."""
    return translations(_LANGUAGE.get()).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """Likewise, by number."""
    return translations(_LANGUAGE.get()).ngettext(one, many, number)


def moment(at: dt.datetime, form: str = "") -> str:
    """Return a moment as people there write it, by their clock: with the day where that is not today."""
    if form:
        return dates.format_datetime(at, form, tzinfo=_zone(), locale=_there())
    on, today = at.astimezone(_zone()).date(), now().astimezone(_zone()).date()
    if on == today:
        return clock(at)
    near = dates.format_skeleton("MMMd", on, locale=_there())
    return f"{near if on.year == today.year else day(on, 'medium')}, {clock(at)}"


def when(at: dt.datetime) -> str:
    """Return a moment with the word that comes before it: at a time of today, on another day."""
    told = (
        _("at %(time)s")
        if at.astimezone(_zone()).date() == now().astimezone(_zone()).date()
        else _("on %(time)s")
    )
    return told % {"time": moment(at)}


def clock(at: dt.datetime) -> str:
    """Return the time of day."""
    return dates.format_time(at, "short", tzinfo=_zone(), locale=_there())


def day(on: dt.date, form: str = "long") -> str:
    """Return a day."""
    return dates.format_date(on, form, locale=_there())


def as_day(text: str, form: str = "long") -> str:
    """Return a day that a document has as text."""
    return day(dt.date.fromisoformat(text), form)


def number(value: float) -> str:
    """Return a number, with the separators of the language."""
    return numbers.format_decimal(value, locale=_LANGUAGE.get())


def percent(permille: int) -> str:
    """Return thousandths as a percentage with one decimal."""
    return numbers.format_percent(permille / 1000, "#,##0.0 %", locale=_LANGUAGE.get())


def label(code: str, listed: str) -> str:
    """Return the words for a code of one of the country's lists."""
    return load().label(listed, code=code, language=_LANGUAGE.get())


def language_name(code: str) -> str:
    """Return what a language is called."""
    names = cast("Mapping[str, str]", Locale(_LANGUAGE.get()).languages)
    return names.get(code, code)


def codes(listed: str) -> tuple[str, ...]:
    """Return the codes of one of the country's lists, in the order in which they are offered."""
    return tuple(load().codes[listed].codes)


def dense(markup: str) -> Markup:
    """Return markup without the spaces in which a template is set out: for what stands on a page many times."""
    return Markup(" ".join(markup.split()).replace("> <", "><"))  # noqa: S704 - escaped where it was made


def words(texts: Mapping[str, str]) -> str:
    """Return, of the same words in each language, those in the reader's."""
    return texts.get(_LANGUAGE.get()) or texts[load().country.languages[0]]


def rule(code: str) -> str:
    """Return why a rule leaves places out, by its code."""
    return rule_text(code, language=_LANGUAGE.get())


def sentence(refusal: Refusal) -> str:
    """Return what a refusal says, in the reader's language."""
    said = _(refusal.detail)
    return (
        said if said != refusal.detail or _LANGUAGE.get() == SOURCE else _(code_sentence(refusal))
    )


def live(*kinds: str) -> str:
    """Return the triggers by which a part of a page keeps up with events: of these kinds, and after a gap."""
    return ", ".join([*(f"sse:{kind}" for kind in (*kinds, "reset")), "plek:again from:body"])


def _there() -> Locale:
    """Return how days and times are written in the country, in the reader's language: 24 hours, the day first."""
    return Locale(_LANGUAGE.get(), load().country.jurisdiction.upper())


def _zone() -> ZoneInfo:
    return ZoneInfo(load().country.time_zone)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # What jinja's extension adds to an environment, its types do not know.
    cast("Any", environment).install_gettext_callables(_, ngettext, newstyle=True)
    cast("dict[str, object]", environment.filters).update(
        {
            "moment": moment,
            "when": when,
            "clock": clock,
            "day": day,
            "as_day": as_day,
            "number": number,
            "percent": percent,
            "label": label,
            "words": words,
            "rule": rule,
            "sentence": sentence,
            "language": language_name,
            "dense": dense,
        }
    )
    cast("dict[str, object]", environment.globals).update(
        {"asset": assets.address, "codes": codes, "live": live, "version": version("plek")}
    )
    return environment


TEMPLATES = _environment()


class Page:
    """One request for a page, and what its answer is made with."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.language = language_of(request)
        _LANGUAGE.set(self.language)

    @property
    def caller(self) -> Caller | None:
        """Who is signed in, where somebody is."""
        return getattr(self.request.state, "caller", None)

    @property
    def partial(self) -> bool:
        """Whether a part of a page was asked for, to be put into one that is there."""
        return self.request.headers.get("HX-Request") == "true"

    def show(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **known: object,
    ) -> Response:
        """Return a page, or a part of one."""
        # The page's own context, whatever task renders it.
        _LANGUAGE.set(self.language)
        content = TEMPLATES.get_template(template).render(self._around() | known).encode()
        added = dict(headers or {})
        if len(content) > WORTHWHILE and "gzip" in self.request.headers.get("accept-encoding", ""):
            content, added["Content-Encoding"] = gzip.compress(content, QUICKLY, mtime=0), "gzip"
        return Response(content, status, HEADERS | added, "text/html; charset=utf-8")

    def go(self, path: str) -> Response:
        """Send the browser to another page, after something was done."""
        if self.partial:
            return Response(status_code=204, headers={"HX-Redirect": path})
        return Response(status_code=303, headers={"Location": path})

    def _around(self) -> dict[str, Any]:
        country, parts = load().country, parts_of(self.request)
        return {
            "page": self,
            "language": self.language,
            "languages": country.languages,
            "caller": self.caller,
            "csrf": csrf_of(self.request),
            "menu": menu_for(self.caller),
            "here": self.request.url.path,
            "here_quoted": quote(self.request.url.path),
            "neutral_site": country.neutral_site,
            "demo": parts.settings.demo,
            "now": now(),
            "stream": self._stream(parts.bus.position),
            "blank_minutes": self._blank_minutes(),
            "person": person_of(self.caller.account_id) if self.caller else "",
        }

    def _blank_minutes(self) -> int | None:
        """Return after how long the page covers itself: where somebody is signed in, and the policy could be read."""
        known = REFERENCE.get(None)
        return known.policy.blank_minutes if self.caller and known else None

    def _stream(self, position: int | None) -> Markup:
        """Return what makes a page follow the events that concern its reader's provider, if any."""
        if self.caller is None or self.caller.provider_id is None:
            return Markup()
        address = "/live" if position is None else f"/live?after={position}"
        return Markup('hx-ext="sse" sse-connect="{}" data-live').format(address)


def person_of(account_id: UUID) -> str:
    """Return what stands for an account in its own pages: enough to tell whether a page is still the same person's."""
    return hashlib.sha256(account_id.bytes).hexdigest()[:16]


async def _page(request: Request) -> Page:
    return Page(request)


async def _page_of(request: Request, tx: Tx) -> Page:
    page = Page(request)
    # A part of a page that looks again by itself says nothing of whether somebody is there.
    if page.caller is not None and (request.method not in SAFE or not page.partial):
        await sessions.keep(tx, token_hash(request))
    return page


AnyPage = Annotated[Page, Depends(_page)]
"""For pages that need nobody to be signed in, and no transaction."""
PageIn = Annotated[Page, Depends(_page_of)]
"""For all others: the caller has been admitted."""
