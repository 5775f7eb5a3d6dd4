"""Look after Plek's own servers while a process uses them, and start again what died."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import structlog

from app.embedded.servers import EmbeddedServers
from app.errors import OperatorError

LOOK_S: Final = 1.0
TRIES: Final = 3
"""How often starting is tried before the process ends: what uses it cannot go on."""

log = structlog.get_logger()


@contextmanager
def looked_after(servers: EmbeddedServers) -> Generator[None]:
    """Start again within seconds whatever dies before the block ends.

    Where that cannot be done this process is told to stop, and OperatorError says why.
    """
    keeper = _Keeper(servers)
    keeper.start()
    try:
        yield
    finally:
        keeper.ended.set()
        keeper.join()
        if keeper.failure is not None:
            raise keeper.failure


class _Keeper(threading.Thread):
    """Looks once a second, beside what the process is there for."""

    def __init__(self, servers: EmbeddedServers) -> None:
        super().__init__(name="keeper", daemon=True)
        self._servers = servers
        self.ended = threading.Event()
        self.failure: OperatorError | None = None

    def run(self) -> None:
        """Look until the end, or until nothing helps."""
        failed = 0
        while not self.ended.wait(LOOK_S):
            try:
                for server in self._servers.revive():
                    log.warning("server_started_again", server=server)
                failed = 0
            except Exception as error:  # noqa: BLE001 - nobody else looks, should this thread end
                failed += 1
                reason = str(error) if isinstance(error, OperatorError) else type(error).__name__
                log.error("server_not_started", reason=reason)  # noqa: TRY400 - a sentence says it all
                if failed == TRIES:
                    self.failure = OperatorError(reason)
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
