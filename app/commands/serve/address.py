"""The address to serve at, taken by one process before anything is started for it."""

import errno
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from app.errors import OperatorError

WAITING = 2048
"""The most connections that may wait to be accepted, as uvicorn has it by default."""
PATIENCE_S = 5
"""How long the process that has the address may take to answer."""
ITS_MARK = "API-Version"
"""A header that every answer of a Plek has."""
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


@dataclass(frozen=True, slots=True)
class Address:
    """Where to serve; port 0 takes any free port."""

    host: str
    port: int


@contextmanager
def listen(address: Address) -> Generator[socket.socket]:
    """Listen at the address; raise OperatorError if it is taken, or is no address.

    Linux lets two sockets be bound to one address until one of them listens, so only the one that
    listens has it.
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
            raise OperatorError(_refusal(address, error)) from error
        taken.set_inheritable(True)
        yield taken


def local_address(listening: socket.socket) -> tuple[str, int]:
    """Return the host and port by which this machine itself reaches an address."""
    host: str = listening.getsockname()[0]
    port: int = listening.getsockname()[1]
    return EVERY_ADDRESS.get(host, host), port


def url(host: str, port: int) -> str:
    """Return the address of the pages."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refusal(address: Address, error: OSError) -> str:
    """Return the reason why an address cannot be had, and what to do."""
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
