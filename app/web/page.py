"""How a page is made: a template, and what every page has."""

import gzip
import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.accounts import sessions
from app.clock import now
from app.database.caller import Caller
from app.deps import REFERENCE, Tx, parts_of, token_hash
from app.reference import load
from app.web import assets
from app.web.credential import SAFE, csrf_of
from app.web.language import FILTERS, _, language_of, ngettext, set_language
from app.web.menu import menu_for

QUICKLY = 4
"""How hard a page is compressed: harder takes twice the time for a twentieth less."""
WORTHWHILE = 2000
"""Bytes. How long a compressed page is would tell whoever can put words into it, and measure it,
what else it says; but nobody else can ask for a page with its reader's cookie, and none repeats
what its address says."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
    "'self'; form-action 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load: its own files, and nothing that stands in the page itself."""
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Vary": "Accept-Encoding, Cookie, HX-Request",
}


def codes(listed: str) -> tuple[str, ...]:
    """Return the codes of one of the country's lists, in the order in which they are offered."""
    return tuple(load().codes[listed].codes)


def dense(markup: str) -> Markup:
    """Return markup without the spaces in which a template is set out.

    For what stands on a page many times.
    """
    return Markup(" ".join(markup.split()).replace("> <", "><"))  # noqa: S704 - escaped where it was made


def live(*kinds: str) -> str:
    """Return the triggers by which a part of a page keeps up with events.

    Of these kinds, and after a gap.
    """
    return ", ".join([*(f"sse:{kind}" for kind in (*kinds, "reset")), "plek:again from:body"])


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
    cast("dict[str, object]", environment.filters).update(FILTERS, dense=dense)
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
        set_language(self.language)

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
        set_language(self.language)
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
        """Return after how long the page covers itself.

        Where somebody is signed in, and the policy could be read.
        """
        known = REFERENCE.get(None)
        return known.policy.blank_minutes if self.caller and known else None

    def _stream(self, position: int | None) -> Markup:
        """Return what makes a page follow the events that concern its reader's provider, if any."""
        if self.caller is None or self.caller.provider_id is None:
            return Markup()
        address = "/live" if position is None else f"/live?after={position}"
        return Markup('hx-ext="sse" sse-connect="{}" data-live').format(address)


def person_of(account_id: UUID) -> str:
    """Return what stands for an account in its own pages.

    Enough to tell whether a page is still the same person's.
    """
    return hashlib.sha256(account_id.bytes).hexdigest()[:16]


async def _page(request: Request) -> Page:
    return Page(request)


async def _page_of(request: Request, tx: Tx) -> Page:
    page = Page(request)
    # A part of a page that looks again by itself says nothing of whether somebody is there.
    if page.caller is not None and (request.method not in SAFE or not page.partial):
        await sessions.keep_session(tx, token_hash(request))
    return page


AnyPage = Annotated[Page, Depends(_page)]
"""For pages that need nobody to be signed in, and no transaction."""
PageIn = Annotated[Page, Depends(_page_of)]
"""For all others: the caller has been admitted."""
