"""The cookies of signing in: the session's, the visitor's, and the device's."""

import secrets

from fastapi import Request, Response

from app.accounts.sessions import COOKIE_BYTES, NewSession
from app.accounts.sign_ins import Device
from app.seal import Keyring
from app.web.credential import COOKIE, VISITOR_COOKIE

DEVICE = "__Host-plek-device"
DEVICE_S = 180 * 86_400


def device_of(request: Request, *, keyring: Keyring) -> Device:
    """Return the device that a request comes from."""
    return Device.read(request.cookies.get(DEVICE), keyring=keyring)


def let_in(answer: Response, opened: NewSession, *, device: Device, keyring: Keyring) -> Response:
    """Give a browser its new session, in a new cookie that lasts until the browser is closed."""
    _set(answer, COOKIE, opened.cookie)
    known = device.after(opened.account_id)
    _set(answer, DEVICE, known.cookie(keyring=keyring), max_age=DEVICE_S, samesite="strict")
    answer.delete_cookie(VISITOR_COOKIE, secure=True, httponly=True, samesite="lax")
    return answer


def let_out(answer: Response) -> Response:
    """Take a browser's session away, and everything that a page kept on the device."""
    answer.headers["Clear-Site-Data"] = '"storage"'
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="lax")
    return answer


def visitor_cookie(request: Request) -> str:
    """Return the cookie of a browser that is not signed in; a new one if it has none."""
    return (
        request.cookies.get(COOKIE)
        or request.cookies.get(VISITOR_COOKIE)
        or secrets.token_urlsafe(COOKIE_BYTES)
    )


def keep_visitor_cookie(request: Request, answer: Response, value: str) -> Response:
    """Give a browser this visitor's cookie, if it has no cookie yet."""
    if value not in {request.cookies.get(COOKIE), request.cookies.get(VISITOR_COOKIE)}:
        _set(answer, VISITOR_COOKIE, value)
    return answer


def _set(
    answer: Response, name: str, value: str, *, max_age: int | None = None, samesite: str = "lax"
) -> None:
    # Lax: a person who follows a link from a message stays signed in. Requests that change
    # something carry the token of a form as well.
    strict = "strict" if samesite == "strict" else "lax"
    answer.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite=strict
    )
