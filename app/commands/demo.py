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
from app.commands.installation import Installation, open_installation, say, settings_with
from app.commands.progress import Progress
from app.commands.stop import run_until_stopped
from app.config import Settings
from app.database import server
from app.database.transaction import WORKER, Database, Transaction
from app.demo import demo, people
from app.demo.past import write
from app.demo.past.live import live_through
from app.demo.past.write import ReportStage, report_to_nobody
from app.errors import OperatorError
from app.ledger.signed_file import SignedTreeFile
from app.reference import load
from app.simulation.country.values import DemoCountry

LIVED_FROM, LIVED_TO = 0.05, 0.5
"""The shares of the time that have gone by when the simulation of the past begins and ends."""


def fill(data_dir: Path | None, *, seed: int, with_past: bool) -> None:
    """Fill an empty embedded database with the demo country, with or without a past."""
    settings = settings_with(data_dir)
    refuse_elsewhere(settings)
    progress = Progress(say)
    progress.reach("Starting the servers")
    with progress.reports(), open_installation(settings) as installation:
        progress.reach("Making the database ready")
        said = run_until_stopped(
            _fill(installation, seed=seed, with_past=with_past, report=progress.reach)
        )
        progress.reach("Stopping the servers")
    typer.echo(said)


async def show(installation: Installation, *, seed: int, report: ReportStage) -> None:
    """Fill the database with the demo country if it is empty.

    Of several processes that start at once, one fills it and the others wait. Raise OperatorError
    if it holds anything but the demo country.
    """
    said = None
    async with _turn(installation, report=report) as tx:
        shown = await accounts.is_demo_shown(tx)
        if shown is False:
            raise OperatorError("This database holds providers of its own: start without --demo.")
        if shown:
            await people.make_ready(tx)
        else:
            said = await _found_country(installation, tx, seed=seed, with_past=True, report=report)
    if said is not None:
        await _sign_ledger(installation)
        say(said)


async def _fill(
    installation: Installation, *, seed: int, with_past: bool, report: ReportStage
) -> str:
    """Fill the database, and return a sentence about it."""
    async with _turn(installation, report=report) as tx:
        said = await _found_country(installation, tx, seed=seed, with_past=with_past, report=report)
    if with_past:
        await _sign_ledger(installation)
    return said


@asynccontextmanager
async def _turn(installation: Installation, *, report: ReportStage) -> AsyncGenerator[Transaction]:
    """Begin a transaction in which no other process fills this database."""
    async with installation.transaction() as tx:
        if not await server.is_alone_with(tx, server.DEMO):
            report("Another Plek fills this database with the demo country: waiting for it", 0)
            await server.await_turn(tx, server.DEMO)
        yield tx


async def _found_country(
    installation: Installation, tx: Transaction, *, seed: int, with_past: bool, report: ReportStage
) -> str:
    """Found the country and its people, and return a sentence about them."""
    report("Filling the demo country: providers, sites and places", 0)
    tx = await installation.unlock(tx)
    said = [_summary(await demo.fill(tx, seed=seed))]
    if with_past:
        said.append(await live(tx, seed=seed, report=report))
    await people.make_ready(tx)
    return "\n".join(said)


async def _sign_ledger(installation: Installation) -> None:
    """Sign the ledger at once, so that a controller need not wait for the worker."""
    async with installation.owner() as owner, owner.transaction() as tx:
        keyring = await installation.keyring(tx)
    database = Database(installation.settings, url=installation.database_url, keyring=keyring)
    try:
        await sign(database, signed=installation.signed)
    finally:
        await database.close()


async def live(
    tx: Transaction,
    *,
    seed: int,
    quarters: int = write.QUARTERS,
    report: ReportStage = report_to_nobody,
) -> str:
    """Let the demo country, just filled, live until now; return a sentence about its past."""
    here = await write.setting(tx, quarters=quarters)
    policy = (await tx.snapshots.reference(tx)).policy
    days, unwanted = count(1), threading.Event()

    def midnight() -> None:
        if unwanted.is_set():
            raise asyncio.CancelledError
        share = LIVED_FROM + (LIVED_TO - LIVED_FROM) * next(days) / here.ground.days
        report("Filling the demo country: living through its past", share)

    try:
        past = await asyncio.to_thread(
            live_through, load(), policy, here.ground, seed=seed, progress=midnight
        )
    except asyncio.CancelledError:
        unwanted.set()  # a thread ends by itself alone, and a program waits for its threads
        raise
    came = await write.write_past(
        tx,
        past,
        here,
        seed=seed,
        report=lambda task, share: report(
            f"Filling the demo country: {task}", LIVED_TO + (1 - LIVED_TO) * share
        ),
    )
    return f"Its past: {came:,} households that came to a place since {here.began:%Y-%m-%d}."


async def sign(database: Database, *, signed: SignedTreeFile | None) -> None:
    """Sign the ledger as the worker does, so that it can be checked at once.

    Releasing the monitor's figures takes longer, and is left to the worker.
    """
    again = bookkeeping.AT_ONCE_S
    while again == bookkeeping.AT_ONCE_S:
        async with database.transaction(actor=WORKER, lasting=True) as tx:
            again = await bookkeeping.sign_tree(tx, signed=signed)


def refuse_elsewhere(settings: Settings) -> None:
    """Refuse to fill a database that Plek did not start itself."""
    if not settings.embedded:
        raise OperatorError(
            "The demo country only goes into Plek's own database: unset DATABASE_URL."
        )


def _summary(country: DemoCountry) -> str:
    """Return a sentence about the new country."""
    return (
        f"Filled with the demo country (seed {country.seed}): {len(country.providers)} providers, "
        f"{len(country.sites)} sites, {len(country.places):,} places, {len(country.referrals)} "
        "open referrals."
    )
