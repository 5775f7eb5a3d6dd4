"""Put a backup back: all of it in one transaction, or nothing."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from app.backup.archive import Archive
from app.backup.dump import Say
from app.backup.programs import PostgresProgram, connection_settings, find_programs
from app.backup.script import Rows, lines_of
from app.backup.store import restore_statements
from app.database import server
from app.database.server import Condition
from app.database.transaction import Database
from app.errors import OperatorError
from app.schema import newest
from app.seal import Keyring

RULE = re.compile(
    rb"(CREATE POLICY .* ON public\.\S+ (?:AS \w+ )?(?:FOR \w+ )?TO )([^(]+?)( USING| WITH|;)"
)
UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
KNOWN_SINCE = 17
THERE = (b"CREATE SCHEMA public;", b"COMMENT ON SCHEMA public ")
"""The schema is there, and may be another role's."""
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def refuse_key(archive: Archive, keyring: Keyring, *, where: str) -> None:
    """OperatorError unless the keys open everything that is sealed in a backup."""
    missing = [name for name in archive.manifest.keys if name not in keyring.fingerprints]
    if missing:
        raise OperatorError(
            f"{archive.path} was sealed with another key (fingerprint {', '.join(missing)}) than"
            f" {where} holds ({', '.join(keyring.fingerprints)}): nothing personal in it could"
            f" ever be read. Nothing was written. Put the key of its time into {where}, behind the"
            " newest one if there are several, and restore again."
        )


async def restore_backup(
    database: Database, archive: Archive, *, url: str, replace: bool, say: Say
) -> None:
    """Write a backup into a database that is empty, or in place of what it holds.

    `database` and `url` are the owner's. Numbers that streams and caches remember go on beyond all
    that were ever given, and sessions end. Raises OperatorError, and changes nothing, where anybody
    else is connected, where the database is not empty and need not be replaced, or where anything
    fails.
    """
    found = await server.look(database)
    _refuse_server(archive, found)
    if others := await restore_statements.count_others(database):
        raise OperatorError(
            f"Somebody else is connected to the database ({others}): stop every process of Plek"
            " first. Nothing was written."
        )
    if not replace and not await restore_statements.is_empty(database):
        raise OperatorError(
            "The database is not empty. Nothing was written. With --replace everything in it is"
            " dropped and the backup takes its place; make a backup of it first."
        )
    programs = find_programs(max(found.major, archive.manifest.postgres))
    psql = (programs["psql"], "--no-psqlrc", "--quiet", "--output=/dev/null")
    connection = connection_settings(url)
    words = ("--set=ON_ERROR_STOP=1", "--file=-", f"--dbname={connection.dsn}")
    rows = Rows()
    script = lines_of(programs, archive.dump(lambda done, of: say("Restoring", done / (of or 1))))
    owner = await restore_statements.owner(database)
    fitted = _fit_script(script, rows, archive, major=found.major, owner=owner)
    async with (
        PostgresProgram(*psql, *words, connection=connection, feed=True) as process,
        aclosing(script),
    ):
        assert process.stdin is not None  # noqa: S101 - asked for
        process.stdin.write(restore_statements.BEFORE_DUMP.encode())
        async for line in fitted:
            process.stdin.write(line)
            await process.stdin.drain()
        say("Checking and taking up", None)
        # Only now, when all has been fed and fits: without this last word nothing was done.
        made = archive.manifest
        process.stdin.write(restore_statements.after(made.rows, made_at=made.made_at).encode())
        await process.stdin.drain()
        process.stdin.close()


def _refuse_server(archive: Archive, found: Condition) -> None:
    made = archive.manifest
    if made.revision > newest():
        raise OperatorError(
            f"{archive.path} was made by a newer Plek ({made.plek}, migration {made.revision}):"
            " restore it with that release or a newer one. Nothing was written."
        )
    if found.major < made.postgres:
        raise OperatorError(
            f"{archive.path} comes from PostgreSQL {made.postgres}, and this server is"
            f" {found.major}: restore it into one that is as new. Nothing was written."
        )


async def _fit_script(
    script: AsyncIterator[bytes], rows: Rows, archive: Archive, *, major: int, owner: str
) -> AsyncGenerator[bytes]:
    """Yield the script as this server and this owner take it."""
    async for line in script:
        if not rows.sees(line):
            if line.startswith(THERE) or (line == UNKNOWN_BEFORE_17 and major < KNOWN_SINCE):
                continue
            if owner != archive.manifest.owner and line.startswith(b"CREATE POLICY "):
                yield with_owner(line, before=archive.manifest.owner, now=owner)
                continue
        yield line


def with_owner(rule: bytes, *, before: str, now: str) -> bytes:
    """Return the line that makes a rule, for another owner of the tables."""
    found = RULE.match(rule)
    if found is None:
        return rule
    roles = [
        _quote(now) if role.strip() == _quote(before) else role.strip()
        for role in found[2].decode().split(",")
    ]
    return found[1] + ", ".join(roles).encode() + found[3] + rule[found.end() :]


def _quote(role: str) -> str:
    return role if PLAIN.fullmatch(role) else '"' + role.replace('"', '""') + '"'
