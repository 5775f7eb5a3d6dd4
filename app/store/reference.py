"""The country as the database has it: regions, municipalities, distances, weights and the policy in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.allocation.policy import Policy, parse_policy
from app.models import Clearance, Municipality, Region, Weight
from app.models import Policy as PolicyRow
from app.store import heads

if TYPE_CHECKING:
    from app.store.database import Transaction


@dataclass(frozen=True, slots=True)
class KnownRegion:
    """A region as everybody may see it; position in WGS84 degrees."""

    code: str
    name: str
    lat: float
    lon: float
    population: int


@dataclass(frozen=True, slots=True)
class KnownMunicipality:
    """A municipality as everybody may see it; `extent_km` bounds how far from its position anything in it can be."""

    code: str
    name: str
    lat: float
    lon: float
    population: int
    region: str
    extent_km: int


@dataclass(frozen=True, slots=True)
class Reference:
    """One version of the country's data. Distances are in whole km, by zone and then by site."""

    version: int
    regions: Mapping[str, KnownRegion]
    municipalities: Mapping[str, KnownMunicipality]
    clearances: Mapping[str, Mapping[str, int]]
    """The surest distance between anything in the two."""
    distances: Mapping[str, Mapping[str, int]]
    """Between the two positions: for nearness, never for safety."""
    weights: Mapping[str, int]
    policy: Policy
    policy_hash: str

    def region_of(self, municipality: str) -> str:
        """Return the code of the region that a municipality belongs to."""
        return self.municipalities[municipality].region


async def load(tx: "Transaction") -> Reference:
    """Read the newest version; read again when it changed meanwhile."""
    while True:
        version = await heads.read(tx, "reference")
        reference = await _load(tx, version=version)
        if await heads.read(tx, "reference") == version:
            return reference


async def _load(tx: "Transaction", *, version: int) -> Reference:
    regions = await tx.rows(
        select(Region.code, Region.name, Region.lat, Region.lon, Region.population).order_by(Region.code)
    )
    municipalities = await tx.rows(
        select(
            Municipality.code,
            Municipality.name,
            Municipality.lat,
            Municipality.lon,
            Municipality.population,
            Municipality.region,
            Municipality.extent_km,
        ).order_by(Municipality.code)
    )
    clearances, distances = await _distances(tx)
    policy = (
        await tx.rows(
            select(PolicyRow.hash, PolicyRow.document)
            .where(PolicyRow.valid_from <= func.clock_timestamp())
            .order_by(PolicyRow.valid_from.desc(), PolicyRow.hash)
            .limit(1)
        )
    )[0]
    return Reference(
        version=version,
        regions={row.code: KnownRegion(*row) for row in regions},
        municipalities={row.code: KnownMunicipality(*row) for row in municipalities},
        clearances=clearances,
        distances=distances,
        weights=await _weights(tx),
        policy=parse_policy(policy.document),
        policy_hash=policy.hash,
    )


async def _distances(tx: "Transaction") -> tuple[Mapping[str, Mapping[str, int]], Mapping[str, Mapping[str, int]]]:
    rows = await tx.rows(
        select(
            Clearance.zone,
            func.array_agg(Clearance.site).label("sites"),
            func.array_agg(Clearance.km).label("km"),
            func.array_agg(Clearance.centroid_km).label("centroid_km"),
        ).group_by(Clearance.zone)
    )
    # One string object a municipality, not one a pair: the table has over a hundred thousand rows.
    names = {row.zone: row.zone for row in rows}
    clearances = {row.zone: dict(zip((names[site] for site in row.sites), row.km, strict=True)) for row in rows}
    distances = {row.zone: dict(zip((names[site] for site in row.sites), row.centroid_km, strict=True)) for row in rows}
    return clearances, distances


async def _weights(tx: "Transaction") -> Mapping[str, int]:
    rows = await tx.rows(
        select(Weight.region, Weight.weight)
        .ext(distinct_on(Weight.region))
        .where(Weight.valid_from <= func.current_date())
        .order_by(Weight.region, Weight.valid_from.desc())
    )
    return {row.region: row.weight for row in rows}
