"""Functions of the database without one of their guards: to see that it is needed."""

from tests.country import Country

DEFINITION = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = :name"


async def weaken(country: Country, name: str, *changes: tuple[str, str]) -> None:
    """Replace parts of a function; each must be there."""
    whole: str = await country.value(DEFINITION, name=name)
    for guard, instead in changes:
        assert guard in whole
        whole = whole.replace(guard, instead)
    async with country.owner.transaction() as tx:
        await tx.connection.execute(whole)
