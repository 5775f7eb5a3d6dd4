"""The country in the database: regions, municipalities, distances, weights, policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.allocation.policy.policy import Policy, parse_policy
from app.database import counters, policies
from app.database.policies import PolicyRow
from app.models import Clearance, Municipality, Region, Weight

if TYPE_CHECKING:
    from app.database.statements import Statements


@dataclass(frozen=True, slots=True)
class KnownRegion:
    """A region as all may see it; position in WGS84 degrees."""

    code: str
    name: str
    lat: float
    lon: float
    population: int


@dataclass(frozen=True, slots=True)
class KnownMunicipality:
    """A municipality as all may see it.

    `extent_km` is the farthest that anything in it can be from its position.
    """

    code: str
    name: str
    lat: float
    lon: float
    population: int
    region: str
    extent_km: int


@dataclass(frozen=True, slots=True)
class Term:
    """A policy and the moment from which it is in force, until the next one's."""

    valid_from: datetime
    hash: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Reference:
    """One version of the country's data.

    Distances are in whole km, by zone and then by site.
    """

    version: int
    regions: Mapping[str, KnownRegion]
    municipalities: Mapping[str, KnownMunicipality]
    clearances: Mapping[str, Mapping[str, int]]
    """The surest distance between anything in the two."""
    distances: Mapping[str, Mapping[str, int]]
    """The distance between the two positions: for nearness, never for safety."""
    weights: Mapping[str, int]
    policy: Policy
    policy_hash: str
    later: tuple[Term, ...] = ()
    """The policies that begin after this one, in their order."""

    def at(self, moment: datetime) -> "Reference":
        """Return the country as it is at a moment, with the policy in force then."""
        if not self.later or moment < self.later[0].valid_from:
            return self
        begun = [term for term in self.later if term.valid_from <= moment]
        return replace(
            self,
            policy=begun[-1].policy,
            policy_hash=begun[-1].hash,
            later=self.later[len(begun) :],
        )

    def region_of(self, municipality: str) -> str:
        """Return the code of the region that a municipality belongs to."""
        return self.municipalities[municipality].region


async def load(tx: "Statements") -> Reference:
    """Read the newest version; read again when it changed meanwhile."""
    while True:
        version = await counters.read(tx, "reference")
        reference = await _load(tx, version=version)
        if await counters.read(tx, "reference") == version:
            return reference


async def _load(tx: "Statements", *, version: int) -> Reference:
    regions = await tx.rows(
        select(Region.code, Region.name, Region.lat, Region.lon, Region.population).order_by(
            Region.code
        )
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
    # From a little earlier: transactions that began just before use this too.
    terms = tuple(_term(row) for row in await policies.since(tx, tx.at - policies.LEAD))
    return Reference(
        version=version,
        regions={row.code: KnownRegion(*row) for row in regions},
        municipalities={row.code: KnownMunicipality(*row) for row in municipalities},
        clearances=clearances,
        distances=distances,
        weights=await _weights(tx),
        policy=terms[0].policy,
        policy_hash=terms[0].hash,
        later=terms[1:],
    )


def _term(row: PolicyRow) -> Term:
    return Term(row.valid_from, row.hash, parse_policy(row.document))


async def _distances(
    tx: "Statements",
) -> tuple[Mapping[str, Mapping[str, int]], Mapping[str, Mapping[str, int]]]:
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
    clearances = {
        row.zone: dict(zip((names[site] for site in row.sites), row.km, strict=True))
        for row in rows
    }
    distances = {
        row.zone: dict(zip((names[site] for site in row.sites), row.centroid_km, strict=True))
        for row in rows
    }
    return clearances, distances


@dataclass(frozen=True, slots=True)
class WeightRow:
    """A region's weight when a burden is divided, since when, and its source."""

    region: str
    valid_from: date
    weight: int
    source: str


async def weights_in_force(tx: "Statements") -> list[WeightRow]:
    """Return each region's weight today, by its code."""
    wanted = (
        select(Weight.region, Weight.valid_from, Weight.weight, Weight.source)
        .ext(distinct_on(Weight.region))
        .where(Weight.valid_from <= func.current_date())
        .order_by(Weight.region, Weight.valid_from.desc())
    )
    return [WeightRow(*row) for row in await tx.rows(wanted)]


async def _weights(tx: "Statements") -> Mapping[str, int]:
    rows = await tx.rows(
        select(Weight.region, Weight.weight)
        .ext(distinct_on(Weight.region))
        .where(Weight.valid_from <= func.current_date())
        .order_by(Weight.region, Weight.valid_from.desc())
    )
    return {row.region: row.weight for row in rows}
