"""The system account of the servers, and how a program starts as that account.

PostgreSQL refuses to run as root. An ordinary user runs the servers itself. Root picks the account
that owns the data folder, else `postgres`, else `nobody`. If that account cannot reach the programs
or the data (a checkout below /root), the servers get the one Linux capability that passes closed
folders, and no folder is opened to others.
"""

import os
import pwd
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.errors import OperatorError

_CANDIDATES = ("postgres", "nobody")
_DAC_OVERRIDE = 1
_DAC_READ_SEARCH = 2
_SETPCAP = 8


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The account that runs the servers; `switches` if it is not the present process's."""

    uid: int
    gid: int
    switches: bool
    capability: str | None = None

    def command(self, *words: str | Path) -> list[str]:
        """The words of a command, run through setpriv where the account needs a capability."""
        plain = [str(word) for word in words]
        if self.capability is None:
            return plain
        return [
            "setpriv",
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            f"--inh-caps=+{self.capability}",
            f"--ambient-caps=+{self.capability}",
            # Or access(2), by which PostgreSQL finds its programs, ignores it.
            "--securebits=+no_setuid_fixup",
            "--",
            *plain,
        ]

    @property
    def drops_by_python(self) -> bool:
        """Whether the process start itself changes the user (else setpriv does, or nobody)."""
        return self.switches and self.capability is None


OURSELVES = ServerAccount(uid=os.geteuid(), gid=os.getegid(), switches=False)


def choose(data_dir: Path, *, owned: Path) -> ServerAccount:
    """Return the account for this data folder.

    The owner of `owned` (PostgreSQL's folder, if it exists) comes first.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        return ServerAccount(uid=uid, gid=gid, switches=False)
    for folder in (owned, data_dir):
        status = folder.stat() if folder.exists() else None
        if status is not None and status.st_uid != 0:
            return ServerAccount(uid=status.st_uid, gid=status.st_gid, switches=True)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerAccount(uid=entry.pw_uid, gid=entry.pw_gid, switches=True)
    raise OperatorError(
        "PostgreSQL does not run as root, and there is no account postgres or nobody: start "
        "Plek as another user."
    )


def with_capability(
    account: ServerAccount, *, programs: Iterable[Path], folders: Iterable[Path]
) -> ServerAccount:
    """Return the account, with a capability if these programs and folders need one."""
    if not account.switches:
        return account
    programs = list(programs)
    closed_program = next((p for p in programs if not _permits(account, p, read=True)), None)
    closed_folder = next(
        (
            parent
            for path in (*programs, *folders)
            for parent in path.resolve().parents
            if not _permits(account, parent)
        ),
        None,
    )
    blocked = closed_program or closed_folder
    if blocked is None:
        return account
    capability = _capability(execute=closed_program is not None)
    if capability is None or shutil.which("setpriv") is None:
        user = _name(account.uid)
        raise OperatorError(
            f"Running as root, Plek starts its servers as {user}, who may not enter {blocked}. "
            "Start Plek as an "
            "ordinary user, or put the checkout and the data folder where everyone may pass, "
            "for example below /srv."
        )
    return ServerAccount(uid=account.uid, gid=account.gid, switches=True, capability=capability)


def _permits(account: ServerAccount, path: Path, *, read: bool = False) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        wanted = stat.S_IXUSR | (stat.S_IRUSR if read else 0)
    elif status.st_gid == account.gid:
        wanted = stat.S_IXGRP | (stat.S_IRGRP if read else 0)
    else:
        wanted = stat.S_IXOTH | (stat.S_IROTH if read else 0)
    return status.st_mode & wanted == wanted


def _capability(*, execute: bool) -> str | None:
    """The least capability that helps and is ours.

    Reading passes folders; only overriding runs a closed program.
    """
    held = _held_capabilities()
    if not held >> _SETPCAP & 1:
        return None
    if not execute and held >> _DAC_READ_SEARCH & 1:
        return "dac_read_search"
    return "dac_override" if held >> _DAC_OVERRIDE & 1 else None


def _held_capabilities() -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux: no capabilities
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
