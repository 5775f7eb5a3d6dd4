"""The archive of the write-ahead log, in the data folder, for going back in time.

It is on for as long as its folder exists, whatever setting a later start has: one start without it
would leave a gap that nothing can be replayed across.
"""

import os
import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.embedded import files
from app.embedded.account import ServerAccount
from app.embedded.folder import DataFolder
from app.errors import OperatorError

NAMED = "%Y%m%dT%H%M%S.%fZ"
"""How a base copy is named: by the moment from which it can be used, UTC."""
KEPT = 2
"""Base copies that are kept, with all the log since the older one."""
SEGMENT_NAME = 24
"""Letters of a segment's name; the first eight are its timeline."""
TIMELINE = 8
AT_MOST_S = 60
"""How much of the last minutes a disaster of the disk can take: a segment is closed that often."""
LEFT_OUT = frozenset({"postmaster.pid", "postmaster.opts", "recovery.signal", "standby.signal"})
EMPTIED = frozenset(
    {"pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots"}
    | {"pg_stat_tmp", "pg_subtrans"}
)
"""Folders whose content a copy does without (PostgreSQL's documentation, 25.3.4)."""
RECOVERY = "recovery.signal"
ASIDE = "postgres.before"

GRANTS = [
    f"GRANT EXECUTE ON FUNCTION {name} TO plek_owner"
    for name in ("pg_backup_start(text, boolean)", "pg_backup_stop(boolean)", "pg_switch_wal()")
]
"""What lets the owner make a base copy; told in the database `postgres`."""


@dataclass(frozen=True, slots=True)
class WalArchive:
    """The archive of one data folder; its files belong to the servers' account."""

    home: DataFolder

    @property
    def folder(self) -> Path:
        """Where all of it is."""
        return self.home.path / "archive"

    @property
    def segments(self) -> Path:
        """Where the log's segments are."""
        return self.folder / "wal"

    @property
    def bases(self) -> Path:
        """Where the base copies are."""
        return self.folder / "base"

    @property
    def aside(self) -> Path:
        """Where the server's folder stands once a copy is in its place."""
        return self.home.path / ASIDE

    @property
    def granted(self) -> Path:
        """What says that the owner may make base copies."""
        return self.folder / "granted"

    @property
    def kept(self) -> bool:
        """Whether the log is archived."""
        return self.segments.is_dir()

    def make(self, account: ServerAccount) -> None:
        """Begin to archive, from the next start on."""
        for folder in (self.folder, self.bases, self.segments):
            files.folder(folder, owner=(account.uid, account.gid))

    def settings(self) -> dict[str, str]:
        """Return what the server has to be told; nothing without an archive."""
        if not self.kept:
            return {}
        where = _word(self.segments)
        # A segment that is there already, after a crash, is fine if it is the same.
        command = (
            f"cmp -s %p {where}/%f || (test ! -e {where}/%f && cp %p {where}/%f.part"
            f" && sync {where}/%f.part && mv {where}/%f.part {where}/%f)"
        )
        return {
            "wal_level": "replica",
            "archive_mode": "on",
            "archive_timeout": f"{AT_MOST_S}s",
            "archive_command": _quote(command),
        }

    def copy(self, account: ServerAccount) -> Path:
        """Copy the server's folder; return the draft. The server is told before and after."""
        draft = self.bases / "next.part"
        shutil.rmtree(draft, ignore_errors=True)
        _copy_folder(self.home.postgres, draft, top=True)
        _give_all(draft, account)
        return draft

    def settle(self, draft: Path, *, label: str, at: datetime, account: ServerAccount) -> Path:
        """Complete a copy with the label that the server gave, name it, and forget older ones."""
        files.write(draft / "backup_label", label, owner=(account.uid, account.gid))
        os.sync()
        named = draft.with_name(at.astimezone(UTC).strftime(NAMED))
        draft.rename(named)
        files.settle(self.bases)
        self._prune()
        return named

    def base_before(self, at: datetime) -> Path:
        """Return the newest base copy from which a moment can be reached."""
        usable = [base for base in self._all_bases() if _moment(base) <= at]
        if not usable:
            there = [f"{_moment(base):%Y-%m-%d %H:%M:%S} UTC" for base in self._all_bases()]
            first = f"the first is of {there[0]}" if there else "there is none yet"
            raise OperatorError(
                f"There is no base copy from before {at:%Y-%m-%d %H:%M:%S} UTC in {self.bases}"
                f" ({first})."
            )
        return usable[-1]

    def put_back(self, base: Path, *, at: datetime, account: ServerAccount) -> None:
        """Put a base copy in the place of the stopped server's folder, to be replayed up to `at`.

        What was there stands aside, as `postgres.before`, until `forget` or `undo`.
        """
        aside, home = self.aside, self.home.postgres
        if aside.exists():
            raise OperatorError(
                f"{aside} is left of an earlier restore: remove it once nothing in it is needed."
            )
        draft = home.with_name("postgres.part")
        shutil.rmtree(draft, ignore_errors=True)
        _copy_folder(base, draft, top=False)
        (draft / RECOVERY).touch()
        wal, last = _word(self.segments), _word(aside / "pg_wal")
        # The last segments were not archived yet; they are taken from where the server left them.
        command = f"cp {wal}/%f %p 2>/dev/null || cp {last}/%f %p"
        lines = {
            "restore_command": _quote(command),
            "recovery_target_time": _quote(at.astimezone(UTC).isoformat(sep=" ")),
            "recovery_target_action": "promote",
            "recovery_target_timeline": "latest",
            # Or it would call itself ready before it is there.
            "hot_standby": "off",
        }
        text = "".join(f"{name} = {value}\n" for name, value in lines.items())
        files.write(draft / "postgresql.auto.conf", text, owner=(account.uid, account.gid))
        _give_all(draft, account)
        os.sync()
        if home.exists():
            home.rename(aside)
        draft.rename(home)
        files.settle(self.home.path)

    def undo(self) -> None:
        """Put back what stood aside; the server is stopped."""
        aside = self.aside
        if aside.exists():
            shutil.rmtree(self.home.postgres, ignore_errors=True)
            aside.rename(self.home.postgres)
            files.settle(self.home.path)

    def forget(self, account: ServerAccount) -> None:
        """Take the replay's settings away; OperatorError unless it has come to its end."""
        if (self.home.postgres / RECOVERY).exists():
            raise OperatorError(f"The replay did not come to its end; see {self.home.log}.")
        settings = self.home.postgres / "postgresql.auto.conf"
        files.write(settings, "", owner=(account.uid, account.gid))

    def _all_bases(self) -> list[Path]:
        return sorted(base for base in self.bases.glob("*Z") if base.is_dir())

    def _prune(self) -> None:
        """Forget all but the last base copies, and the log before the oldest of them."""
        bases = self._all_bases()
        if len(bases) < KEPT:
            return
        oldest = bases[-KEPT]
        for base in bases[:-KEPT]:
            shutil.rmtree(base)
        label = (oldest / "backup_label").read_text(encoding="utf-8")
        first = label.partition("(file ")[2][:SEGMENT_NAME][TIMELINE:]
        for segment in self.segments.iterdir():
            name = segment.name[:SEGMENT_NAME]
            if len(name) == SEGMENT_NAME and name[TIMELINE:] < first:
                segment.unlink()


def _moment(base: Path) -> datetime:
    return datetime.strptime(base.name, NAMED).replace(tzinfo=UTC)


def _copy_folder(source: Path, to: Path, *, top: bool) -> None:
    """Copy a folder whose files may go meanwhile; with `top`, leave out what need not come."""
    to.mkdir(mode=files.PRIVATE_FOLDER)
    for entry in os.scandir(source):
        if entry.name.startswith("pgsql_tmp") or (top and entry.name in LEFT_OUT):
            continue
        if entry.is_dir(follow_symlinks=False):
            if top and entry.name in EMPTIED:
                (to / entry.name).mkdir(mode=files.PRIVATE_FOLDER)
                continue
            _copy_folder(Path(entry.path), to / entry.name, top=False)
        else:
            with suppress(FileNotFoundError):
                shutil.copyfile(entry.path, to / entry.name)
                (to / entry.name).chmod(files.PRIVATE_FILE)


def _give_all(folder: Path, account: ServerAccount) -> None:
    if os.geteuid() != 0:
        return
    for parent, _, names in os.walk(folder):
        for path in (Path(parent), *(Path(parent) / name for name in names)):
            os.chown(path, account.uid, account.gid)


def _word(path: Path) -> str:
    """A path as the shell reads it, in a command in which PostgreSQL reads %."""
    return shlex.quote(str(path)).replace("%", "%%")


def _quote(said: str) -> str:
    return "'" + said.replace("\\", "\\\\").replace("'", "''") + "'"
