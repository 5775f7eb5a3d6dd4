"""Logs are JSON, and quote nobody."""

import json
import logging
import sys
from collections.abc import Generator
from io import StringIO
from typing import Any

import pytest
import structlog

from app import logs

SECRET = "Lindelaan 7"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Generator[StringIO]:
    """Configure logs as a process does, and give back how they were."""
    root, access = logging.getLogger(), logging.getLogger("uvicorn.access")
    before = root.handlers[:], root.level, access.handlers[:], access.propagate
    stderr = StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    logs.configure("info")
    yield stderr
    structlog.reset_defaults()
    root.handlers, access.handlers, access.propagate = before[0], before[2], before[3]
    root.setLevel(before[1])


def read(lines: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def fail_inside() -> None:
    address = SECRET
    raise ValueError(f"duplicate key: DETAIL: Key (address)=({address}) already exists")


def test_a_line_says_when_what_and_in_which_request(lines: StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger().warning("something", count=3)

    [line] = read(lines)

    assert line.pop("time").endswith("Z")
    assert line == {"event": "something", "count": 3, "level": "warning", "request_id": "abc"}


def test_an_exception_is_told_by_kind_and_place_and_never_by_its_message(lines: StringIO) -> None:
    log = structlog.get_logger()
    try:
        fail_inside()
    except ValueError as error:
        log.error("failed", exc_info=error)  # noqa: TRY400 - the ways to hand one over
        log.exception("failed")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
        error.__cause__ = KeyError(SECRET)
        log.error("failed", exc_info=(ValueError, error, error.__traceback__))  # noqa: TRY400

    told = [line["exception"] for line in read(lines)]

    assert SECRET not in lines.getvalue()
    assert len(told) == 4
    for exceptions in told:
        assert exceptions[0]["kind"] == "builtins.ValueError"
        assert "tests/unit/test_logs.py" in exceptions[0]["at"][-1]
        assert exceptions[0]["at"][-1].endswith(" fail_inside")
    assert [link["kind"] for link in told[3]] == ["builtins.ValueError", "builtins.KeyError"]


def test_each_part_of_a_group_is_told(lines: StringIO) -> None:
    structlog.get_logger().error(
        "failed", exc_info=ExceptionGroup(SECRET, [KeyError(SECRET), OSError(SECRET)])
    )

    [line] = read(lines)

    assert SECRET not in lines.getvalue()
    assert [part["kind"] for part in line["exception"][0]["parts"]] == [
        "builtins.KeyError",
        "builtins.OSError",
    ]


def test_what_asyncio_adds_after_its_first_line_is_cut(lines: StringIO) -> None:
    quoted = (
        f"Task exception was never retrieved\nfuture: <Task exception=IntegrityError('{SECRET}')>"
    )
    logging.getLogger("asyncio").error(quoted)

    [line] = read(lines)

    assert line["event"] == "Task exception was never retrieved"


def test_the_server_logs_no_paths(lines: StringIO) -> None:
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1", "GET", "/v1/x?token=y", "1.1", 200
    )

    assert read(lines) == []


def test_the_level_applies_to_our_own_lines(
    lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    structlog.get_logger().debug("too quiet")
    monkeypatch.setattr(sys, "stderr", lines)
    logs.configure("debug")
    structlog.get_logger().debug("loud enough")

    assert [line["event"] for line in read(lines)] == ["loud enough"]


def test_database_errors_are_told_by_their_state(lines: StringIO) -> None:
    class UniqueViolationError(Exception):
        sqlstate = "23505"

    structlog.get_logger().error("failed", exc_info=UniqueViolationError(SECRET))

    [line] = read(lines)

    assert line["exception"][0]["sqlstate"] == "23505"
