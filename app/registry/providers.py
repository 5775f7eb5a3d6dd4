"""Where a provider works, as an administrator says: a site elsewhere adds no region.

It stands alone because nothing else of a provider is changed but by files.
"""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from app.database import counters
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.errors import Missing
from app.registry.store import bulk


async def set_regions(
    tx: Transaction, provider_id: UUID, *, regions: Collection[str]
) -> ProviderCard:
    """Let a provider work in these regions and no others; return it."""
    card = (await tx.snapshots.providers(tx)).get(str(provider_id))
    if card is None:
        raise Missing
    await bulk.set_served_regions(tx, provider_id, regions=regions)
    await counters.advance(tx, "register")
    return replace(card, regions=tuple(sorted(regions)))
