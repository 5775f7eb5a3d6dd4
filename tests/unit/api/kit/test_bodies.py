from typing import Any

import pytest
from fastapi import Request
from pydantic_core import PydanticUndefined

from app.api.kit.application import Left
from app.api.kit.bodies import DEEPEST, LONGEST_NUMBER, read_body, read_json
from app.api.kit.middleware import TooLong
from app.api.kit.wire import Body


async def checked(
    *parts: bytes, content_type: str = "application/json", method: str = "POST"
) -> tuple[Any, Any]:
    """Send a body in parts.

    Return what is remembered of it, and what its route is to check.
    """
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "headers": [(b"content-type", content_type.encode())],
    }

    async def receive() -> Any:
        return messages.pop(0)

    request = Request(scope, receive)
    content = await read_body(request)
    return getattr(request.state, "body", None), content


async def test_a_body_is_checked_as_it_was_sent() -> None:
    assert await checked(b'{"a": ', b"[1, 2.5]}") == (Body({"a": [1, 2.5]}), {"a": [1, 2.5]})


async def test_no_body_is_no_fault() -> None:
    assert await checked(content_type="") == (Body(), PydanticUndefined)


async def test_what_cannot_be_read_is_checked_as_what_no_route_takes() -> None:
    assert await checked(b"\xff") == (Body(fault="is not UTF-8"), 0)
    assert await checked(b"{}", content_type="text/plain") == (
        Body(fault="must be sent as application/json"),
        0,
    )


async def test_what_has_no_body_is_left_alone() -> None:
    assert await checked(b"{", method="GET") == (None, PydanticUndefined)


async def test_a_body_that_is_too_long_is_answered_by_whoever_bounds_it() -> None:
    async def receive() -> Any:
        raise TooLong

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(Left):
        await read_body(request)


@pytest.mark.parametrize(
    "text, fault",
    [
        ('{"a": 1, "a": 1}', "names 'a' twice"),
        ('{"' + "a" * 99 + '": 1, "' + "a" * 99 + '": 2}', f"names '{'a' * 40}' twice"),
        ("[NaN]", "NaN is no number"),
        ("[1e400]", "a number that is too large"),
        ("[" + "1" * (LONGEST_NUMBER + 1) + "]", "a number that is too large"),
        ('["\\ud83d"]', "half of a surrogate pair"),
    ],
)
def test_what_readers_could_differ_about_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_json(text.encode())


@pytest.mark.parametrize(
    "text, content",
    [
        ('["\\ud83d\\ude00"]', ["\U0001f600"]),
        ('["\\\\ud83d"]', ["\\ud83d"]),
        ("[" + "9" * LONGEST_NUMBER + "]", [10**LONGEST_NUMBER - 1]),
        ('[{"a": 1}, {"a": 1}]', [{"a": 1}, {"a": 1}]),
        ('["' + "[" * 99 + '"]', ["[" * 99]),
    ],
)
def test_what_only_looks_odd_is_taken(text: str, content: object) -> None:
    assert read_json(text.encode()) == content


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")])
def test_nesting_has_a_bound(opening: str, closing: str) -> None:
    def nested(levels: int) -> bytes:
        return f"{opening * levels}1{closing * levels}".encode()

    read_json(nested(DEEPEST))
    for levels in (DEEPEST + 1, 900, 100_000):
        with pytest.raises(RecursionError):
            read_json(nested(levels))
