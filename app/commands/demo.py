"""`plek demo`: the demo country, for an empty database that Plek started itself."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import typer

from app import bookkeeping
from app.accounts import accounts
from app.commands.installation import Installation, opened, say, settings_with
from app.commands.progress import Progress
from app.commands.stop import stoppable
from app.config import Settings
from app.database import server
from app.database.transaction import WORKER, Database, Transaction
from app.demo import demo, people
from app.demo.past import write
from app.demo.past.live import live_through
from app.demo.past.write import Reach, to_nobody
from app.errors import OperatorError
from app.reference import load
from app.simulation.country.values import DemoCountry

LIVED_FROM, LIVED_TO = 0.05, 0.5
"""Which shares of the work are done when the past begins to be lived through, and when it has been:
of the time."""


def fill(data_dir: Path | None, *, seed: int, with_past: bool) -> None:
    """Fill an empty embedded database.

    With a past, or as a country that begins today.
    """
    settings = settings_with(data_dir)
    refuse_elsewhere(settings)
    progress = Progress(say)
    progress.reach("Starting the servers")
    with progress.telling(), opened(settings) as installation:
        progress.reach("Making the database ready")
        told = stoppable(
            _filled(installation, seed=seed, with_past=with_past, reach=progress.reach)
        )
        progress.reach("Stopping the servers")
    typer.echo(told)


async def show(installation: Installation, *, seed: int, reach: Reach) -> None:
    """Fill the database if it is empty.

    Raise OperatorError if something else than the demo country is in it.

    Of several that come at once, one fills it and the others wait for that.
    """
    told = None
    async with _turn(installation, reach=reach) as tx:
        shown = await accounts.is_demo_shown(tx)
        if shown is False:
            raise OperatorError("This database holds providers of its own: start without --demo.")
        if shown:
            await people.make_ready(tx)
        else:
            told = await _founded(installation, tx, seed=seed, with_past=True, reach=reach)
    if told is not None:
        await _signed(installation)
        say(told)


async def _filled(installation: Installation, *, seed: int, with_past: bool, reach: Reach) -> str:
    """Fill the database, and say what was made."""
    async with _turn(installation, reach=reach) as tx:
        told = await _founded(installation, tx, seed=seed, with_past=with_past, reach=reach)
    if with_past:
        await _signed(installation)
    return told


@asynccontextmanager
async def _turn(installation: Installation, *, reach: Reach) -> AsyncGenerator[Transaction]:
    """Begin a transaction in which nobody else fills this database."""
    async with installation.transaction() as tx:
        if not await server.is_alone_with(tx, server.DEMO):
            reach("Another Plek fills this database with the demo country: waiting for it", 0)
            await server.await_turn(tx, server.DEMO)
        yield tx


async def _founded(
    installation: Installation, tx: Transaction, *, seed: int, with_past: bool, reach: Reach
) -> str:
    """Found the country and its people, and say what was made."""
    reach("Filling the demo country: providers, sites and places", 0)
    tx = await installation.unlocked(tx)
    told = [_told(await demo.fill(tx, seed=seed))]
    if with_past:
        told.append(await live(tx, seed=seed, reach=reach))
    await people.make_ready(tx)
    return "\n".join(told)


async def _signed(installation: Installation) -> None:
    """Sign the ledger at once.

    A controller who looks at it need not wait for the worker.
    """
    async with installation.owner() as owner, owner.entered() as tx:
        keyring = await installation.keyring(tx)
    database = Database(installation.settings, url=installation.database_url, keyring=keyring)
    try:
        await sign(database)
    finally:
        await database.close()


async def live(
    tx: Transaction,
    *,
    seed: int,
    quarters: int = write.QUARTERS,
    reach: Reach = to_nobody,
) -> str:
    """Let the demo country, just filled, have lived until now; say how long."""
    here = await write.setting(tx, quarters=quarters)
    policy = (await tx.snapshots.reference(tx)).policy
    days, unwanted = count(1), threading.Event()

    def midnight() -> None:
        if unwanted.is_set():
            raise asyncio.CancelledError
        share = LIVED_FROM + (LIVED_TO - LIVED_FROM) * next(days) / here.ground.days
        reach("Filling the demo country: living through its past", share)

    try:
        past = await asyncio.to_thread(
            live_through, load(), policy, here.ground, seed=seed, progress=midnight
        )
    except asyncio.CancelledError:
        unwanted.set()  # a thread ends by itself alone, and a program waits for its threads
        raise
    came = await write.write(
        tx,
        past,
        here,
        seed=seed,
        reach=lambda task, share: reach(
            f"Filling the demo country: {task}", LIVED_TO + (1 - LIVED_TO) * share
        ),
    )
    return f"Its past: {came:,} households that came to a place since {here.began:%Y-%m-%d}."


async def sign(database: Database) -> None:
    """Sign the ledger as the worker does, so that it can be checked at once.

    Releasing the monitor's figures takes longer, and is left to the worker.
    """
    again = bookkeeping.AT_ONCE_S
    while again == bookkeeping.AT_ONCE_S:
        async with database.entered(actor=WORKER) as tx:
            again = await bookkeeping.seal(tx)


def refuse_elsewhere(settings: Settings) -> None:
    """Refuse to invent anything in a database that Plek did not start itself."""
    if not settings.embedded:
        raise OperatorError(
            "The demo country only goes into Plek's own database: unset DATABASE_URL."
        )


def _told(country: DemoCountry) -> str:
    """Say what was made."""
    return (
        f"Filled with the demo country (seed {country.seed}): {len(country.providers)} providers, "
        f"{len(country.sites)} sites, {len(country.places):,} places, {len(country.referrals)} "
        "open referrals."
    )
