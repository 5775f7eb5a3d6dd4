"""The credential of a browser: the cookie of its session, and the token of its forms.

A session is a row among the tokens, under a hash that no bearer token can have: everything that
holds for the bearer of a token holds for the browser with the cookie.
"""

import base64
import hashlib
import secrets
from urllib.parse import urlsplit

from fastapi import Request

from app.accounts.sessions import session_hash
from app.errors import Forbidden

COOKIE = "__Host-plek"
"""Its prefix binds the cookie to this host, to every path, and to TLS (or this machine)."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
VISITOR_COOKIE = "__Host-plek-before"
"""The cookie of a browser in which nobody is signed in: it ties the sign-in form to it."""
FIELD = "csrf"
HEADER = "X-CSRF"
SIGNED_IN_AGAIN = "signed_in_again"
"""The code of a refusal: the page is ours, but from before its reader signed in again."""
FROM_OURSELVES = frozenset({"same-origin", "none"})


def credential_of(request: Request) -> bytes:
    """Return the hash under which the database knows this browser's session; empty if none."""
    value = request.cookies.get(COOKIE, "")
    return session_hash(value) if value else b""


def csrf_of(request: Request) -> str:
    """Return the token that our own forms carry.

    Only a reader of this browser's pages can know it.
    """
    return csrf_for(_cookie_of(request))


def csrf_for(value: str) -> str:
    """Return the token of forms in a browser that has this cookie."""
    return (
        base64.urlsafe_b64encode(hashlib.sha256(b"csrf:" + value.encode()).digest())
        .decode()
        .rstrip("=")
    )


async def require_own_page(request: Request) -> None:
    """Refuse a request that changes something and was not sent from a page of ours."""
    if request.method in SAFE:
        return
    if not from_our_pages(request):
        raise Forbidden
    if _cookie_of(request):
        sent = request.headers.get(HEADER) or str((await request.form()).get(FIELD, ""))
        if not secrets.compare_digest(sent.encode(), csrf_of(request).encode()):
            raise Forbidden(code=SIGNED_IN_AGAIN) if request.cookies.get(COOKIE) else Forbidden


def _cookie_of(request: Request) -> str:
    return request.cookies.get(COOKIE) or request.cookies.get(VISITOR_COOKIE) or ""


def from_our_pages(request: Request) -> bool:
    """Whether the browser says that one of our own pages sent this; silence counts as no."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in FROM_OURSELVES:
        return False
    origin = request.headers.get("origin")
    # Our pages send no referrer, and a browser without one names no origin either.
    if origin in {None, "null"}:
        return site is not None
    return urlsplit(str(origin)).netloc == request.headers.get("host", "")
