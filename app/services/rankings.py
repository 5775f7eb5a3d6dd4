"""Rankings: where can this household go, recorded so that the same answer can be made again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from app.allocation.rank import RULES_VERSION, rank
from app.allocation.replay import digest, inputs_bytes, inputs_of
from app.allocation.values import Need, Ranking, Situation
from app.errors import Conflict, Erased, Missing, TooOften
from app.seal import Keyring
from app.services import referrals
from app.services.caller import Caller, Role
from app.services.referrals import Referral
from app.store import rankings, register, situation
from app.store.database import Transaction
from app.store.rankings import RankingRow
from app.store.reference import Reference
from app.store.register import RegisterSnapshot
from app.store.situation import Standing

UNASKED = "not_asked"
NOWHERE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A recorded ranking, with what it cites."""

    id: UUID
    referral_id: UUID
    as_of: datetime
    policy_version: str
    policy_hash: str
    need: Need
    ranking: Ranking


async def make(tx: Transaction, caller: Caller, referral_id: UUID, *, keyring: Keyring) -> Ranked:
    """Rank every place for one of the caller's referrals, and record it."""
    referral = await referrals.read(tx, caller, referral_id, keyring=keyring)
    if referral.status not in {"open", "held", "placed"}:
        raise Conflict("referral_not_open", "This referral is closed.")
    reference = await tx.snapshots.reference(tx)
    snapshot = await tx.snapshots.register(tx)
    need = referrals.need_of(referral.content, reference)
    standing = await _situation(tx, referral.id, need, reference=reference, snapshot=snapshot)
    ranking = rank(need, snapshot.register, standing, reference.policy)
    await register.record(tx, snapshot)
    ranked = ranked_at(tx.at, referral, need, ranking, reference=reference)
    await rankings.add(tx, [row_of(referral, ranked, standing, snapshot=snapshot)])
    return ranked


def ranked_at(at: datetime, referral: Referral, need: Need, ranking: Ranking, *, reference: Reference) -> Ranked:
    """Return a new ranking, made at that moment under the policy in force."""
    return Ranked(uuid4(), referral.id, at, reference.policy.version, reference.policy_hash, need, ranking)


def row_of(referral: Referral, ranked: Ranked, standing: Situation, *, snapshot: RegisterSnapshot) -> RankingRow:
    """Return what is recorded of a ranking: enough to make it again, sealed with its referral's key."""
    return RankingRow(
        id=ranked.id,
        referral_id=referral.id,
        provider_id=referral.case.provider_id,
        referral_version=referral.case.version,
        register_version=snapshot.version,
        as_of=ranked.as_of,
        policy_hash=ranked.policy_hash,
        register_hash=snapshot.hash,
        rules_version=RULES_VERSION,
        digest=digest(ranked.ranking),
        sealed=referral.key.seal(inputs_bytes(ranked.need, standing), row=str(ranked.id)),
    )


async def _situation(
    tx: Transaction, referral_id: UUID, need: Need, *, reference: Reference, snapshot: RegisterSnapshot
) -> Situation:
    """Return how things stand for a need; raise TooOften where it was ranked as often as the policy allows."""
    standing = await situation.read(tx, referral_id, rankings_per_hour=reference.policy.rankings_per_hour)
    if standing.wait_s:
        raise TooOften(retry_after=standing.wait_s)
    return situation_of(standing, need, at=tx.at, reference=reference, snapshot=snapshot)


def situation_of(
    standing: Standing, need: Need, *, at: datetime, reference: Reference, snapshot: RegisterSnapshot
) -> Situation:
    """Return what a ranking looks at, of what the database knows of the moment."""
    municipalities = snapshot.register.municipalities
    near = reference.distances[need.near_municipality] if need.near_municipality else NOWHERE
    return Situation(
        as_of=at,
        free=standing.free,
        confirmed_hours=standing.confirmed_hours,
        clearances=clearances_of(need, reference=reference, municipalities=municipalities),
        near_km={site: near[site] for site in municipalities if site in near},
        deficits=standing.deficits,
        occupancy=standing.occupancy,
        capped_regions=frozenset(),
        declined_sites=standing.declined_sites,
    )


def clearances_of(
    need: Need, *, reference: Reference, municipalities: tuple[str, ...]
) -> Mapping[str, Mapping[str, int]]:
    """Return the distances that a need asks for, by zone and site; no others are looked up, and kept."""
    zones = {zone.municipality for zone in need.danger_zones}
    if need.danger_assessment == UNASKED:
        zones.add(need.origin)
    return {zone: {site: reference.clearances[zone][site] for site in municipalities} for zone in sorted(zones)}


async def read(tx: Transaction, caller: Caller, ranking_id: UUID, *, keyring: Keyring) -> Ranked:
    """Return one of the caller's provider's rankings, made again from what was recorded."""
    recorded = await _recorded(tx, caller, ranking_id)
    if recorded is None or recorded[0].provider_id != caller.provider:
        raise Missing
    return (await _again(tx, *recorded, keyring=keyring))[0]


async def replay(tx: Transaction, caller: Caller, ranking_id: UUID, *, keyring: Keyring) -> tuple[Ranked, bool]:
    """Make a recorded ranking again; return it, and whether it is identical to the first."""
    recorded = await _recorded(tx, caller, ranking_id)
    if recorded is None:
        raise Missing
    return await _again(tx, *recorded, keyring=keyring)


async def _recorded(tx: Transaction, caller: Caller, ranking_id: UUID) -> tuple[RankingRow, bytes | None] | None:
    recorded = await rankings.read(tx, ranking_id)
    concerned = caller.region is not None and await rankings.concerns_region(tx, ranking_id, region=caller.region)
    if recorded is None:
        return None
    own = caller.has(Role.INTAKE_WORKER) and recorded[0].provider_id == caller.provider_id
    return recorded if own or (caller.has(Role.AUDITOR) and concerned) else None


async def _again(tx: Transaction, row: RankingRow, key: bytes | None, *, keyring: Keyring) -> tuple[Ranked, bool]:
    ranked = await made_again(tx, row, key, keyring=keyring)
    return ranked, digest(ranked.ranking) == row.digest


async def made_again(tx: Transaction, row: RankingRow, key: bytes | None, *, keyring: Keyring) -> Ranked:
    """Return a recorded ranking, recomputed from its sealed inputs, the register and the policy that it cites.

    Raises Erased where the key of its inputs has been destroyed.
    """
    if key is None:
        raise Erased
    tx.looks.referral_ids.add(row.referral_id)
    sealed_with = keyring.unwrap(key, row=str(row.referral_id))
    need, standing = inputs_of(sealed_with.unseal_json(row.sealed, row=str(row.id)))
    seen = await register.recorded(tx, row.register_hash)
    policy, version = await rankings.policy(tx, row.policy_hash)
    return Ranked(
        row.id, row.referral_id, row.as_of, version, row.policy_hash, need, rank(need, seen, standing, policy)
    )
