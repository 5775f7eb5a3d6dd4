"""Run migrations as the owner, each in a transaction of its own, with time-outs."""

import asyncio
import os
from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, event, pool
from sqlalchemy.ext.asyncio import create_async_engine

from app.config import read_settings
from app.database.connections.bounds import for_commands
from app.database.connections.hosts import hosts_of
from app.database.connections.lines import open_line
from app.errors import OperatorError
from app.models import Base
from migrations import sql

LOCK_TIMEOUT = "4s"
STATEMENT_TIMEOUT = "60s"
"""So that a migration never queues behind traffic, and traffic behind it."""
LAST_OF_MANY = "f9483c018055dfa666f33663fcac4b28b7d6d695"
"""The commit whose migrations lead to the first one that is left."""


def url() -> str:
    """Return where to migrate: handed over by the caller, else the environment's."""
    given = (
        context.config.attributes.get("url")
        or os.environ.get("PLEK_OWNER_URL")
        or os.environ.get("DATABASE_URL")
    )
    if given is None:
        message = "Nothing to migrate: use `plek migrate`, or set PLEK_OWNER_URL or DATABASE_URL."
        raise SystemExit(message)
    return f"postgresql+asyncpg://{given.partition('://')[2]}"


def refuse_older(connection: Connection) -> None:
    """Raise OperatorError for a database that stopped short of the first migration here."""
    at = MigrationContext.configure(connection).get_current_revision()
    first = context.script.get_base()
    if at is not None and first is not None and at < first:
        message = (
            f"This database is at migration {at}, and this release begins at {first}: all"
            f" migrations before it became one. Run `plek migrate` of commit {LAST_OF_MANY}"
            " on it first, then that of this release."
        )
        raise OperatorError(message)


def apply_files(
    ctx: MigrationContext,  # noqa: ARG001 - named so by alembic, as the others
    step: MigrationInfo,
    heads: Collection[Any],  # noqa: ARG001
    run_args: Mapping[str, Any],  # noqa: ARG001
) -> None:
    """Apply every file of functions and rules with the step to the newest migration."""
    if step.is_upgrade and step.up_revision_id == context.script.get_current_head():
        sql.apply_files(*sql.SUBJECTS)


def run(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    refuse_older(connection)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        on_version_apply=apply_files,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def bounded(connection: Connection) -> None:
    """Say at the beginning of each transaction how long it may wait, and who asks.

    For that transaction alone: behind PgBouncer the next one may be another user's.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
    # Row-level security holds for the owner too.
    connection.exec_driver_sql("SET LOCAL plek.actor = 'operator'")


async def online() -> None:
    """Connect as the owner and migrate."""
    settings = context.config.attributes.get("settings") or read_settings()
    hosts, bounds = hosts_of(url()), for_commands(settings)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=pool.NullPool,
        async_creator=lambda: open_line(hosts, settings, bounds),
        # Behind PgBouncer names that another connection gave may be taken.
        connect_args={
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"migrating_{uuid4().hex}",
        },
    )
    async with engine.connect() as connection:
        event.listen(connection.sync_connection, "begin", bounded)
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
        on_version_apply=apply_files,
    )
    with context.begin_transaction():
        context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        context.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        context.run_migrations()
elif "connection" in context.config.attributes:
    run(context.config.attributes["connection"])
else:
    asyncio.run(online())
