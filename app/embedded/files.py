"""Write small private files atomically, never through a planted link."""

import os
from contextlib import suppress
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def write(path: Path, text: str, *, owner: tuple[int, int]) -> None:
    """Replace the file by `text`, readable by `owner` (user id, group id) only.

    Content that is the same is left alone.
    """
    with suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text and not path.is_symlink():
            return
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(
        draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE
    )
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        give(descriptor, owner)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    settle(path.parent)


def folder(path: Path, *, owner: tuple[int, int], mode: int = PRIVATE_FOLDER) -> None:
    """Make the folder if it is not there, for `owner` alone."""
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)  # whatever the umask said
        give(descriptor, owner)
    finally:
        os.close(descriptor)


def settle(path: Path) -> None:
    """Make the names in a folder survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give(descriptor: int, owner: tuple[int, int]) -> None:
    """Hand an open file to its owner; only root can, and only root needs to."""
    if os.geteuid() == 0:
        os.fchown(descriptor, *owner)
