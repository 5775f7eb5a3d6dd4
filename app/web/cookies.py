"""What signing in leaves in a browser.

The session's cookie, and by what the device is known again.
"""

import secrets

from fastapi import Request, Response

from app.accounts.sessions import COOKIE_BYTES, NewSession
from app.accounts.sign_ins import Device
from app.seal import Keyring
from app.web.credential import BEFORE, COOKIE

DEVICE = "__Host-plek-device"
DEVICE_S = 180 * 86_400


def device_of(request: Request, *, keyring: Keyring) -> Device:
    """Return the device that a request comes from."""
    return Device.read(request.cookies.get(DEVICE), keyring=keyring)


def let_in(answer: Response, opened: NewSession, *, device: Device, keyring: Keyring) -> Response:
    """Give a browser its new session.

    Another cookie than it had, whatever that was, until the browser is closed.
    """
    _set(answer, COOKIE, opened.cookie)
    known = device.after(opened.account_id)
    _set(answer, DEVICE, known.cookie(keyring=keyring), max_age=DEVICE_S, samesite="strict")
    answer.delete_cookie(BEFORE, secure=True, httponly=True, samesite="lax")
    return answer


def let_out(answer: Response) -> Response:
    """Take a browser's session away, and whatever a page kept on the device."""
    answer.headers["Clear-Site-Data"] = '"storage"'
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
    return answer


def before(request: Request) -> str:
    """Return the cookie of a browser that is not signed in, made if it has none."""
    return (
        request.cookies.get(COOKIE)
        or request.cookies.get(BEFORE)
        or secrets.token_urlsafe(COOKIE_BYTES)
    )


def keep_before(request: Request, answer: Response, value: str) -> Response:
    """Let a browser be known by this from now on, where it has no cookie yet."""
    if value not in {request.cookies.get(COOKIE), request.cookies.get(BEFORE)}:
        _set(answer, BEFORE, value)
    return answer


def _set(
    answer: Response, name: str, value: str, *, max_age: int | None = None, samesite: str = "lax"
) -> None:
    # Lax: whoever comes from a message by a link is not asked to sign in again; what changes
    # something has its token.
    strict = "strict" if samesite == "strict" else "lax"
    answer.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite=strict
    )
