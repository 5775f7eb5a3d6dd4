"""Import the country: regions, municipalities with their distances, and weights."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.database import counters
from app.database.transaction import Transaction
from app.ledger import ledger
from app.registry.first_load import Position, distances
from app.registry.imports.csv_columns import CsvMunicipality, CsvRegion, CsvWeight
from app.registry.imports.csv_files import CsvFault, Faults, ImportCounts, refuse_faults
from app.registry.store import bulk, country
from app.words import N_

Values = Mapping[str, Any]
LARGEST_WEIGHT = 2**31 - 1
APART = ("lat", "lon", "extent_km")
"""The columns that a municipality's distances depend on."""


async def store_regions(
    tx: Transaction, rows: Sequence[CsvRegion], *, faults: Faults
) -> ImportCounts:
    """Store the new and changed regions of a file."""
    refuse_faults(faults)
    wanted = [_drop_names(asdict(row), "line") for row in rows]
    changes = _compare(wanted, known=await country.regions(tx), key=_code)
    await country.put_regions(tx, changes.all)
    await _refresh_processes(tx, changes)
    return changes.counts


async def store_municipalities(
    tx: Transaction, rows: Sequence[CsvMunicipality], *, faults: Faults
) -> ImportCounts:
    """Store the new and changed municipalities of a file, and their distances."""
    _check_regions(
        rows, known=[_code(region) for region in await country.regions(tx)], faults=faults
    )
    refuse_faults(faults)
    known = await country.municipalities(tx)
    wanted = [_drop_names(asdict(row), "line", "mapping_confidence") for row in rows]
    changes = _compare(wanted, known=known, key=_code)
    await country.put_municipalities(tx, changes.all)
    before = {_code(town): town for town in known}
    moved = _codes_of_differing(changes, before, names=APART)
    if moved:
        await country.forget_distances(tx, moved)
        towns = [
            Position(*(town[name] for name in Position.__slots__))
            for town in await country.municipalities(tx)
        ]
        await country.put_distances(tx, list(distances(towns, of=moved)))
    if moved | _codes_of_differing(changes, before, names=("region",)):
        # Earlier rankings may be wrong now about danger or about regions.
        await bulk.revise_all_sites(tx, revision=await counters.advance(tx, "register"))
    await _refresh_processes(tx, changes)
    return changes.counts


async def store_weights(
    tx: Transaction, rows: Sequence[CsvWeight], *, faults: Faults
) -> ImportCounts:
    """Store the new and changed weights of a file."""
    _check_regions(
        rows, known=[_code(region) for region in await country.regions(tx)], faults=faults
    )
    faults.extend(
        CsvFault(row.line, "weight", N_("must be at most %(most)s"), {"most": LARGEST_WEIGHT})
        for row in rows
        if row.weight > LARGEST_WEIGHT
    )
    refuse_faults(faults)
    wanted = [
        {"region": row.region, "valid_from": row.date, "weight": row.weight, "source": row.source}
        for row in rows
    ]
    known = await country.weights(tx)
    changes = _compare(
        wanted, known=known, key=lambda weight: (weight["region"], weight["valid_from"])
    )
    await country.put_weights(tx, changes.all)
    await _refresh_processes(tx, changes)
    await ledger.record_weights(tx, changes.all)
    return changes.counts


@dataclass(frozen=True, slots=True)
class _Changes:
    new: list[Values]
    changed: list[Values]
    unchanged: int

    @property
    def all(self) -> list[Values]:
        return [*self.new, *self.changed]

    @property
    def counts(self) -> ImportCounts:
        return ImportCounts(len(self.new), len(self.changed), self.unchanged)


def _compare(
    wanted: Sequence[Values], *, known: Sequence[Values], key: Callable[[Values], Hashable]
) -> _Changes:
    before = {key(values): values for values in known}
    new = [values for values in wanted if key(values) not in before]
    changed = [
        values for values in wanted if key(values) in before and values != before[key(values)]
    ]
    return _Changes(new, changed, len(wanted) - len(new) - len(changed))


def _codes_of_differing(
    changes: _Changes, before: Mapping[str, Values], *, names: Sequence[str]
) -> frozenset[str]:
    """Return the codes of what is new, or differs in one of these columns."""
    return frozenset(
        _code(values)
        for values in changes.all
        if any(before.get(_code(values), {}).get(name) != values[name] for name in names)
    )


def _check_regions(
    rows: Sequence[CsvMunicipality] | Sequence[CsvWeight],
    *,
    known: Sequence[str],
    faults: Faults,
) -> None:
    faults.extend(
        CsvFault(row.line, "region", N_("there is no such region"))
        for row in rows
        if row.region not in known
    )


async def _refresh_processes(tx: Transaction, changes: _Changes) -> None:
    """Make every process read the country again."""
    if changes.all:
        await counters.advance(tx, "reference")


def _code(values: Values) -> str:
    code: str = values["code"]
    return code


def _drop_names(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
