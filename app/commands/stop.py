"""Requests to stop, such as Ctrl-C, and what they do to an act under way."""

import asyncio
import signal
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

UNDO_S = 2.0
"""How long a cancelled act may take to undo its work."""
REQUESTS = (signal.SIGTERM, signal.SIGINT)
T = TypeVar("T")


class Stopped(BaseException):
    """A request to stop: no error, and nothing that a block may swallow."""


def run_until_stopped(act: Coroutine[Any, Any, T]) -> T:
    """Run an act that a request to stop cancels between two of its steps.

    Afterwards such a request does what it did before.

    Raised in the middle of a step, as a handler of signals does, it would leave a connection
    waiting for ever. Many rows on their way do so even if they are cancelled: those are left, and
    undone when their connection ends.
    """
    before = {number: signal.getsignal(number) for number in REQUESTS}
    asked = list[int]()
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)
    task = loop.create_task(act)
    task.add_done_callback(lambda _: loop.stop())

    def stop(number: int) -> None:
        asked.append(number)
        task.cancel()
        loop.call_later(UNDO_S, loop.stop)

    try:
        for number in before:
            loop.add_signal_handler(number, stop, number)
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        signal.raise_signal(asked[0])
        raise Stopped
    return task.result()


@contextmanager
def raise_on_stop() -> Generator[None]:
    """Raise Stopped at the first request to stop, so that every block ends properly.

    Later requests change nothing.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in REQUESTS:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in REQUESTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
