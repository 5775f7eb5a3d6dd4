"""Whose browser it is: the session's cookie, and what shows that a form was ours.

A session is a row among the tokens, under a hash that no bearer token can have: all that holds for
whoever bears a token holds for whoever has the cookie.
"""

import base64
import hashlib
import secrets
from urllib.parse import urlsplit

from fastapi import Request

from app.accounts.sessions import session_hash as hash_of
from app.errors import Forbidden

COOKIE = "__Host-plek"
"""The prefix binds it to this host, to every path of it, and to TLS (or to this machine)."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEFORE = "__Host-plek-before"
"""Of a browser in which nobody is signed in: by it the form to sign in is known for ours."""
FIELD = "csrf"
HEADER = "X-CSRF"
SIGNED_IN_AGAIN = "signed_in_again"
"""Our own page, but from before its reader signed in again."""
FROM_OURSELVES = frozenset({"same-origin", "none"})


def session_hash(request: Request) -> bytes:
    """Return the hash under which the database knows the session of this browser.

    Nothing where it has none.
    """
    value = request.cookies.get(COOKIE, "")
    return hash_of(value) if value else b""


def csrf_of(request: Request) -> str:
    """Return what our own forms carry.

    Only who can read this browser's pages can know it.
    """
    return csrf_for(_kept(request))


def csrf_for(value: str) -> str:
    """Return what a form carries in a browser that has this cookie."""
    return (
        base64.urlsafe_b64encode(hashlib.sha256(b"csrf:" + value.encode()).digest())
        .decode()
        .rstrip("=")
    )


async def guarded(request: Request) -> None:
    """Refuse whatever changes something and was not sent from a page of ours."""
    if request.method in SAFE:
        return
    if not from_our_pages(request):
        raise Forbidden
    if _kept(request):
        sent = request.headers.get(HEADER) or str((await request.form()).get(FIELD, ""))
        if not secrets.compare_digest(sent.encode(), csrf_of(request).encode()):
            raise Forbidden(code=SIGNED_IN_AGAIN) if request.cookies.get(COOKIE) else Forbidden


def _kept(request: Request) -> str:
    return request.cookies.get(COOKIE) or request.cookies.get(BEFORE) or ""


def from_our_pages(request: Request) -> bool:
    """Whether a browser says that one of our own pages sent this.

    One that says nothing is not believed.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in FROM_OURSELVES:
        return False
    origin = request.headers.get("origin")
    # Without a referrer, which no page of ours sends, a browser tells no origin either.
    if origin in {None, "null"}:
        return site is not None
    return urlsplit(str(origin)).netloc == request.headers.get("host", "")
