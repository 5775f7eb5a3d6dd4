"""`plek demo`: the demo country, for an empty database that Plek started itself."""

import asyncio
from pathlib import Path

import typer

from app import bookkeeping
from app.commands.installation import Installation, opened, say, settings_with
from app.config import Settings
from app.errors import OperatorError
from app.reference import load
from app.seal import Keyring
from app.services import demo, demo_past, demo_people
from app.services.demo_values import DemoCountry
from app.simulation.past import live_through
from app.store.database import WORKER, Database, Transaction


def fill(data_dir: Path | None, *, seed: int, with_past: bool) -> None:
    """Fill an empty embedded database; with a past, or as a country that begins today."""
    settings = settings_with(data_dir)
    refuse_elsewhere(settings)
    with opened(settings) as installation:
        typer.echo(asyncio.run(_founded(installation, seed=seed, with_past=with_past)))


async def show(installation: Installation, *, seed: int) -> None:
    """Fill the database if it is empty; raise OperatorError if something else than the demo country is in it."""
    async with installation.transaction() as tx:
        shown = await demo.is_shown(tx)
        if shown is False:
            raise OperatorError("This database holds providers of its own: start without --demo.")
        if shown:
            await demo_people.make_ready(tx)
    if shown is None:
        say(await _founded(installation, seed=seed, with_past=True))


async def _founded(installation: Installation, *, seed: int, with_past: bool) -> str:
    """Found the country and its people, and say what was made; its ledger is signed at once."""
    async with installation.transaction() as tx:
        keyring = await installation.keyring(tx)
        told = [_told(await demo.fill(tx, keyring=keyring, seed=seed))]
        if with_past:
            told.append(await live(tx, keyring=keyring, seed=seed))
        await demo_people.make_ready(tx)
    if with_past:
        database = Database(installation.settings, url=installation.database_url)
        try:
            await sign(database, keyring=keyring)
        finally:
            await database.close()
    return "\n".join(told)


async def live(tx: Transaction, *, keyring: Keyring, seed: int, quarters: int = demo_past.QUARTERS) -> str:
    """Let the demo country, just filled, have lived until now; say how long."""
    here = await demo_past.setting(tx, quarters=quarters)
    policy = (await tx.snapshots.reference(tx)).policy
    past = await asyncio.to_thread(live_through, load(), policy, here.ground, seed=seed)
    came = await demo_past.write(tx, past, here, keyring=keyring, seed=seed)
    return f"Its past: {came:,} households that came to a place since {here.began:%Y-%m-%d}."


async def sign(database: Database, *, keyring: Keyring) -> None:
    """Sign the ledger as the worker does, so that it can be checked at once.

    Releasing the monitor's figures takes longer, and is left to the worker.
    """
    again = bookkeeping.AT_ONCE_S
    while again == bookkeeping.AT_ONCE_S:
        async with database.entered(actor=WORKER) as tx:
            again = await bookkeeping.seal(tx, keyring=keyring)


def refuse_elsewhere(settings: Settings) -> None:
    """Refuse to invent anything in a database that Plek did not start itself."""
    if not settings.embedded:
        raise OperatorError("The demo country only goes into Plek's own database: unset DATABASE_URL.")


def _told(country: DemoCountry) -> str:
    """Say what was made."""
    return (
        f"Filled with the demo country (seed {country.seed}): {len(country.providers)} providers, "
        f"{len(country.sites)} sites, {len(country.places):,} places, {len(country.referrals)} open referrals."
    )
