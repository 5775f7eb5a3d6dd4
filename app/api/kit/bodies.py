"""Request bodies, read once and strictly: what is not plain JSON is marked as a fault.

It is marked and not refused here: a caller who may not use a route hears of that first.
"""

import json
from typing import Final, NoReturn

from fastapi import Request
from pydantic_core import PydanticUndefined as Undefined
from starlette.requests import ClientDisconnect

from app.api.kit.application import Left
from app.api.kit.middleware import TooLong
from app.api.kit.wire import Body

DEEPEST: Final = 32
"""Levels of nesting; nothing that the API takes has more than five."""
LONGEST_NUMBER: Final = 30
"""Digits."""
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
NEVER_VALID = 0
"""Stands for a body that cannot be read: no route takes a bare number."""


async def read_body(request: Request) -> object:
    """Return a request's JSON for its route to check; `state.body` has it, or its fault."""
    if request.method not in WITH_BODY:
        return Undefined
    try:
        raw = await request.body()
    except (TooLong, ClientDisconnect):
        raise Left from None  # who bounds it answers it, and who left needs no answer
    body = _read(raw, content_type=request.headers.get("content-type", "")) if raw else Body()
    request.state.body = body
    if not raw:
        return Undefined
    return body.content if body.fault is None else NEVER_VALID


def _read(raw: bytes, *, content_type: str) -> Body:
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        return Body(fault="must be sent as application/json")
    try:
        return Body(read_json(raw))
    except UnicodeDecodeError:
        return Body(fault="is not UTF-8")
    except json.JSONDecodeError as error:
        return Body(fault=f"is not JSON: {error.msg.lower()} at character {error.pos}")
    except RecursionError:
        return Body(fault=f"is nested more than {DEEPEST} levels deep")
    except ValueError as error:
        return Body(fault=str(error))


def read_json(raw: bytes) -> object:
    """Return what JSON says; raise ValueError if readers could differ, or a bound is passed."""
    text = raw.decode()
    content: object = json.loads(
        text,
        object_pairs_hook=_each_once,
        parse_constant=_no_constant,
        parse_int=_whole,
        parse_float=_number,
    )
    if text.count("[") + text.count("{") > DEEPEST and _depth(content) > DEEPEST:
        raise RecursionError
    if "\\u" in text:
        _check_characters(content)
    return content


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"names {twice[:40]!a} twice"
        raise ValueError(message)
    return content


def _no_constant(name: str) -> NoReturn:
    message = f"is not JSON: {name} is no number"
    raise ValueError(message)


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        message = "has a number that is too large"
        raise ValueError(message)
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        message = "has a number that is too large"
        raise ValueError(message)
    return number


def _depth(content: object) -> int:
    level, depth = [content], 0
    while level:
        depth += 1
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
        level = inner
    return depth - 1


def _check_characters(content: object) -> None:
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        message = "has half of a surrogate pair, which is no character"
        raise ValueError(message) from None
