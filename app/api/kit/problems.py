"""The table that turns refusals into HTTP (RFC 9457), and failures into a plain 500."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException

from app import errors
from app.api.kit.once import first_answer
from app.api.kit.wire import Body, Out
from app.deps import log_refused, token_hash

PROBLEM_JSON = "application/problem+json"

STATUS: Mapping[type[errors.Refusal], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Missing: 404,
    errors.Conflict: 409,
    errors.Erased: 410,
    errors.Unreadable: 409,
    errors.Stale: 412,
    errors.Mismatch: 422,
    errors.MatchRequired: 428,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}

TITLES: Mapping[int, str] = {
    400: "Bad input",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Erased",
    412: "Changed meanwhile",
    413: "Too large",
    422: "Key used before",
    428: "If-Match required",
    429: "Too many requests",
    500: "Internal error",
    503: "Out of reach",
}

LOGGED = (errors.Forbidden, errors.Missing, errors.TooOften, errors.Erased)
"""Refusals that the access log has: an account wanted what it may not see."""

log = structlog.get_logger()


class FaultOut(Out):
    """One thing wrong with the input."""

    pointer: str = Field(description="JSON pointer to the fault; query and header faults by name.")
    message: str


class Problem(Out):
    """An error, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable and in snake_case: what clients decide by.")
    errors: list[FaultOut] | None = None
    rules: list[str] | None = Field(
        default=None, description="The hard rules in the way, where that is the reason."
    )


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    faults: tuple[errors.Fault, ...] = (),
    rules: tuple[str, ...] = (),
) -> Response:
    """Return a problem as a response."""
    content = Problem(
        title=TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        code=code,
        errors=[FaultOut(pointer=fault.pointer, message=fault.message) for fault in faults] or None,
        rules=list(rules) or None,
    )
    body = content.model_dump_json(by_alias=True, exclude_none=True)
    return Response(body, status, media_type=PROBLEM_JSON)


def status_of(refusal: errors.Refusal) -> int:
    """Return the status of a refusal: that of the nearest class in the table."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def problem_of(refusal: errors.Refusal) -> Response:
    """Return a refusal as a response."""
    faults, rules = getattr(refusal, "faults", ()), getattr(refusal, "rules", ())
    return problem(status_of(refusal), refusal.code, refusal.detail, faults=faults, rules=rules)


async def on_refusal(request: Request, refusal: Exception) -> Response:
    """Answer a refusal; a repeat of an answered request gets its first answer instead."""
    assert isinstance(refusal, errors.Refusal)  # noqa: S101 - registered for nothing else
    try:
        first = await first_answer(request)
    except errors.Refusal as another:
        first, refusal = None, another
    if first is not None:
        return first
    if isinstance(refusal, LOGGED) or (
        isinstance(refusal, errors.Unauthenticated) and token_hash(request)
    ):
        await log_refused(request)
    response = problem_of(refusal)
    if isinstance(refusal, errors.TooMany | errors.Unavailable):
        response.headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def on_invalid(request: Request, invalid: Exception) -> Response:
    """Answer input that does not have the right shape: 400, all faults at once."""
    assert isinstance(invalid, RequestValidationError)  # noqa: S101 - registered for nothing else
    body: Body = getattr(request.state, "body", Body())
    if body.fault is not None:
        faults = (errors.Fault("", body.fault),)
    else:
        faults = tuple(errors.Fault(_pointer(error), _message(error)) for error in invalid.errors())
    return problem(400, "invalid_input", "The input has faults.", faults=faults)


async def on_http(_request: Request, raised: Exception) -> Response:
    """Answer what routing itself refuses: no such path, no such method."""
    assert isinstance(raised, HTTPException)  # noqa: S101 - registered for nothing else
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    details = {404: "Not found."}
    status = raised.status_code if raised.status_code in codes else 400
    response = problem(
        status, codes.get(status, "invalid_input"), details.get(status, "The request was refused.")
    )
    response.headers.update(raised.headers or {})
    return response


async def on_failure(_request: Request, failure: Exception) -> Response:
    """Answer a fault of ours: the log has its kind and place, the client neither."""
    log.error("failed", kind=type(failure).__name__, exc_info=failure)
    return problem(500, "internal_error", "Something went wrong here; it has been noted.")


def answer_problems(app: FastAPI) -> None:
    """Answer every refusal and failure of an application as a problem."""
    app.add_exception_handler(errors.Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_failure)


def _pointer(error: Mapping[str, Any]) -> str:
    where, *rest = error["loc"]
    if where == "body":
        return "".join(
            f"/{str(part).replace('~', '~0').replace('/', '~1')}"
            for part in rest
            if isinstance(part, str | int)
        )
    return "/" + "/".join(
        str(part) for part in (rest if where in {"query", "path"} else ("headers", *rest))
    )


def _message(error: Mapping[str, Any]) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
