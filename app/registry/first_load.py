"""First load: the reference files of the country, and many rows at once for the demo.

The country is loaded into a database that has none; later it changes only by import.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from app.allocation.ranking.safety import clearance_km, distance_km
from app.database import counters, policies
from app.database.transaction import Transaction
from app.ledger import ledger
from app.policy.policies import put_policy
from app.reference import Municipality, ReferenceFiles, RegionWeight, load, policy_document
from app.registry.store import bulk, country
from app.registry.store.bulk import Batch, Values
from app.registry.store.country import Distance

MOST = 10_000
"""More policies than there will ever be: there are a few a year."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a municipality lies, as far as distances need it."""

    code: str
    lat: float
    lon: float
    extent_km: int
    """The farthest from its position that anything in it can be."""


async def load_reference(tx: Transaction, *, files: ReferenceFiles | None = None) -> bool:
    """Load the country as the owner, unless there is one.

    Return whether it was loaded.
    """
    if not await country.is_empty(tx):
        await _complete_ledger(tx)
        return False
    await country.lock(tx)
    # Another process was first.
    if not await country.is_empty(tx):
        return False
    files = files or load()
    municipalities = [
        {name: value for name, value in asdict(row).items() if name != "mapping_confidence"}
        for row in files.municipalities
    ]
    positions = [position_of(row) for row in files.municipalities]
    await country.put_regions(tx, [asdict(row) for row in files.regions])
    await country.put_municipalities(tx, municipalities)
    await country.put_distances(tx, list(distances(positions)))
    weights = [weight_values(row) for row in files.weights]
    await country.put_weights(tx, weights)
    await put_policy(tx, policy_document(files.country.jurisdiction), files=files)
    await counters.advance(tx, "reference")
    await ledger.record_weights(tx, weights)
    return True


async def add_rows(tx: Transaction, batch: Batch) -> None:
    """Store many new rows at once, for the demo country and its past."""
    await bulk.add(tx, batch)


async def _complete_ledger(tx: Transaction) -> None:
    """Write the leaves of the policies and weights that are older than such leaves."""
    if await ledger.has_leaf(tx, "policy"):
        return
    await country.lock(tx)
    # Another process was first.
    if await ledger.has_leaf(tx, "policy"):
        return
    for row in reversed(await policies.list_policies(tx, limit=MOST, before=None)):
        await ledger.record_policy(
            tx, version=row.version, hash_=row.hash, valid_from=row.valid_from
        )
    await ledger.record_weights(tx, await country.weights(tx))


def distances(towns: Sequence[Position], *, of: frozenset[str] | None = None) -> Iterator[Distance]:
    """Yield the distances of every ordered pair, or only of pairs with a municipality in `of`.

    A municipality and itself are a pair as well.
    """
    for place, one in enumerate(towns):
        for other in towns[place:]:
            if of is not None and one.code not in of and other.code not in of:
                continue
            km = clearance_km(
                one.lat, one.lon, one.extent_km, other.lat, other.lon, other.extent_km
            )
            between = round(distance_km(one.lat, one.lon, other.lat, other.lon))
            yield Distance(one.code, other.code, km, between)
            if other is not one:
                yield Distance(other.code, one.code, km, between)


def position_of(town: Municipality) -> Position:
    """Return the position of a municipality of the reference files."""
    return Position(town.code, town.lat, town.lon, town.extent_km)


def weight_values(row: RegionWeight) -> Values:
    """Return a weight by the names of its columns."""
    return {
        "region": row.region,
        "valid_from": row.date,
        "weight": row.weight,
        "source": row.source,
    }
