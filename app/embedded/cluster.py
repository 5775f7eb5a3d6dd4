"""The PostgreSQL database cluster: its creation, its settings and its admission rules."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.embedded import files
from app.embedded.account import ServerAccount
from app.embedded.binaries import Binaries
from app.embedded.programs import complaint, run
from app.embedded.sockets import POSTGRES_PORT

DATABASE = "plek"
OWNER = "plek_owner"
APP = "plek_app"
_SUPERUSER = "postgres"  # has no password and no line in pg_hba.conf: it can never log in

_SETTINGS = {
    # Only a socket in a folder that nobody else can enter.
    "listen_addresses": "''",
    "port": str(POSTGRES_PORT),
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    # A small machine that is always on.
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_parallel_workers_per_gather": "0",
    "max_wal_size": "512MB",
    "max_wal_senders": "0",
    "jit": "off",
    # A worker process that was killed lets go of its locks soon.
    "client_connection_check_interval": "2s",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    # Input of people never reaches the log: no statement, no parameter, no detail, and no error
    # of a statement at all (its text may quote a value); the application hears of those. The level
    # `log` still has starts, stops and crashes.
    "logging_collector": "off",
    "log_destination": "'stderr'",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_lock_waits": "off",
    "log_autovacuum_min_duration": "-1",
}

_ADMISSION = f"""\
# Written by Plek at each start.
local all {OWNER} scram-sha-256
local all {APP} scram-sha-256
local all all reject
"""


@dataclass(frozen=True, slots=True)
class Maker:
    """Changes a stopped cluster.

    The programs that it runs hold the server's `lock` too, so they are noticed if this process is
    killed.
    """

    binaries: Binaries
    account: ServerAccount
    lock: int

    def make(self, at: Path, *, secrets: Mapping[str, str], durable: bool) -> None:
        """Make a new cluster with its roles and database at `at`.

        A cluster that is not complete never has that name.
        """
        draft = at.with_name(f"{at.name}.part")
        shutil.rmtree(draft, ignore_errors=True)
        files.folder(draft, owner=(self.account.uid, self.account.gid))
        try:
            self._initdb(draft, durable=durable)
            self.tell(draft, statements=_roles(secrets), durable=durable)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        draft.rename(at)
        files.settle(at.parent)

    def tell(self, at: Path, *, statements: list[str], durable: bool = True) -> None:
        """Run statements as the superuser in single-user mode, its only way in."""
        options = {
            "exit_on_error": "on",
            "log_min_messages": "warning",
            "log_min_error_statement": "panic",
        }
        options |= {"log_error_verbosity": "terse"} | ({} if durable else {"fsync": "off"})
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = self.account.command(
            self.binaries.postgres("postgres"), "--single", "-D", at, *words, "postgres"
        )
        said = "".join(f"{line}\n" for line in statements)
        told = run(command, account=self.account, said=said, keep=(self.lock,))
        if told.code != 0 or any(level in told.text for level in ("ERROR:", "FATAL:", "PANIC:")):
            raise complaint("PostgreSQL", text=told.text, folder=at.parent)

    def _initdb(self, draft: Path, *, durable: bool) -> None:
        command = self.account.command(
            self.binaries.postgres("initdb"),
            f"--pgdata={draft}",
            f"--username={_SUPERUSER}",
            "--auth=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--text-search-config=simple",
            "--data-checksums",
            "--no-instructions",
            *([] if durable else ["--no-sync"]),
        )
        made = run(command, account=self.account, keep=(self.lock,))
        if made.code != 0:
            raise complaint("PostgreSQL", text=made.text, folder=draft.parent)


def passwords(secrets: Mapping[str, str]) -> list[str]:
    """Statements that give the roles these passwords."""
    return [f"ALTER ROLE {role} PASSWORD '{secrets[role]}'" for role in (OWNER, APP)]


def configure(
    at: Path, *, sockets: Path, account: ServerAccount, durable: bool, archive: Mapping[str, str]
) -> None:
    """Replace the settings and the admission rules with those of this release.

    `archive` are the settings of the archive of the write-ahead log, if there is one.
    """
    if durable and is_careless(at):
        os.sync()  # what the tests' settings left to the operating system
    safety = "on" if durable else "off"
    settings = _SETTINGS | {"unix_socket_directories": quote(sockets)} | dict(archive)
    settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), safety)
    lines = [
        "# Written by Plek at each start.",
        *(f"{name} = {value}" for name, value in settings.items()),
    ]
    owner = (account.uid, account.gid)
    files.write(at / "postgresql.conf", "\n".join(lines) + "\n", owner=owner)
    files.write(at / "pg_hba.conf", _ADMISSION, owner=owner)


def is_careless(at: Path) -> bool:
    """Whether the settings, as last written, give up durability."""
    settings = at / "postgresql.conf"
    return settings.exists() and "fsync = off" in settings.read_text(encoding="utf-8").splitlines()


def _roles(secrets: Mapping[str, str]) -> list[str]:
    """The statements that make the owner and the application's role.

    The owner migrates and may make roles and databases. The application's role owns nothing, and
    every rule for rows holds for it.
    """
    return [
        # Stretching is for guessable passwords; these are 256 random bits.
        "SET scram_iterations = 64",
        f"CREATE ROLE {OWNER} LOGIN NOSUPERUSER CREATEDB CREATEROLE",
        f"CREATE ROLE {APP} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS",
        *passwords(secrets),
        f"GRANT {APP} TO {OWNER} WITH ADMIN TRUE, INHERIT FALSE, SET TRUE",
        f"GRANT pg_signal_backend, pg_monitor TO {OWNER}",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}",
        *(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC" for name in ("postgres", "template1")),
        *(f"GRANT CONNECT ON DATABASE {name} TO {OWNER}" for name in ("postgres", "template1")),
    ]


def quote(path: Path) -> str:
    """Return a path as a value in postgresql.conf, in which it is also a list.

    Double quotes keep commas and blanks in.
    """
    inner = str(path).replace('"', '""').replace("'", "''")
    return f"'\"{inner}\"'"
