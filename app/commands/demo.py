"""`plek demo`: the demo country, for an empty database that Plek started itself."""

import asyncio
from pathlib import Path

import typer

from app.commands.installation import Installation, opened, say, settings_with
from app.config import Settings
from app.errors import OperatorError
from app.services import demo, demo_people
from app.services.demo_values import DemoCountry


def fill(data_dir: Path | None, *, seed: int) -> None:
    """Fill an empty embedded database."""
    settings = settings_with(data_dir)
    refuse_elsewhere(settings)

    async def act() -> DemoCountry:
        async with installation.transaction() as tx:
            country = await demo.fill(tx, keyring=await installation.keyring(tx), seed=seed)
            await demo_people.make_ready(tx)
            return country

    with opened(settings) as installation:
        country = asyncio.run(act())
    typer.echo(told(country))


async def show(installation: Installation, *, seed: int) -> None:
    """Fill the database if it is empty; raise OperatorError if something else than the demo country is in it."""
    async with installation.transaction() as tx:
        shown = await demo.is_shown(tx)
        if shown is None:
            say(told(await demo.fill(tx, keyring=await installation.keyring(tx), seed=seed)))
        elif not shown:
            raise OperatorError("This database holds providers of its own: start without --demo.")
        await demo_people.make_ready(tx)


def refuse_elsewhere(settings: Settings) -> None:
    """Refuse to invent anything in a database that Plek did not start itself."""
    if not settings.embedded:
        raise OperatorError("The demo country only goes into Plek's own database: unset DATABASE_URL.")


def told(country: DemoCountry) -> str:
    """Say what was made."""
    return (
        f"Filled with the demo country (seed {country.seed}): {len(country.providers)} providers, "
        f"{len(country.sites)} sites, {len(country.places):,} places, {len(country.referrals)} open referrals."
    )
