"""A page: its template, and the values that every template has."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.accounts import sessions
from app.api.events import seal_position
from app.clock import now
from app.config import VERSION
from app.database.caller import Caller
from app.deps import REFERENCE, Parts, Tx, admitted_caller, parts_of, token_hash
from app.reference import load
from app.web import assets
from app.web.credential import SAFE, csrf_of
from app.web.language import FILTERS, _, language_of, ngettext, set_language
from app.web.menu import menu_for

QUICKLY = 4
"""The gzip level: a higher one takes twice the time for a twentieth less."""
WORTHWHILE = 2000
"""Bytes: a shorter page is not compressed.

The length of a compressed page could tell a stranger what it says, if they could put words into it
and measure it. They cannot: only its reader can ask for it, and no page repeats what its address
says."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
    "'self'; form-action 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The policy of pages: they load our own files, and no script or style within the page."""
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Vary": "Accept-Encoding, Cookie, HX-Request",
}


def codes(listed: str) -> tuple[str, ...]:
    """Return the codes of one of the country's lists, in the list's order."""
    return tuple(load().codes[listed].codes)


def dense(markup: str) -> Markup:
    """Return markup without its template's indentation, for parts that a page repeats often."""
    return Markup(" ".join(markup.split()).replace("> <", "><"))  # noqa: S704 - escaped where it was made


def live_triggers(*kinds: str) -> str:
    """Return the triggers that renew a part of a page: events of these kinds, and a gap."""
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
    # The types of jinja do not know what its extension adds to an environment.
    cast("Any", environment).install_gettext_callables(_, ngettext, newstyle=True)
    cast("dict[str, object]", environment.filters).update(FILTERS, dense=dense)
    cast("dict[str, object]", environment.globals).update(
        {"asset": assets.path_of, "codes": codes, "live": live_triggers, "version": VERSION}
    )
    return environment


TEMPLATES = _environment()


class Page:
    """A request for a page, and the way to answer it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.language = language_of(request)
        set_language(self.language)

    @property
    def caller(self) -> Caller | None:
        """The caller whom the page's route has let in, if it asks who they are."""
        return admitted_caller(self.request)

    @property
    def partial(self) -> bool:
        """Whether a script asked for a part, to put it into a page that is open."""
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
        # The task that renders the page may have another context than the one that opened it.
        set_language(self.language)
        content = TEMPLATES.get_template(template).render(self._frame() | known).encode()
        added = dict(headers or {})
        if len(content) > WORTHWHILE and "gzip" in self.request.headers.get("accept-encoding", ""):
            content, added["Content-Encoding"] = gzip.compress(content, QUICKLY, mtime=0), "gzip"
        return Response(content, status, HEADERS | added, "text/html; charset=utf-8")

    def go(self, path: str) -> Response:
        """Send the browser to another page, after something was done."""
        if self.partial:
            return Response(status_code=204, headers={"HX-Redirect": path})
        return Response(status_code=303, headers={"Location": path})

    def _frame(self) -> dict[str, Any]:
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
            "stream": self._stream(parts),
            "blank_minutes": self._blank_minutes(),
            "person": person_of(self.caller.account_id) if self.caller else "",
        }

    def _blank_minutes(self) -> int | None:
        """Return the minutes until the page covers itself.

        None if nobody is signed in, or the policy could not be read.
        """
        known = REFERENCE.get(None)
        return known.policy.blank_minutes if self.caller and known else None

    def _stream(self, parts: Parts) -> Markup:
        """Return the attributes by which a page follows its reader's provider, if they have one."""
        if self.caller is None or self.caller.provider_id is None:
            return Markup()
        address = "/live"
        if (position := parts.bus.position) is not None:
            sealed = seal_position(parts.keyring, position, account_id=self.caller.account_id)
            address = f"/live?after={sealed}"
        return Markup('hx-ext="sse" sse-connect="{}" data-live').format(address)


def person_of(account_id: UUID) -> str:
    """Return the digest of an account in its own pages, which shows whose page it is."""
    return hashlib.sha256(account_id.bytes).hexdigest()[:16]


async def _open_page(request: Request) -> Page:
    return Page(request)


async def _open_page_of_caller(request: Request, tx: Tx) -> Page:
    page = Page(request)
    # A part that renews itself is no sign that its reader is still there.
    if request.method not in SAFE or not page.partial:
        await sessions.keep_session(tx, token_hash(request))
    return page


AnyPage = Annotated[Page, Depends(_open_page)]
"""The page of a route that anyone may open, without a transaction."""
PageIn = Annotated[Page, Depends(_open_page_of_caller)]
"""The page of every other route, whose caller was let in."""
