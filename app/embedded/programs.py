"""Run the servers' programs as the right account.

They get nothing of the caller's environment, terminal or folder.
"""

import errno
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.embedded.account import ServerAccount
from app.errors import OperatorError

_TIMEOUT_SECONDS = 300
_DISK_FULL = os.strerror(errno.ENOSPC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a program, and its output."""

    code: int
    text: str


def run(
    command: list[str],
    *,
    account: ServerAccount,
    said: str = "",
    output: int = subprocess.PIPE,
    keep: tuple[int, ...] = (),
) -> Outcome:
    """Run a program to its end, with `said` as its input.

    The descriptors in `keep` stay open in it and its children.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - our own programs, our own words
            command,
            input=said,
            stdout=output,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
            cwd="/",
            umask=0o077,
            user=account.uid if account.drops_by_python else None,
            group=account.gid if account.drops_by_python else None,
            extra_groups=[] if account.drops_by_python else None,
            pass_fds=keep,
            start_new_session=True,  # Ctrl-C is for us, not for the servers
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{Path(command[0]).name} cannot be run as user id {account.uid}: {error}"
        raise OperatorError(message) from error
    return Outcome(code=ended.returncode, text=ended.stdout or "")


def unseen_servers_error(folder: Path) -> str:
    """Return the error for servers that hold their lock but are no processes here."""
    return (
        f"The servers of {folder} run where this Plek cannot see them: in another container or "
        "on another host. "
        "Stop that Plek first, or give this one its own data folder with --data-dir."
    )


def disk_full(folder: Path) -> OperatorError:
    """Return the error for a disk without room."""
    return OperatorError(
        f"The disk of {folder} is full. Make room and start again; what was confirmed is safe."
    )


def complaint(server: str, *, text: str, folder: Path) -> OperatorError:
    """Return the error for a server that would not start, with its last words."""
    if _DISK_FULL in text:
        return disk_full(folder)
    telling = [
        line
        for line in text.splitlines()
        if any(word in line for word in ("FATAL", "PANIC", "rror", "Fatal", "Can't"))
    ]
    last = "\n".join((telling or text.splitlines())[-3:])
    return OperatorError(
        f"{server} did not start in {folder}:\n{last}"
        if last
        else f"{server} did not start in {folder}."
    )
