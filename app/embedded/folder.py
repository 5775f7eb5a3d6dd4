"""The data folder: its files, the check that this release may use it, its secrets."""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from app.embedded import files
from app.embedded.binaries import POSTGRES_MAJOR
from app.errors import OperatorError

LAYOUT = 1
"""Version of the arrangement of files in a data folder."""

ELSEWHERE = "Start Plek as its owner, or choose another data folder with --data-dir."

SECRET_NAMES = ("plek_owner", "plek_app", "redis")
_SECRET_BYTES = 32
_MEBIBYTE = 1 << 20
FIRST_FREE_BYTES = 256 * _MEBIBYTE
"""The room for a new database cluster and its first growth."""
FULL_BYTES = 64 * _MEBIBYTE
"""The least room to start an existing cluster: four segments of write-ahead log."""
_ROOTS_MODE = (
    0o711  # root's servers run as another account, which must pass through; nobody can list it
)
_LOG_LIMIT_BYTES = 4 * _MEBIBYTE
_LOG_KEPT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Names of the files in one data folder."""

    path: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's own folder."""
        return self.path / "postgres"

    @property
    def redis(self) -> Path:
        """Redis's own folder."""
        return self.path / "redis"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets if their names fit."""
        return self.path / "run"

    @property
    def passport(self) -> Path:
        """The file that names the folder's layout."""
        return self.path / "plek.json"

    @property
    def secrets(self) -> Path:
        """The servers' passwords."""
        return self.path / "secrets.json"

    @property
    def log(self) -> Path:
        """PostgreSQL's log."""
        return self.path / "postgres.log"

    def lock(self, name: str) -> Path:
        """One of the lock files: users, start, postgres, redis."""
        return self.path / f"{name}.lock"

    @property
    def owner(self) -> tuple[int, int]:
        """The user and group id of the folder's owner."""
        status = self.path.stat()
        return status.st_uid, status.st_gid


def enter(path: Path) -> DataFolder:
    """Make the folder if it does not exist; raise OperatorError if it cannot be used."""
    folder = DataFolder(path.expanduser().absolute())
    try:
        if not folder.path.is_dir():
            folder.path.parent.mkdir(parents=True, exist_ok=True)
            mode = _ROOTS_MODE if os.geteuid() == 0 else files.PRIVATE_FOLDER
            files.folder(folder.path, owner=(os.geteuid(), os.getegid()), mode=mode)
        folder = DataFolder(folder.path.resolve())
        usable = folder.path.is_dir() and os.access(folder.path, os.R_OK | os.W_OK | os.X_OK)
    except OSError as error:
        raise OperatorError(
            f"The data folder {folder.path} cannot be made: {error.strerror}. {ELSEWHERE}"
        ) from error
    if not usable:
        raise OperatorError(
            f"{folder.path} is not a folder that this user can write to. {ELSEWHERE}"
        )
    return folder


def check(folder: DataFolder) -> None:
    """Raise OperatorError if the folder is another version's."""
    _check_layout(folder)
    _check_postgres(folder)


def free_bytes(path: Path) -> int:
    """Return the room on a folder's disk; of the nearest folder above while it is not there."""
    whole = path.absolute()
    return shutil.disk_usage(next(one for one in (whole, *whole.parents) if one.exists())).free


def check_space(folder: DataFolder, *, least_free_bytes: int | None) -> None:
    """Raise OperatorError if the disk is too full to start PostgreSQL there."""
    usual = FULL_BYTES if folder.postgres.exists() else FIRST_FREE_BYTES
    wanted = usual if least_free_bytes is None else least_free_bytes
    free = free_bytes(folder.path)
    if free < wanted:
        raise OperatorError(
            f"The disk of {folder.path} is full: {free >> 20} MB free, at least {wanted >> 20} "
            "MB needed. "
            "Make room and start again."
        )


def _check_layout(folder: DataFolder) -> None:
    if not folder.passport.exists():
        return
    layout = _read(folder.passport).get("layout")
    if not isinstance(layout, int) or layout > LAYOUT:
        raise OperatorError(
            f"The data folder {folder.path} was made by a newer Plek (layout {layout}, this one "
            f"knows {LAYOUT}). "
            "Use that release or a newer one."
        )


def _check_postgres(folder: DataFolder) -> None:
    if not folder.postgres.exists():
        return
    try:
        major = (folder.postgres / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise OperatorError(
            f"{folder.postgres} holds something else than a PostgreSQL database. {ELSEWHERE}"
        ) from None
    except PermissionError as error:
        raise OperatorError(f"{folder.postgres} belongs to another user. {ELSEWHERE}") from error
    if major != POSTGRES_MAJOR:
        raise OperatorError(
            f"{folder.postgres} was made by PostgreSQL {major}; this Plek brings PostgreSQL "
            f"{POSTGRES_MAJOR}. Use the "
            "release of Plek that made it, or dump the database there and restore it into a new "
            "data folder."
        )


def foreign_database_error(folder: DataFolder) -> OperatorError:
    """Return the error for a database that Plek did not make."""
    return OperatorError(
        f"{folder.postgres} holds a PostgreSQL database that Plek did not make. {ELSEWHERE}"
    )


def sign(folder: DataFolder, *, sockets: Path) -> None:
    """Write down the layout, and the folder of the running servers' sockets."""
    content = {"layout": LAYOUT, "postgres": POSTGRES_MAJOR, "sockets": str(sockets)}
    files.write(folder.passport, json.dumps(content, indent=1) + "\n", owner=folder.owner)


def signed_sockets(folder: DataFolder) -> Path | None:
    """The folder of the sockets, as it was written down; None if it was not."""
    if not folder.passport.exists():
        return None
    sockets = _read(folder.passport).get("sockets")
    return Path(sockets) if isinstance(sockets, str) else None


def read_secrets(folder: DataFolder) -> Mapping[str, str] | None:
    """Return the servers' passwords by role; None if any is missing."""
    if not folder.secrets.exists():
        return None
    found = _read(folder.secrets)
    known = {name: str(found[name]) for name in SECRET_NAMES if found.get(name)}
    return known if len(known) == len(SECRET_NAMES) else None


def draw_secrets() -> Mapping[str, str]:
    """Return new random passwords, not yet written down."""
    return {name: secrets.token_hex(_SECRET_BYTES) for name in SECRET_NAMES}


def write_secrets(folder: DataFolder, drawn: Mapping[str, str]) -> None:
    """Keep the passwords, readable by the folder's owner only."""
    files.write(folder.secrets, json.dumps(dict(drawn), indent=1) + "\n", owner=folder.owner)


def open_log(path: Path, *, owner: tuple[int, int]) -> int:
    """Return a descriptor to append to a server's log, cut if it has grown long."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, files.PRIVATE_FILE)
    files.give(descriptor, owner)
    size = os.fstat(descriptor).st_size
    if size > _LOG_LIMIT_BYTES:
        kept = os.pread(descriptor, _LOG_KEPT_BYTES, size - _LOG_KEPT_BYTES)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, kept)
    return descriptor


def _read(path: Path) -> dict[str, object]:
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except PermissionError as error:
        raise OperatorError(f"{path} belongs to another user. {ELSEWHERE}") from error
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise OperatorError(f"{path} is damaged; restore it from a backup of the data folder.")
    return cast("dict[str, object]", content)
