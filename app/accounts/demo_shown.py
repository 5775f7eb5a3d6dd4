"""Whether the database holds the demo country: it is told by the slugs of its providers, and nothing else."""

from app.accounts.store import accounts
from app.database.transaction import Transaction
from app.reference import load


async def is_shown(tx: Transaction) -> bool | None:
    """Whether what is in the database is the demo country; None where there is nothing yet."""
    found = set(await accounts.slugs(tx))
    invented = {slug_of(name) for name in load().demo.providers}
    return found == invented if found else None


def slug_of(name: str) -> str:
    """Return the slug of an invented provider."""
    return "-".join(name.lower().split())
