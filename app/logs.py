"""Logs: JSON lines to stderr, without personal data.

An exception is logged by its kind and the places in the code that it came through. Its message and
the values of variables are left out: a database error quotes the row, a validation error the input.
"""

import logging
import re
import sys
import threading
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from app.stderr import Stderr

ROOT = Path(__file__).parent.parent
DEEPEST = 25
"""The most frames of an exception that are logged, the innermost ones."""
CALLBACK = re.compile(r"(Exception in callback) .*")
"""The beginning of asyncio's message, which goes on with the callback's arguments."""


def configure(level: str = "info") -> None:
    """Send this process's logs, and those of its libraries, to stderr as JSON.

    A line that cannot be written is lost and counted; nothing fails or waits for it.
    """
    stderr = guard_stderr()
    lowest = logging.getLevelNamesMapping()[level.upper()]
    ours: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        tell_exception,
    ]
    structlog.configure(
        processors=[*ours, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", stderr)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *ours, quote_nobody],
            pass_foreign_args=True,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(lowest, logging.INFO))
    _take_over("uvicorn", "uvicorn.error", "asyncio", "alembic")
    # Its lines have raw paths; the edge logs each request by its route instead.
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False


def guard_stderr() -> Stderr:
    """Put a stream that cannot fail in the place of stderr, unless it is there; return it."""
    if not isinstance(sys.stderr, Stderr):
        sys.stderr = Stderr(sys.stderr)
    return sys.stderr


def take_lost_lines() -> int:
    """Return how many lines stderr has lost since this was last asked."""
    return sys.stderr.take_lost() if isinstance(sys.stderr, Stderr) else 0


def tell_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its kind and its places in the code, with its causes."""
    error = _exception(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = [_describe_error(link) for link in chain(error)]
    event.pop("stack_info", None)
    return event


def quote_nobody(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Cut a library's message to its first line, and exceptions in it to their kind.

    asyncio goes on quoting after the first line.
    """
    said = str(event["event"])
    arguments: Iterable[object] = event.pop("positional_args", None) or ()
    for argument in arguments:
        if isinstance(argument, BaseException):
            for words in filter(None, (repr(argument), str(argument))):
                said = said.replace(words, type(argument).__name__)
    event["event"] = CALLBACK.sub(r"\1", said.partition("\n")[0])
    return event


def watch() -> None:
    """Log what nothing catches in a thread or a finalizer, too.

    By itself Python writes it out in full.
    """
    threading.excepthook = lambda given: log_uncaught(given.exc_value)
    sys.unraisablehook = lambda given: log_uncaught(given.exc_value)


def log_uncaught(error: BaseException | None) -> None:
    """Log an exception that ended a command, a thread or a finalizer."""
    if not isinstance(error, SystemExit):
        structlog.get_logger().critical("uncaught", exc_info=error)


def _take_over(*names: str) -> None:
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


def _exception(given: ExcInfo | BaseException | bool | None) -> BaseException | None:  # noqa: FBT001 - as logging has it
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1]
    return sys.exc_info()[1] if given else None


def chain(error: BaseException) -> list[BaseException]:
    """Return an exception and its causes, the innermost last."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return chain


def _describe_error(error: BaseException) -> dict[str, object]:
    told: dict[str, object] = {"kind": f"{type(error).__module__}.{type(error).__qualname__}"}
    if isinstance(state := getattr(error, "sqlstate", None), str):
        told["sqlstate"] = state
    if isinstance(error, BaseExceptionGroup):
        parts: tuple[BaseException, ...] = error.exceptions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - of any kind
        told["parts"] = [_describe_error(part) for part in parts]
    told["at"] = _places(error.__traceback__)
    return told


def _places(trace: TracebackType | None) -> list[str]:
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{_short(code.co_filename)}:{trace.tb_lineno} {code.co_qualname}")
        trace = trace.tb_next
    return places[-DEEPEST:]


def _short(filename: str) -> str:
    """Return a file's path without this machine's folders."""
    path = Path(filename)
    if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
        return str(path.relative_to(ROOT))
    return "/".join(path.parts[-2:])
