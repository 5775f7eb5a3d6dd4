"""`plek doctor`: check one after another what an installation needs.

Exit 1 if anything fails.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import typer

from app import clock, schema
from app.accounts.accounts import provider_slugs
from app.allocation.ranking.versions import NEWEST
from app.commands.installation import BOTH, Installation, open_installation, read_key, settings_with
from app.config import Settings, program
from app.database import counters, server
from app.database.sealing import rotation, sealed_rows
from app.database.sealing.rotation import Tally
from app.database.server import Condition
from app.database.transaction import WORKER, Database
from app.embedded import dead_servers
from app.embedded.folder import FULL_BYTES, free_bytes
from app.errors import OperatorError
from app.events.link import Link
from app.notices.mail_server import MailServer
from app.prepare import OLDEST_POSTGRES
from app.ranking import rankings
from app.seal import KeyFile, Keyring

NEWEST_POSTGRES = 18
OLDEST_REDIS = (6, 2)
SKEW_S = 2.0
MAY_MAKE_TABLES = (
    "PUBLIC may make temporary tables: REVOKE TEMPORARY ON DATABASE ... FROM PUBLIC, as its owner"
)
OWNER_BYPASSES = (
    "the role that migrates is a superuser, or another that bypasses row-level security: functions "
    "that act as it pass every rule; let a role without these rights own the database"
)
OTHERS = 0o077
"""The bits of a file's mode that admit anyone but its owner."""
LITTLE_SPACE = 1 << 30
MOST_HOURS_WITHOUT_BACKUP = 26
"""A day, and time for the backup itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    verdict: str
    """ok, warn or fail."""
    subject: str
    words: str


def examine(data_dir: Path | None) -> None:
    """Check everything and print each finding."""
    failed = asyncio.run(_examine(data_dir))
    if failed:
        raise typer.Exit(1)


async def _examine(data_dir: Path | None) -> bool:
    failed = False
    async for finding in _findings(data_dir):
        typer.echo(f"{finding.verdict:<5} {finding.subject:<11} {finding.words}")
        failed = failed or finding.verdict == "fail"
    return failed


async def _findings(data_dir: Path | None) -> AsyncGenerator[Finding]:
    try:
        settings = settings_with(data_dir)
        yield _settings(settings)
        yield _space(settings.data_dir)
        yield await _mail(settings)
        if settings.embedded and not (settings.data_dir / "postgres").exists():
            yield Finding("warn", "database", f"there is none yet: `{program()} serve` makes it")
            return
        if dead := _dead(settings):
            words = "died; it is not doctor that starts it again, but the Plek that uses it"
            for server in dead:
                yield Finding("fail", server, words)
            return
        with open_installation(settings, wanted=BOTH) as installation:
            yield await _redis(installation)
            async for finding in _database(installation):
                yield finding
    except OperatorError as error:
        yield Finding("fail", "servers", str(error))


def _settings(settings: Settings) -> Finding:
    named = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    own = [name for name, url in named.items() if url is None]
    if not own:
        return Finding("ok", "settings", "DATABASE_URL and REDIS_URL are set")
    words = f"{' and '.join(own)} not set: Plek's own, in {settings.data_dir}"
    return Finding("ok" if len(own) == len(named) else "warn", "settings", words)


async def _mail(settings: Settings) -> Finding:
    """Whether mails can be handed in; none is."""
    mail_server = MailServer.of(settings)
    if mail_server is None:
        words = "PLEK_SMTP_URL is not set: people are told of things on the page alone"
        return Finding("warn", "mail", words)
    try:
        await mail_server.look()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        return Finding("fail", "mail", f"the server takes no mail ({type(error).__name__})")
    link = "" if settings.public_url else "; without PLEK_PUBLIC_URL mails have no link"
    return Finding("ok" if not link else "warn", "mail", f"the server takes mail{link}")


def _dead(settings: Settings) -> list[str]:
    """Return which of Plek's own servers died while others use them."""
    outside = {"postgres": settings.database_url, "redis": settings.redis_url}
    return [name for name in dead_servers(settings.data_dir) if outside[name] is None]


def _space(folder: Path) -> Finding:
    free = free_bytes(folder)
    verdict = "fail" if free < FULL_BYTES else "warn" if free < LITTLE_SPACE else "ok"
    return Finding(verdict, "disk", f"{free >> 20:,} MB free for {folder}")


async def _redis(installation: Installation) -> Finding:
    link = Link(installation.redis_url, prefix="plek:doctor")
    try:
        ask = cast("Callable[[], Awaitable[dict[str, object]]]", link.redis.info)  # pyright: ignore[reportUnknownMemberType] - typed loosely there
        found = await link.ask(ask)
    finally:
        await link.close()
    if found is None:
        return Finding(
            "warn", "redis", "does not answer: booking goes on, screens follow more slowly"
        )
    version = str(found["redis_version"])
    enough = tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_REDIS
    wanted = ".".join(str(part) for part in OLDEST_REDIS)
    return Finding("ok" if enough else "fail", "redis", f"{version}; {wanted} or newer is needed")


async def _database(installation: Installation) -> AsyncGenerator[Finding]:
    try:
        async with installation.owner() as database:
            before = clock.now()
            found = await server.look(database)
            after = clock.now()
        yield _version(found)
        # Between the two readings of the own clock the database read its own.
        skew = max((before - found.at).total_seconds(), (found.at - after).total_seconds(), 0.0)
        yield Finding(
            "ok" if skew < SKEW_S else "fail", "clock", f"{skew:.1f} s apart from the database's"
        )
        yield _migrations(found)
    except OperatorError as error:
        yield Finding("fail", "database", str(error))
        return
    if found.revision is not None and not schema.is_behind(found.revision):
        yield await _key(installation)
        yield await _role(installation)
        yield await _walls(installation)
        yield await _rules(installation)
        yield await _backup(installation)


def _version(found: Condition) -> Finding:
    if found.major < OLDEST_POSTGRES:
        return Finding(
            "fail", "database", f"PostgreSQL {found.version}; {OLDEST_POSTGRES} or newer is needed"
        )
    verdict = "ok" if found.major <= NEWEST_POSTGRES else "warn"
    return Finding(
        verdict,
        "database",
        f"PostgreSQL {found.version}; Plek is tested with {OLDEST_POSTGRES} to {NEWEST_POSTGRES}",
    )


def _migrations(found: Condition) -> Finding:
    wanted = schema.newest()
    if found.revision is None:
        return Finding("fail", "migrations", f"none has run: {program()} migrate")
    if schema.is_behind(found.revision):
        return Finding(
            "fail",
            "migrations",
            f"at {found.revision}, this release needs {wanted}: {program()} migrate",
        )
    return Finding("ok", "migrations", f"at {found.revision}")


async def _key(installation: Installation) -> Finding:
    where, file = installation.key_place, installation.key_file
    try:
        key = installation.settings.key or read_key(file)
        source = None if installation.settings.key else KeyFile(file).read_if_changed
        keyring = None if key is None else Keyring.parse(key, named=where, source=source)
    except OperatorError as error:
        return Finding("fail", "key", str(error))
    async with installation.owner() as database:
        if keyring is None:
            async with database.transaction() as tx:
                used = bool(await sealed_rows.sample(tx))
            if used:
                return Finding("fail", "key", f"{where} is gone: restore it")
            return Finding("warn", "key", f"there is none yet in {where}")
        found = await rotation.survey(database.transaction, keyring=keyring)
    if not installation.settings.key and file.stat().st_mode & OTHERS:
        return Finding("warn", "key", f"others than its owner may read {where}: chmod 600 {where}")
    return _fit(found, keyring=keyring, where=where)


def _fit(found: Tally, *, keyring: Keyring, where: str) -> Finding:
    """Whether the keys open everything sealed, and whether all of them are needed."""
    if found.closed:
        part = "what is sealed: it is another installation's"
        if found.closed < found.seen:
            part = (
                f"{found.closed:,} of {found.seen:,} data keys: one that is needed was taken "
                "out of it"
            )
        return Finding("fail", "key", f"{where} does not open {part}")
    if not found.seen:
        return Finding("ok", "key", f"in {where}; nothing is sealed yet")
    opens = f"in {where}; it opens what is sealed"
    if found.older:
        words = (
            f"{opens}, {found.older:,} of {found.seen:,} data keys with an older key: "
            f"{program()} keys rotate"
        )
        return Finding("warn", "key", words)
    if keyring.older:
        end = "take them out" if where == "PLEK_KEY" else f"{program()} keys retire"
        return Finding("ok", "key", f"{opens}; nothing needs its older keys any more: {end}")
    return Finding("ok", "key", opens)


async def _rules(installation: Installation) -> Finding:
    """Whether every recorded ranking can still be replayed."""
    async with installation.owner() as database, database.transaction() as tx:
        unknown = await rankings.list_unknown_rules(tx)
    if unknown:
        words = (
            f"rankings cite version {', '.join(unknown)}, which this release does not have: "
            "they cannot be replayed"
        )
        return Finding("warn", "rules", words)
    return Finding(
        "ok", "rules", f"version {NEWEST.version}; every recorded ranking can be made again"
    )


async def _backup(installation: Installation) -> Finding:
    """How old the last backup is."""
    async with installation.owner() as database, database.transaction() as tx:
        made_at = await counters.moment(tx, counters.BACKUP)
        if made_at is None:
            words = f"none has been made: {program()} backup FILE"
            return Finding("warn", "backup", words)
        hours = (tx.at - made_at).total_seconds() / 3600
    old = hours > MOST_HOURS_WITHOUT_BACKUP
    return Finding("warn" if old else "ok", "backup", f"the last is {hours:,.1f} hours old")


async def _walls(installation: Installation) -> Finding:
    """Whether the database's own walls stand: functions, triggers, rules, rights, the owner."""
    async with installation.owner() as database, database.transaction() as tx:
        walls = await server.look_at_walls(tx)
        owner_obeys = await server.obeys_rules(tx)
    faults = [
        *(
            f"function {name} has another search_path than the migrations gave it"
            for name in walls.astray
        ),
        *(f"trigger {name} is switched off" for name in walls.off),
        *(f"the owner does not obey the rules of {name}" for name in walls.open_tables),
        *(["keys of the installation can be deleted"] if not walls.keys_kept else []),
        *([MAY_MAKE_TABLES] if walls.temporary else []),
        *([OWNER_BYPASSES] if not owner_obeys else []),
    ]
    if faults:
        return Finding("fail", "walls", "; ".join(faults))
    return Finding(
        "ok", "walls", "functions, triggers, rules for rows and rights are the migrations'"
    )


async def _role(installation: Installation) -> Finding:
    """Whether the service's own role may log in and do what a request begins with."""
    database = Database(replace(installation.settings, pool_size=1), url=installation.database_url)
    try:
        async with database.transaction(actor=WORKER) as tx:
            providers = len(await provider_slugs(tx))
            walled = await server.obeys_rules(tx)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        return Finding("fail", "service", f"its role does not get in ({type(error).__name__})")
    finally:
        await database.close()
    if not walled:
        return Finding(
            "fail",
            "service",
            "its login is a superuser, or another that bypasses row-level security, or may become "
            "one: give DATABASE_URL another",
        )
    return Finding(
        "ok", "service", f"its role gets in and obeys row-level security; {providers} providers"
    )
