"""Make a database ready for this release: migrate its tables, load a country into it."""

import asyncio
from dataclasses import dataclass, replace

from app import schema
from app.config import Settings
from app.database import server
from app.database.transaction import Database
from app.errors import OperatorError
from app.registry.first_load import load_reference

OLDEST_POSTGRES = 15


@dataclass(frozen=True, slots=True)
class Preparation:
    """The steps that a database needed to be ready."""

    migrated: bool
    loaded: bool


async def prepare(owner_url: str, settings: Settings) -> Preparation:
    """Run missing migrations, and load the reference files into an empty database."""
    database = Database(replace(settings, pool_size=2), url=owner_url, as_owner=True)
    try:
        if await is_behind(database):
            return await _prepare(database, owner_url, settings)
        async with database.transaction() as tx:
            return Preparation(migrated=False, loaded=await load_reference(tx))
    finally:
        await database.close()


async def _prepare(database: Database, owner_url: str, settings: Settings) -> Preparation:
    """Migrate and load, one process after another if several start at once."""
    async with server.alone(database):
        behind = await is_behind(database)
        if behind:
            await asyncio.to_thread(schema.migrate, owner_url, settings)
        async with database.transaction() as tx:
            return Preparation(migrated=behind, loaded=await load_reference(tx))


async def is_behind(database: Database) -> bool:
    """Whether the database lacks migrations of this release.

    Raise OperatorError for a server that is too old, and for tables of another program or branch.
    """
    found = await server.look(database)
    if found.major < OLDEST_POSTGRES:
        raise OperatorError(
            f"PostgreSQL {found.version} is too old: Plek needs {OLDEST_POSTGRES} or newer."
        )
    return schema.is_behind(found.revision)
