"""Pages of refusals and failures: what went wrong, and what the reader can do now."""

from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app import errors
from app.api.kit.problems import LOGGED, status_of
from app.deps import bearer_transaction, log_refused, token_hash
from app.web.credential import HEADER, SIGNED_IN_AGAIN, csrf_of
from app.web.page import Page, person_of
from app.words import N_

SIGN_IN = "/sign-in"
OUTCOME = "said"
"""The id of the part of a page that tells the outcome of an act, if the page has one."""
RESUMED = N_(
    "You signed in again meanwhile. What you filled in is still here: press the button again."
)
OTHER_PERSON = N_(
    "Somebody else is signed in here by now. What you filled in is still here, and cannot be "
    "sent by them."
)
TO_NOTICE = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"}

log = structlog.get_logger()


async def on_refusal(request: Request, refusal: Exception) -> Response:
    """Show a refusal, or ask the reader to sign in first, which leads back to the page."""
    assert isinstance(refusal, errors.Refusal)  # noqa: S101 - registered for nothing else
    if isinstance(refusal, LOGGED) or (
        isinstance(refusal, errors.Unauthenticated) and token_hash(request)
    ):
        await log_refused(request)
    if isinstance(refusal, errors.Unauthenticated):
        return _ask_to_sign_in(request)
    if refusal.code == SIGNED_IN_AGAIN:
        return await _resume(request)
    answer = _show_refusal(request, refusal, status=status_of(refusal))
    if isinstance(refusal, errors.TooMany | errors.Unavailable):
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


async def _resume(request: Request) -> Response:
    """Let a page from before a new sign-in go on, if its reader is the same person.

    The page keeps what was filled in. Only a page of ours gets this far, and only such a page can
    read the answer.
    """
    async with bearer_transaction(request) as tx:
        account_id = None if tx.identity is None else tx.identity.account_id
    if account_id is None:
        return _ask_to_sign_in(request)
    if request.headers.get("X-Person") != person_of(account_id):
        return _show_refusal(
            request, errors.Forbidden(OTHER_PERSON), status=status_of(errors.Forbidden())
        )
    answer = _show_refusal(request, errors.Forbidden(RESUMED), status=status_of(errors.Forbidden()))
    answer.headers[HEADER] = csrf_of(request)
    return answer


def _show_refusal(request: Request, refusal: errors.Refusal, *, status: int) -> Response:
    page = Page(request)
    if page.partial and request.headers.get("HX-Target") == OUTCOME:
        # What the page shows may be out of date, so all of its parts are renewed.
        headers = {
            "HX-Retarget": f"#{OUTCOME}",
            "HX-Reswap": "innerHTML",
            "HX-Trigger": "plek:again, plek:done",
        }
        return page.show("refused_said.html", status=status, headers=headers, refusal=refusal)
    if page.partial:
        # The page that asked stays as it is, with what was filled in, and says why it failed.
        return page.show("refused_part.html", status=status, headers=TO_NOTICE, refusal=refusal)
    return page.show("refused.html", status=status, refusal=refusal)


def _ask_to_sign_in(request: Request) -> Response:
    page = Page(request)
    if not page.partial:
        return page.go(
            f"{SIGN_IN}?next={quote(request.url.path)}" if request.method == "GET" else SIGN_IN
        )
    # A script asked for this: its page stays, with what was filled in.
    return page.show("signed_out.html", status=401, headers=TO_NOTICE)


async def on_invalid(request: Request, _invalid: Exception) -> Response:
    """Show that a request was malformed: our own links and forms send only valid ones."""
    return Page(request).show("refused.html", status=400, refusal=errors.Invalid())


async def on_http(request: Request, raised: Exception) -> Response:
    """Show that no page has this path or method."""
    assert isinstance(raised, HTTPException)  # noqa: S101 - registered for nothing else
    return Page(request).show("refused.html", status=raised.status_code, refusal=errors.Missing())


async def on_failure(request: Request, failure: Exception) -> Response:
    """Show that something failed; its kind and place stand in the log, not on the page."""
    log.error("failed", kind=type(failure).__name__, exc_info=failure)
    return Page(request).show("refused.html", status=500, refusal=None)


def answer_people(app: FastAPI) -> None:
    """Have every refusal and failure of an application answered with a page."""
    app.add_exception_handler(errors.Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_failure)
