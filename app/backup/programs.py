"""PostgreSQL's own programs, found and called so that they see every row."""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import IO
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from app.embedded import binaries
from app.errors import OperatorError

NEEDED = ("pg_dump", "pg_restore", "psql")
DEBIANS = Path("/usr/lib/postgresql")
VERSION = re.compile(rb"\(PostgreSQL\) (\d+)")
LONGEST_LINE = 1 << 30
"""Bytes of the longest row: PostgreSQL itself has none longer."""
TELLS = 3
"""Lines of a program's complaint that are passed on."""

UNDERSTOOD = frozenset({"host", "port", "user", "dbname", "passfile", "target_session_attrs"})
"""Parameters of a URL that libpq knows as asyncpg does, beside those that begin with `ssl`."""
EVERY_ROW = {"plek.actor": "operator"}
"""As whom the programs ask: rules for rows show the operator everything."""


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder that has all of the programs, and their major version."""

    folder: Path
    major: int

    def __getitem__(self, name: str) -> str:
        """Return where a program is."""
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How the programs reach a database.

    Passwords go by the environment, which other users cannot read.
    """

    dsn: str
    environment: Mapping[str, str] = field(repr=False)


def find_programs(server_major: int) -> Programs:
    """Return the programs that go with a server: of its major version, or the next newer ones.

    Raises OperatorError that says what to install.
    """
    found = [programs for folder in _folders() if (programs := _programs_in(folder)) is not None]
    fitting = [programs for programs in found if programs.major >= server_major]
    if not fitting:
        there = ", ".join(str(one.major) for one in found) or "none"
        raise OperatorError(
            f"The database is PostgreSQL {server_major}, and its backup needs pg_dump, pg_restore"
            f" and psql of version {server_major} or newer (found here: {there}). Install them: on"
            f" Debian and Ubuntu `apt install postgresql-client-{server_major}` (from"
            " apt.postgresql.org where the distribution is older), on Fedora and RHEL"
            f" `dnf install postgresql{server_major}`; then they are found by themselves."
        )
    return min(fitting, key=lambda programs: programs.major)


def connection_settings(url: str) -> ConnectionSettings:
    """Return how libpq's programs reach what a URL of asyncpg's names, as its operator."""
    parts = urlsplit(url)
    userinfo, at, hosts = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    password = query.pop("password", unquote(password))
    if "ssl" in query:
        query["sslmode"] = {"true": "require", "false": "disable"}.get(
            named := query.pop("ssl"), named
        )
    known = {
        name: query.pop(name) for name in list(query) if name in UNDERSTOOD or name[:3] == "ssl"
    }
    if "," in hosts:  # as Plek itself chooses among them
        known.setdefault("target_session_attrs", "read-write")
    options = " ".join(f"-c {name}={_escape(said)}" for name, said in (query | EVERY_ROW).items())
    environment = {"PGOPTIONS": options, "PGAPPNAME": "plek backup", "PGCONNECT_TIMEOUT": "10"}
    if password:
        environment["PGPASSWORD"] = password
    dsn = f"postgresql://{user}{at}{hosts}{parts.path}?{urlencode(known, quote_via=quote)}"
    return ConnectionSettings(dsn, environment)


class PostgresProgram:
    """A program that runs as long as a block lasts, is read in it, and fed if asked.

    By the end of the block it must have ended well: OperatorError, with its last words, where it
    failed. Where the block itself fails it is killed.
    """

    def __init__(
        self, *command: str, connection: ConnectionSettings | None = None, feed: bool = False
    ) -> None:
        self._command, self._connection, self._feed = command, connection, feed
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the block

    async def __aenter__(self) -> asyncio.subprocess.Process:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE if self._feed else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._said,
            env=_environment(self._connection),
            limit=LONGEST_LINE,
        )
        return self._process

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for its end, or make one."""
        with self._said:
            process = self._process
            gone = isinstance(error, BrokenPipeError | ConnectionResetError)
            if error is not None and not gone:
                if process.returncode is None:
                    process.kill()
                await process.wait()
                return
            if await process.wait() != 0 or gone:
                words = _last_words(self._said)
                raise OperatorError(f"{Path(self._command[0]).name} failed: {words}") from error


def _environment(connection: ConnectionSettings | None) -> dict[str, str]:
    plain = {"LC_ALL": "C", "PATH": os.defpath, "HOME": os.environ.get("HOME", "/")}
    return plain | ({} if connection is None else dict(connection.environment))


def _last_words(said: IO[bytes]) -> str:
    """What went wrong, without what PostgreSQL quotes of a row (CONTEXT, DETAIL, a COPY line)."""
    said.seek(0)
    lines = said.read().decode(errors="replace").splitlines()
    told = [line for line in lines if re.search(r"error|ERROR|FATAL", line)]
    return "; ".join((told or ["it said nothing"])[:TELLS])


def _folders() -> Iterator[Path]:
    with suppress(OperatorError):  # no wheel for this platform
        yield binaries.find().postgres_folder
    if DEBIANS.is_dir():
        yield from (folder / "bin" for folder in sorted(DEBIANS.iterdir()))
    if (found := which("pg_dump")) is not None:
        yield Path(found).parent


def _programs_in(folder: Path) -> Programs | None:
    if not all(os.access(folder / name, os.X_OK) for name in NEEDED):
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, our own words
            [str(folder / "pg_dump"), "--version"], capture_output=True, check=False, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = VERSION.search(said)
    return None if version is None else Programs(folder, int(version[1]))


def _escape(said: str) -> str:
    return re.sub(r"([\\ ])", r"\\\1", said)
