"""The private folder of the servers' sockets."""

import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.embedded import files
from app.embedded.account import ServerAccount
from app.embedded.folder import DataFolder
from app.errors import OperatorError

POSTGRES_PORT = 5432  # only the number in the socket's name; nothing listens on a port
POSTGRES_SOCKET = f".s.PGSQL.{POSTGRES_PORT}"
REDIS_SOCKET = "redis.sock"
_LONGEST_BYTES = 100  # the kernels allow 103 to 107
_DIGEST_LENGTH = 20


def choose(folder: DataFolder, *, account: ServerAccount) -> Path:
    """Return the socket folder.

    It is in the data folder, or a private one elsewhere if that name is too long or takes no
    sockets.
    """
    for place in _places(folder, account):
        if len(os.fsencode(place / POSTGRES_SOCKET)) > _LONGEST_BYTES:
            continue
        files.folder(place, owner=(account.uid, account.gid))
        _check(place, account)
        if _accepts_sockets(place):
            return place
    raise OperatorError(
        f"No folder can hold the servers' sockets near {folder.path}. Choose a shorter --data-dir."
    )


def sweep(place: Path, *names: str) -> None:
    """Remove the files of a dead server, with its lock held."""
    for name in names:
        with suppress(FileNotFoundError):
            (place / name).unlink()


def _places(folder: DataFolder, account: ServerAccount) -> Iterator[Path]:
    yield folder.sockets
    digest = hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:_DIGEST_LENGTH]
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 - the folder below is checked to be ours alone
        yield Path(parent) / f"plek-{account.uid}-{digest}"


def _check(place: Path, account: ServerAccount) -> None:
    """Check a folder's owner: in a folder open to all, another user may have made it."""
    status = place.lstat()
    if (
        not stat.S_ISDIR(status.st_mode)
        or status.st_uid != account.uid
        or stat.S_IMODE(status.st_mode) & 0o077
    ):
        raise OperatorError(
            f"{place} must be a folder of user id {account.uid} that nobody else can enter; "
            "remove it."
        )


def _accepts_sockets(place: Path) -> bool:
    """Whether a folder can hold sockets: some network file systems cannot."""
    probe = place / "probe"
    sweep(place, probe.name)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(probe))
    except OSError:
        return False
    finally:
        sweep(place, probe.name)
    return True
