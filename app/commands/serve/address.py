"""The address to serve at.

Taken by one process alone, before anything is started for it.
"""

import errno
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from app.errors import OperatorError

WAITING = 2048
"""Connections that may wait to be taken up; what uvicorn has by default."""
PATIENCE_S = 5
"""How long the one who has the address may take to say who it is."""
ITS_MARK = "API-Version"
"""A header that every answer of a Plek has."""
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


@dataclass(frozen=True, slots=True)
class Address:
    """Where to serve; port 0 takes any free one."""

    host: str
    port: int


@contextmanager
def bound(address: Address) -> Generator[socket.socket]:
    """Take the address and listen there; OperatorError where it is taken, or is none.

    Linux lets two sockets be bound to one address until one of them listens, so only who listens
    has it.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OperatorError(
            f"{address.host} is not an address of this machine: {error.strerror}."
        ) from error
    with taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(where)
            taken.listen(WAITING)
        except OSError as error:
            raise OperatorError(_refused(address, error)) from error
        taken.set_inheritable(True)
        yield taken


def near(listening: socket.socket) -> tuple[str, int]:
    """Return the host and port by which this machine itself reaches an address."""
    host: str = listening.getsockname()[0]
    port: int = listening.getsockname()[1]
    return EVERY_ADDRESS.get(host, host), port


def url(host: str, port: int) -> str:
    """Return the address of the pages."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refused(address: Address, error: OSError) -> str:
    """Say why an address cannot be had, who has it, and what to do."""
    where = f"{address.host} port {address.port}"
    if error.errno != errno.EADDRINUSE:
        return f"{where} cannot be used: {error.strerror}. Choose another with --port."
    host = EVERY_ADDRESS.get(address.host, address.host)
    if not _is_plek(host, address.port):
        return (
            f"{where} is taken: another program has it. Choose another with --port (make run "
            "PORT=8001)."
        )
    return (
        f"{where} is taken: another Plek serves there. Open {url(host, address.port)}, stop "
        "that one, "
        "or choose another with --port (make run PORT=8001)."
    )


def _is_plek(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().getheader(ITS_MARK) is not None
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
