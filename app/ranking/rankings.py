"""Rankings: where a household can go, recorded so that the answer can be made again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from app.allocation.policy.policy import Policy
from app.allocation.ranking.fold import FoldedOffer, fold_offers
from app.allocation.ranking.rank import RankingInputs
from app.allocation.ranking.replay import inputs_bytes, inputs_of
from app.allocation.ranking.safety import dangers_on
from app.allocation.ranking.versions import NEWEST, VERSIONS, Rules, rules_of
from app.allocation.values import Need, Ranking, Register, Situation
from app.budgets import budgets
from app.database import register
from app.database.caller import Caller, Role
from app.database.reference import Reference
from app.database.register import RegisterSnapshot
from app.database.transaction import Transaction
from app.errors import Conflict, Erased, Missing, TooOften
from app.ranking.store import ranking_rows, situation
from app.ranking.store.ranking_rows import RankingRow
from app.ranking.store.situation import ReferralSituation
from app.reference import load
from app.referrals import referrals
from app.referrals.referrals import UnsealedReferral

NOWHERE: Mapping[str, int] = {}
OFFERS = "offers"
"""The purpose in the access log of a ranking that showed an offer of another provider."""


@dataclass(frozen=True, slots=True)
class RecordedRanking:
    """A recorded ranking, with the inputs, policy and rules it cites."""

    id: UUID
    referral_id: UUID
    provider_id: UUID
    as_of: datetime
    policy_version: str
    policy_hash: str
    inputs: RankingInputs
    ranking: Ranking

    @property
    def need(self) -> Need:
        """The need that the referral had."""
        return self.inputs.need

    def fold(self) -> tuple[FoldedOffer, ...]:
        """Return its offers as they are shown."""
        return fold_offers(self.ranking, self.need, bands=self.inputs.policy.bands)

    def is_of(self, caller: Caller) -> bool:
        """Whether the caller's own desk made it: that desk knows the household."""
        return caller.has(Role.INTAKE_WORKER) and self.provider_id == caller.provider_id


async def rank_places(tx: Transaction, referral_id: UUID) -> RecordedRanking:
    """Rank every place for one of the caller's referrals, and record the ranking."""
    referral = await referrals.read(tx, referral_id)
    if referral.status not in {"open", "held", "placed"}:
        raise Conflict("referral_not_open", "This referral is closed.")
    # Before anything is looked up: that it is refused must not tell whether there is an offer.
    await budgets.check_budget(tx, budgets.RANKINGS)
    ranked = await compute_ranking(tx, referral)
    await budgets.spend_budget(tx, budgets.RANKINGS, times=int(offers_elsewhere(ranked)))
    await record_ranking(tx, referral, ranked, snapshot=await tx.snapshots.register(tx))
    return ranked


def offers_elsewhere(ranked: RecordedRanking) -> bool:
    """Whether a ranking shows an offer of another provider than the one that asks."""
    own = str(ranked.provider_id)
    return any(offer.group.provider_id != own for offer in ranked.ranking.offers)


def purpose_of(ranked: RecordedRanking) -> str | None:
    """Return what the access log says of a ranking: whether it showed others' offers."""
    return OFFERS if offers_elsewhere(ranked) else None


async def record_ranking(
    tx: Transaction,
    referral: UnsealedReferral,
    ranked: RecordedRanking,
    *,
    snapshot: RegisterSnapshot,
) -> None:
    """Record a new ranking, and the register that it saw."""
    await register.record(tx, snapshot)
    await ranking_rows.add(tx, [ranking_row(referral, ranked, snapshot=snapshot)])


async def keep_rankings(tx: Transaction, referral_id: UUID) -> None:
    """Let a referral's rankings go on after its newest change, which outdates nothing."""
    await ranking_rows.keep(tx, referral_id)


async def compute_ranking(
    tx: Transaction, referral: UnsealedReferral, *, limited: bool = True
) -> RecordedRanking:
    """Rank every place for a referral, and record nothing.

    `limited`: whether the policy's limit of rankings per hour applies. Raises TooOften beyond it.
    """
    reference = await tx.snapshots.reference(tx)
    snapshot = await tx.snapshots.register(tx)
    need = referrals.need_of(referral.content, reference)
    known = await read_situation(tx, referral.id)
    if known.wait_s and limited:
        raise TooOften(retry_after=known.wait_s)
    moment = situation_of(known, need, at=tx.at, reference=reference, snapshot=snapshot)
    inputs = RankingInputs(need, snapshot.register, moment, reference.policy)
    return apply_newest_rules(referral, inputs, reference=reference)


def apply_newest_rules(
    referral: UnsealedReferral, inputs: RankingInputs, *, reference: Reference
) -> RecordedRanking:
    """Return a new ranking, by the newest rules and the policy in force."""
    return RecordedRanking(
        id=uuid4(),
        referral_id=referral.id,
        provider_id=referral.case.provider_id,
        as_of=inputs.situation.as_of,
        policy_version=reference.policy.version,
        policy_hash=reference.policy_hash,
        inputs=inputs,
        ranking=NEWEST.rank(inputs.need, inputs.register, inputs.situation, inputs.policy),
    )


def ranking_row(
    referral: UnsealedReferral, ranked: RecordedRanking, *, snapshot: RegisterSnapshot
) -> RankingRow:
    """Return the row of a new ranking, its inputs sealed with the referral's key."""
    made_from = inputs_bytes(ranked.inputs.need, ranked.inputs.situation)
    return RankingRow(
        id=ranked.id,
        referral_id=referral.id,
        provider_id=referral.case.provider_id,
        referral_version=referral.case.version,
        register_version=snapshot.version,
        as_of=ranked.as_of,
        policy_hash=ranked.policy_hash,
        register_hash=snapshot.hash,
        rules_version=NEWEST.version,
        digest=NEWEST.digest(ranked.ranking),
        sealed=referral.key.seal(made_from, row=str(ranked.id)),
    )


async def new_sites(tx: Transaction) -> frozenset[str]:
    """Return the sites that were approved, or have moved, less than the policy's days ago."""
    approved_at = (await tx.snapshots.register(tx)).approved_at
    policy = (await tx.snapshots.reference(tx)).policy
    return frozenset(
        site for site, moment in approved_at.items() if policy.is_new(moment, at=tx.at)
    )


async def read_situation(tx: Transaction, referral_id: UUID) -> ReferralSituation:
    """Return what the database knows at this moment that a ranking for a referral looks at."""
    policy = (await tx.snapshots.reference(tx)).policy
    return await situation.read(tx, referral_id, rankings_per_hour=policy.rankings_per_hour)


def situation_of(
    known: ReferralSituation,
    need: Need,
    *,
    at: datetime,
    reference: Reference,
    snapshot: RegisterSnapshot,
) -> Situation:
    """Return the situation that a ranking looks at, of what the database knows."""
    municipalities, today = snapshot.register.municipalities, load().country.day_of(at)
    near = reference.distances[need.near_municipality] if need.near_municipality else NOWHERE
    return Situation(
        as_of=at,
        free=known.free,
        confirmed_hours=known.confirmed_hours,
        clearances=_clearances(
            need, reference=reference, municipalities=municipalities, today=today
        ),
        near_km={site: near[site] for site in municipalities if site in near},
        deficits=known.deficits,
        occupancy=known.occupancy,
        capped_regions=known.capped_regions,
        declined_sites=known.declined_sites,
        local_day=today,
    )


def lasting_situation(
    need: Need,
    *,
    reference: Reference,
    municipalities: tuple[str, ...],
    at: datetime,
    capped_regions: frozenset[str] = frozenset(),
) -> Situation:
    """Return the part of a situation that does not change by the minute, such as distances."""
    today = load().country.day_of(at)
    return Situation(
        as_of=at,
        free=NOWHERE,
        confirmed_hours=NOWHERE,
        clearances=_clearances(
            need, reference=reference, municipalities=municipalities, today=today
        ),
        near_km=NOWHERE,
        deficits=NOWHERE,
        occupancy=NOWHERE,
        capped_regions=capped_regions,
        declined_sites=frozenset(),
        local_day=today,
    )


def _clearances(
    need: Need, *, reference: Reference, municipalities: tuple[str, ...], today: date
) -> Mapping[str, Mapping[str, int]]:
    """Return the distances that a need asks for, by danger zone and site's municipality."""
    zones = {
        zone.municipality for zone in dangers_on(need, today=today, policy=reference.policy).zones
    }
    return {
        zone: {site: reference.clearances[zone][site] for site in municipalities}
        for zone in sorted(zones)
    }


async def read(tx: Transaction, ranking_id: UUID) -> RecordedRanking:
    """Return a ranking of the caller's provider, made again from what was recorded."""
    recorded = await _read_visible(tx, ranking_id)
    if recorded is None or recorded[0].provider_id != tx.caller.provider:
        raise Missing
    # Most rankings are read again a moment later, when the register has not changed.
    snapshot = await tx.snapshots.register(tx)
    return await recompute_ranking(tx, *recorded, kept={snapshot.hash: snapshot.register})


async def replay_ranking(tx: Transaction, ranking_id: UUID) -> tuple[RecordedRanking, bool]:
    """Make a recorded ranking again; return it, and whether it is identical to the first."""
    recorded = await _read_visible(tx, ranking_id)
    if recorded is None:
        raise Missing
    ranked = await recompute_ranking(tx, *recorded)
    return ranked, is_identical(recorded[0], ranked)


async def read_sealed(tx: Transaction, ranking_id: UUID) -> tuple[RankingRow, bytes | None] | None:
    """Return a ranking as it is stored, and the wrapped key of its inputs unless destroyed."""
    return await ranking_rows.read(tx, ranking_id)


async def list_newest(tx: Transaction, *, most: int) -> list[UUID]:
    """Return the ids of the newest readable rankings, one for each referral, newest first."""
    return await ranking_rows.newest(tx, most=most)


async def list_unknown_rules(tx: Transaction) -> list[str]:
    """Return the versions of rules that readable rankings cite and this release does not have."""
    return await ranking_rows.unknown_rules(tx, VERSIONS)


async def _read_visible(
    tx: Transaction, ranking_id: UUID
) -> tuple[RankingRow, bytes | None] | None:
    recorded = await ranking_rows.read(tx, ranking_id)
    concerned = tx.caller.region is not None and await ranking_rows.concerns_region(
        tx, ranking_id, region=tx.caller.region
    )
    if recorded is None:
        return None
    own = tx.caller.has(Role.INTAKE_WORKER) and recorded[0].provider_id == tx.caller.provider_id
    return recorded if own or (tx.caller.has(Role.AUDITOR) and concerned) else None


def is_identical(row: RankingRow, again: RecordedRanking) -> bool:
    """Whether a ranking that was made again is the one that was recorded."""
    return rules_of(row.rules_version).digest(again.ranking) == row.digest


@dataclass(frozen=True, slots=True)
class RankingBasis:
    """The inputs a ranking was made from, with the policy and the rules it cites."""

    inputs: RankingInputs
    policy_version: str
    rules: Rules

    def rank_again(self, policy: Policy | None = None) -> Ranking:
        """Return the ranking made again, under its own policy or another."""
        made_from = self.inputs
        return self.rules.rank(
            made_from.need, made_from.register, made_from.situation, policy or made_from.policy
        )


async def unseal_basis(
    tx: Transaction,
    row: RankingRow,
    key: bytes | None,
    *,
    kept: dict[str, Register] | None = None,
) -> RankingBasis:
    """Return what a recorded ranking was made from.

    `kept` holds the register of the last ranking by its hash: rankings made one after another
    mostly share it.

    Raises Erased if the key of its inputs was destroyed, and UnknownRules if this release does not
    have the rules that made it.
    """
    if key is None:
        raise Erased
    rules = rules_of(row.rules_version)
    tx.looks.referral_ids.add(row.referral_id)
    sealed_with = tx.keyring.unwrap(key, row=str(row.referral_id))
    need, standing = inputs_of(sealed_with.unseal_json(row.sealed, row=str(row.id)))
    seen = await _register(tx, row.register_hash, {} if kept is None else kept)
    policy, version = await _policy(tx, row.policy_hash)
    return RankingBasis(
        RankingInputs(need, seen, standing, policy, rules.dangers_on), version, rules
    )


async def _policy(tx: Transaction, hash_: str) -> tuple[Policy, str]:
    """Return a policy and its version; most rankings that are read cite the one in force."""
    reference = await tx.snapshots.reference(tx)
    if hash_ == reference.policy_hash:
        return reference.policy, reference.policy.version
    return await ranking_rows.read_policy(tx, hash_)


async def _register(tx: Transaction, hash_: str, kept: dict[str, Register]) -> Register:
    if hash_ not in kept:
        found = await register.read_recorded(tx, hash_)
        kept.clear()
        kept[hash_] = found
    return kept[hash_]


async def recompute_ranking(
    tx: Transaction,
    row: RankingRow,
    key: bytes | None,
    *,
    kept: dict[str, Register] | None = None,
) -> RecordedRanking:
    """Make a recorded ranking again, from its sealed inputs and from what it cites.

    `kept` and what is raised are those of `unseal_basis`.
    """
    found = await unseal_basis(tx, row, key, kept=kept)
    return RecordedRanking(
        id=row.id,
        referral_id=row.referral_id,
        provider_id=row.provider_id,
        as_of=row.as_of,
        policy_version=found.policy_version,
        policy_hash=row.policy_hash,
        inputs=found.inputs,
        ranking=found.rank_again(),
    )
