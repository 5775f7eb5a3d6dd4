"""A request to stop, as by Ctrl-C, and what it does to an act that is under way."""

import asyncio
import signal
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

UNDO_S = 2.0
"""How long what was cancelled may take to undo itself."""
REQUESTS = (signal.SIGTERM, signal.SIGINT)
T = TypeVar("T")


class Stopped(BaseException):
    """Told to stop: not an error, and nothing that a block may swallow."""


def stoppable(act: Coroutine[Any, Any, T]) -> T:
    """Run an act that a request to stop cancels between two of its steps.

    Afterwards such a request does what it did before.

    Raised in the middle of a step, as a handler of signals does, it would leave a connection
    waiting for ever. Many rows on their way do so even where they are cancelled: those are left,
    and undone when their connection ends.
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
def stopping() -> Generator[None]:
    """Turn the first request to stop into Stopped, so that every block ends properly.

    Later ones change nothing.
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
