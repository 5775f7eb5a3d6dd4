"""File locks: the kernel's word on who uses a data folder.

A lock ends with the process that held it, however that died. A lock belongs to an open file and so
to every process that inherited it. So the servers' own locks work: the starter takes the lock and
hands the open file to the server, and every process of the server holds it for as long as it lives.
A process id can be taken over by a stranger, and means nothing in another container; a lock does
not lie.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.errors import OperatorError

_PAUSE_SECONDS = 0.01


def hold(path: Path, *, shared: bool = False, within_seconds: float = 0.0) -> int | None:
    """Lock the file and return its descriptor (closing it unlocks).

    None if others held it all that time.
    """
    descriptor = _open(path)
    wanted = fcntl.LOCK_NB | (fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            fcntl.flock(descriptor, wanted)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(_PAUSE_SECONDS)
        except OSError as error:
            os.close(descriptor)
            raise OperatorError(
                f"The file system of {path.parent} has no file locks ({error.strerror}). "
                "Choose a data folder on a local disk with --data-dir."
            ) from error
        else:
            return descriptor


def is_held(path: Path) -> bool:
    """Whether any process holds this lock now."""
    descriptor = hold(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


@contextmanager
def hold_for_block(path: Path, *, within_seconds: float) -> Generator[int]:
    """Hold the lock for the time of a block.

    Raise OperatorError if others do not release it.
    """
    descriptor = hold(path, within_seconds=within_seconds)
    if descriptor is None:
        raise OperatorError(
            f"Another Plek has been starting or stopping on {path.parent} for "
            f"{within_seconds:.0f} seconds; try again."
        )
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except PermissionError as error:
        raise OperatorError(
            f"{path.parent} is another user's data folder. Start Plek as its owner, or choose "
            "another with --data-dir."
        ) from error
    return descriptor
